"""One self-contained HTML page of a result: reads without a kernel, a network or JavaScript, in light and dark.

Everything that came from a model, a file or a user is escaped; besides, the page's own policy lets no other script run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from html import escape as e
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from . import curve, text, words
from .diff import Run, differences
from .summary import change
from .values import LATENCY, EvalOutput, EvalRow, Measure, ScoreSummary

if TYPE_CHECKING:
    import pandas as pd

    from .result import EvalResult

_CHIP = {"better": ("ok", "↑"), "worse": ("err", "↓"), "same": ("", "="), "inconclusive": ("", "≈")}


def html(result: EvalResult, *, metrics: pd.DataFrame | None = None) -> str:
    """The page.

    Parameters
    ----------
    result : EvalResult
    metrics : DataFrame, optional
        As ``Job.metrics()`` gives it; its loss is drawn.
    """
    here = files(__package__)
    style, script = (here / "report.css").read_text("utf-8"), (here / "report.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    loss = curve.figure(metrics) if metrics is not None else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{e(result.name)}</title>\n<style>\n{style}</style>\n</head>\n"
        f'<body class="wb">\n<main class="wb-card">{_head(result)}{_cards(result)}{_filters(result)}{_table(result)}</main>\n'
        f"{loss}{_facts(result)}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def fragment(result: EvalResult) -> str:
    """The summary alone, as a plain table for a front end without the widget."""
    head, lines = text.cells(result)
    cells = "".join(f"<th>{e(c)}</th>" for c in head)
    body = "".join("<tr>" + "".join(f"<td>{e(c)}</td>" for c in line) + "</tr>" for line in lines)
    return f"<p><b>{e(text.title(result))}</b></p><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _mark(model: int, models: int) -> str:
    last = " b" if model == models - 1 else ""
    return f'<span class="mark{last}">{words.letter(model)}</span>'


def _head(result: EvalResult) -> str:
    state = {"finished": ("ok", "Finished"), "cancelled": ("warn", "Stopped early"), "running": ("run", "Evaluating")}[result.state]
    n = len(result.models)
    models = "".join(f"<span>{_mark(i, n)} {e(m)}{', baseline' if i == 0 and n > 1 else ''}</span>" for i, m in enumerate(result.models))
    facts = f"<span>{words.facts(result.done, result.total, result.errors)}</span><span>{words.seconds(result.elapsed)}</span>"
    return (
        f'<header class="head"><h1>{e(result.name)} <span class="wb-chip {state[0]}">{state[1]}</span></h1>'
        f'<div class="wb-facts">{models}{facts}</div></header>'
    )


def _cards(result: EvalResult) -> str:
    cards = "".join(_card(s) for s in result.summary())
    return f'<section class="cards" aria-label="Scores">{cards}</section>' if cards else ""


def _card(s: ScoreSummary) -> str:
    kind, sign = _CHIP[s.verdict] if s.verdict else ("", "")
    chip = f'<span class="wb-chip {kind}">{sign} {s.verdict}</span>' if s.verdict else ""
    n, (low, high) = len(s.means), words.scale(s)
    big = words.difference(s.difference, s.unit) if s.difference is not None else words.value(s.means[s.candidate], s.unit)

    def at(x: float) -> str:
        return f"{max(0.0, min(100.0, 100 * (x - low) / ((high - low) or 1))):.1f}%"

    lines = ""
    for i in sorted(range(n), key=lambda i: -i):
        mean, ends = s.means[i], s.intervals[i]
        if mean is None or ends is None:
            continue
        place = f"--l:{at(ends[0])};--r:{at(ends[1])};--m:{at(mean)}"
        title = f"{words.value(mean, s.unit)}, 95% CI {words.interval(*ends, s.unit)}"
        last = "" if i == n - 1 else ' class="a"'
        lines += (
            f'<div{last} title="{e(title)}">{_mark(i, n)}<span class="wk" style="{place}"><i></i><u></u></span>'
            f"<b>{words.value(mean, s.unit)}</b></div>"
        )
    return (
        f'<article class="score"><h2>{e(s.title)}{chip}</h2><p class="delta"><b>{big}</b> {words.p(s.p_value)}</p>'
        f'<div class="ci">{lines}</div><p>{e(words.explanation(s))}</p></article>'
    )


def _filters(result: EvalResult) -> str:
    """The bar that the page's script brings to life; hidden without it."""
    buttons = ["all", *(("different", "improved", "regressed") if len(result.models) > 1 else ()), "errors"]
    names = {"all": "All", "different": "Different", "improved": "Improved", "regressed": "Regressions", "errors": "Errors"}
    made = "".join(
        f'<button type="button" data-filter="{b}" aria-pressed="{str(b == "all").lower()}">{names[b]} <small></small></button>' for b in buttons
    )
    scores = "".join(f'<option value="{e(m.name)}">{e(m.title or m.name)}</option>' for m in _scored(result))
    select = f'<label>Score <select id="score">{scores}</select></label>' if len(_scored(result)) > 1 else ""
    return (
        f'<div class="bar" id="bar" hidden><div class="wb-seg" role="group" aria-label="Rows">{made}</div>'
        f'<input id="search" type="search" placeholder="Search rows" aria-label="Search rows">{select}</div>'
    )


def _scored(result: EvalResult) -> list[Measure]:
    return [m for m in result.measures if m.name != LATENCY]


def _table(result: EvalResult) -> str:
    n, measures = len(result.models), _scored(result)
    first = measures[0] if measures else None
    columns = "".join(f"<span>{_mark(i, n)} {e(m)}</span>" for i, m in enumerate(result.models))
    head = (
        f'<div class="tr h"><span class="num">Row</span><span>Input</span><span class="x">Expected</span>{columns}'
        f'<span>{e(first.title or first.name) if first else ""}</span><span class="x num">ms</span></div>'
    )
    rows = "".join(_row(r, n, measures) for r in result.rows)
    return f'<section class="table" id="rows" style="--models:{n}" aria-label="Rows">{head}{rows}<p class="none" hidden>No rows match.</p></section>'


def _row(row: EvalRow, models: int, measures: list[Measure]) -> str:
    texts = [_text(o.value) for o in row.outputs]
    runs: list[list[Run]] = [[(t, False)] for t in texts]
    if models > 1 and not row.outputs[0].error and not row.outputs[-1].error:
        runs[0], runs[-1] = differences(texts[0], texts[-1])
    shown = [_output(o, r, "ins" if i and i == models - 1 else "del") for i, (o, r) in enumerate(zip(row.outputs, runs, strict=True))]
    changes = {m.name: change(row, m, 0, models - 1) for m in measures} if models > 1 else {}
    kinds = "errors " * row.failed + "different" * (len(set(texts)) > 1 or row.failed)
    first = measures[0] if measures else None
    chips = "".join(_chip(o, first) for o in row.outputs) if first else ""
    last = row.outputs[-1].latency
    cells = "".join(f'<span class="out">{o}</span>' for o in shown)
    return (
        f'<details class="r" data-kinds="{kinds.strip()}" data-change="{e(json.dumps(changes))}"><summary class="tr">'
        f'<span class="num">{row.index}</span><span class="out">{e(_asked(row.input))}</span>'
        f'<span class="out x">{e(_text(row.expected))}</span>{cells}<span class="ab">{chips}</span>'
        f'<span class="x num">{"–" if last is None else words.number(last * 1000, 0)}</span></summary>'
        f"{_drawer(row, shown, models, measures)}</details>"
    )


def _drawer(row: EvalRow, shown: list[str], models: int, measures: list[Measure]) -> str:
    accept = "".join(f"<p>{e(_text(a))}</p>" for a in row.accept)
    expected = f"<div><h3>Expected</h3><p>{e(_text(row.expected))}</p>{accept}</div>" if row.expected is not None or accept else ""
    parts = ""
    for i, (o, html_) in enumerate(zip(row.outputs, shown, strict=True)):
        facts = [f"{m.title or m.name} {words.value(o.scores.get(m.name), m.unit)}" for m in measures if o.scores.get(m.name) is not None]
        facts += [words.seconds(o.latency)] if o.latency is not None else []
        facts += [f"first token {words.seconds(o.first_token)}"] if o.first_token is not None else []
        facts += [f"{o.usage.completion_tokens:,} tokens"] if o.usage.completion_tokens else []
        notes = "".join(f'<p class="why">{e(n)}: {e(t)}</p>' for n, t in o.notes.items())
        parts += f"<div><h3>{_mark(i, models)} {e(' · '.join(facts))}</h3><p>{html_}</p>{notes}</div>"
    return f'<div class="drawer"><div class="all"><h3>Input</h3><p>{e(_whole(row.input))}</p></div>{expected}{parts}</div>'


def _output(output: EvalOutput, runs: list[Run], tag: str) -> str:
    if output.skipped:
        return f'<em class="quiet">{e(output.error)}</em>'
    said = "".join(f"<{tag}>{e(t)}</{tag}>" if own else e(t) for t, own in runs)
    return f'<em class="bad">No answer: {e(output.error)}</em> {said}' if output.error else said


def _chip(output: EvalOutput, measure: Measure) -> str:
    if output.skipped:
        return '<span class="wb-chip">–</span>'
    if output.error:
        return '<span class="wb-chip warn">error</span>'
    score = output.scores.get(measure.name)
    if measure.unit == "%" and score in (0.0, 1.0):
        good = (score == 1.0) == measure.higher_is_better
        return f'<span class="wb-chip {"ok" if good else "err"}">{"pass" if good else "fail"}</span>'
    return f'<span class="wb-chip">{words.value(score, measure.unit)}</span>'


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _turns(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) and value and all(isinstance(t, dict) and "role" in t for t in value) else []


def _asked(value: Any) -> str:
    """What a row shows of an input: of a conversation its last turn."""
    turns = _turns(value)
    return _text(turns[-1].get("content")) if turns else _text(value)


def _whole(value: Any) -> str:
    turns = _turns(value)
    return "\n".join(f"{t['role']}: {_text(t.get('content'))}" for t in turns) if turns else _text(value)


def _facts(result: EvalResult) -> str:
    when = datetime.fromtimestamp(result.started_at, UTC).astimezone()
    lines = [("Started", f"{when:%Y-%m-%d %H:%M:%S %Z}"), ("Evaluation", result.id)]
    for model, about in (result.facts.get("models") or {}).items():
        lines += [(f"{model}: {k.replace('_', ' ')}", v) for k, v in about.items()]
    lines += [(k.replace("_", " ").capitalize(), v) for k, v in result.facts.items() if k != "models"]
    for name, usage in (("Tokens", result.usage), ("Tokens of judges", result.judge_usage)):
        lines += [(name, f"{usage.prompt_tokens:,} in, {usage.completion_tokens:,} out")] if usage.total_tokens else []
    said = "".join(f"<dt>{e(str(k))}</dt><dd>{e(_text(v))}</dd>" for k, v in lines)
    note = (
        "Intervals are 95%: Wilson for shares, Student's t for other means, order statistics for medians. Differences are tested row by row: "
        "McNemar's exact test for pass and fail, a paired t test for other scores, a permutation test for medians and for BLEU, whose "
        "interval is the bootstrap's."
    )
    return (
        f'<section class="wb-card about"><h2>About this run</h2><dl>{said}</dl><p>{note} A row without an answer counts as not right.</p></section>'
    )
