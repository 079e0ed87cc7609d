"""The trials of a grid as a table, best first: text, HTML, pandas. Knows rows, not how they come about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ...errors import ArgumentError, NotStarted
from ...evals.words import seconds
from ...runtime.work.front_end import cell
from .trial_rows import TrialRow

if TYPE_CHECKING:
    import pandas as pd

    from ..base import ModuleBase

_CELL = "padding:4px 8px;text-align:left;vertical-align:top;white-space:nowrap;border-bottom:1px solid var(--jp-border-color2,#e0e0e0)"
_COLOURS = {"finished": "--jp-success-color1", "failed": "--jp-error-color1", "interrupted": "--jp-warn-color1", "waiting": "--jp-ui-font-color3"}
_LESS = ("loss", "latency", "perplexity", "error")


class TrialTable:
    """What a grid of trials came to; live while it runs.

    Attributes
    ----------
    name : str
        Of the grid.
    rows : list of TrialRow
        Best first; then those that have no value yet, in the order of the grid.
    by : str
        The score or metric by which the best one is told; empty while nothing was measured.
    """

    def __init__(self, name: str, rows: Sequence[TrialRow], best_by: str, module_of: Callable[[str], ModuleBase]) -> None:
        self.name = name
        self._rows = {row.key: row for row in rows}
        self._best_by = best_by
        self._module_of = module_of
        self.evals: dict[str, Any] = {}
        self.shown_in: int | None = None  # the notebook's cell whose output has it already

    # ---- what is there

    @property
    def rows(self) -> list[TrialRow]:
        """See the class."""
        by = self.by
        rows = sorted(self._rows.values(), key=lambda r: r.number)
        return sorted(rows, key=lambda r: self._worth(r, by), reverse=True)  # equal ones stay in the grid's order

    @property
    def by(self) -> str:
        """The score or metric that orders: the one that was asked for, else the first score, ``eval_loss``, ``loss``."""
        if self._best_by:
            return self._best_by.lstrip("-")
        rows = list(self._rows.values())
        first = next((name for row in rows for name in row.scores if not name.endswith("latency")), "")
        measured = [name for row in rows for name in row.measured]
        return first or next((name for end in ("eval_loss", "loss") for name in measured if name.endswith(end)), "")

    @property
    def best_row(self) -> TrialRow:
        """The best finished trial.

        Raises
        ------
        NotStarted
            When none has finished with a value.
        ArgumentError
            When no trial has the value that was asked for.
        """
        rows = [row for row in self.rows if row.state == "finished"]
        by = self.by
        measured = [row for row in rows if by in row.measured]
        if measured:
            return measured[0]
        known = sorted({name for row in rows for name in row.measured})
        if self._best_by and known:
            raise ArgumentError(f"No trial has {by!r}.", f"They have: {', '.join(known)}.", f"Write best_by={known[0]!r}.")
        if len(rows) == 1:
            return rows[0]
        what = "No trial has finished yet." if not rows else "The trials have nothing by which one is better."
        raise NotStarted(what, "", "Call update(); give the module rows with evalset(rows) to have scores.")

    @property
    def best(self) -> ModuleBase:
        """The module with the best values, ready for ``start()``."""
        return self._module_of(self.best_row.key)

    def row(self, key: str) -> TrialRow:
        """The row with that key."""
        return self._rows[key]

    def module(self, number: int) -> ModuleBase:
        """The module of the trial with that number, ready for ``start()``."""
        for row in self._rows.values():
            if row.number == number:
                return self._module_of(row.key)
        raise ArgumentError(f"There is no trial {number}.", f"There are trials 1 to {len(self._rows)}.")

    @property
    def eval_results(self) -> list[Any]:
        """What each trial's module has as its ``eval_result``, in the order of the grid; None where this process did not evaluate."""
        return [self.evals.get(row.key) for row in sorted(self._rows.values(), key=lambda r: r.number)]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[TrialRow]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> TrialRow:
        return self.rows[index]

    def replace(self, row: TrialRow) -> None:
        """Put a row in the place of the one with its key."""
        self._rows[row.key] = row

    def _worth(self, row: TrialRow, by: str) -> tuple[int, float]:
        value = row.measured.get(by)
        if value is None or value != value:
            return (0, 0.0)
        less = self._best_by.startswith("-") or by in row.smaller or by.rpartition(".")[2].removeprefix("eval_").endswith(_LESS)
        return (2 if row.state == "finished" else 1, -value if less else value)

    # ---- looks

    def _columns(self) -> tuple[list[str], list[str]]:
        rows = self._rows.values()
        options = list(dict.fromkeys(name for row in rows for name in row.options))
        measured = list(dict.fromkeys([*(n for row in rows for n in row.scores), *(n for row in rows for n in row.metrics)]))
        return options, measured

    def to_pandas(self) -> pd.DataFrame:
        """One line a trial, best first.

        Returns
        -------
        DataFrame
            Columns trial, one an option, one a score and metric, state, seconds, job, target, error.
        """
        import pandas as pd

        options, measured = self._columns()
        lines = [
            [r.number, *map(r.options.get, options), *map(r.measured.get, measured), r.state, r.seconds, ", ".join(r.jobs), r.target, r.error]
            for r in self.rows
        ]
        return pd.DataFrame(lines, columns=["trial", *options, *measured, "state", "seconds", "job", "target", "error"])

    def summary(self) -> str:
        """One line: how many trials there are and how they stand."""
        states = [row.state for row in self._rows.values()]
        counts = [(states.count("finished"), "finished"), (states.count("failed"), "failed"), (states.count("interrupted"), "interrupted")]
        said = [f"{n} {word}" for n, word in counts if n or word == "finished"]
        return f"{self.name}: {len(states)} trial{'s' * (len(states) != 1)} · {', '.join(said)}" + (f" · best by {self.by}" if self.by else "")

    def _best_key(self) -> str:
        done = [row for row in self.rows if row.state == "finished" and self.by in row.measured]
        return done[0].key if len(done) > 1 else ""

    def _cells(self, row: TrialRow) -> list[str]:
        options, measured = self._columns()
        values = [_text(row.options.get(o)) for o in options]
        numbers = [_number(row.measured.get(m), m) for m in measured]
        return [str(row.number), *values, *numbers, "" if row.seconds is None else seconds(row.seconds), row.jobs[0] if row.jobs else ""]

    def _heads(self) -> list[str]:
        options, measured = self._columns()
        return ["trial", *options, *measured, "time", "job"]

    def __repr__(self) -> str:
        heads, rows, best = [*self._heads(), "state"], self.rows, self._best_key()
        lines = [heads, *([*self._cells(r), " ".join(filter(None, [_state(r), "← best" if r.key == best else ""]))] for r in rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
        table = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        return "\n".join([self.summary(), *table])

    def _ipython_display_(self) -> None:
        number = cell()
        if number is None or self.shown_in != number:
            raise NotImplementedError  # IPython then asks for HTML and text

    def _repr_html_(self) -> str:
        options, measured = self._columns()
        best = self._best_key()
        right = {1 + len(options) + i for i in range(len(measured) + 1)}
        style = [_CELL + (";text-align:right" if i in right else "") for i in range(len(self._heads()) + 1)]
        head = "".join(
            f'<th scope="col" style="{s};font-weight:500">{escape(h)}</th>'
            for s, h in zip(style, ["Trial", *options, *measured, "Time", "Job", "State"], strict=True)
        )
        body = "".join(self._html_row(row, style, row.key == best) for row in self.rows)
        return (
            '<div style="overflow-x:auto;color:var(--jp-ui-font-color1);font-family:var(--jp-ui-font-family);font-size:var(--jp-ui-font-size1,13px)">'
            f'<p style="margin:0 0 8px">{escape(self.summary())}</p>'
            '<table style="border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _html_row(self, row: TrialRow, style: Sequence[str], best: bool) -> str:
        cells = [escape(c) for c in self._cells(row)]
        if row.jobs:
            cells[-1] = f"<code>{cells[-1]}</code>"
        dot = f'<span style="color:var({_COLOURS.get(row.state, "--jp-brand-color1")})">●</span>'
        why = f'<div style="white-space:normal;max-width:420px;color:var(--jp-ui-font-color2)">{escape(row.error)}</div>' if row.error else ""
        cells.append(f"{dot} {escape(_state(row, error=False))}{' <b>best</b>' if best else ''}{why}")
        back = ' style="background:var(--jp-layout-color2)"' if best else ""
        return f"<tr{back}>" + "".join(f'<td style="{s}">{c}</td>' for s, c in zip(style, cells, strict=True)) + "</tr>"


def _state(row: TrialRow, *, error: bool = True) -> str:
    more = row.progress or (row.error[:80] if error else "")
    return f"{row.state} · {more}" if more else row.state


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | None, name: str) -> str:
    if value is None:
        return "–"
    return seconds(value) if name.endswith("latency") else f"{value:.4g}"
