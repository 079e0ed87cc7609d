"""A result as text: a table for terminals and logs, and Markdown. Knows no colours and no HTML."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import words

if TYPE_CHECKING:
    from .result import EvalResult


def cells(result: EvalResult) -> tuple[list[str], list[list[str]]]:
    """Head and lines of the summary table: one line a scorer, one column a model, then difference, p and verdict."""
    several = len(result.models) > 1
    head = ["score", *result.models, *(("difference", "95% CI", "p", "verdict") if several else ("95% CI",))]
    lines = []
    for s in result.summary():
        line = [s.title, *(words.value(m, s.unit) for m in s.means)]
        if several:
            ends = s.difference_interval
            line += [words.difference(s.difference, s.unit), words.interval(*ends, s.unit, signed=True) if ends else "–"]
            line += ["–" if s.p_value is None else words.p(s.p_value).removeprefix("p = ").removeprefix("p "), s.verdict or "–"]
        else:
            one = s.intervals[0]
            line += [words.interval(*one, s.unit) if one else "–"]
        lines.append(line)
    return head, lines


def title(result: EvalResult) -> str:
    """One line: name, rows, time, state."""
    parts = [result.name, words.facts(result.done, result.total, result.errors), words.seconds(result.elapsed)]
    return " · ".join(parts if result.state == "finished" else [*parts, result.state])


def line(result: EvalResult) -> str:
    """One line: the title and what the first score came to."""
    scores = [s for s in result.summary() if s.scorer in result.scorers][:1]
    said = [f"{s.title} {words.value(s.means[s.candidate], s.unit)}" for s in scores]
    return " · ".join([title(result), *said])


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(_width(row[i]) for row in (head, *lines)) for i in range(len(head))]

    def joined(row: Sequence[str]) -> str:
        padded = [" " * (w - _width(c)) + c if i else c + " " * (w - _width(c)) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return "  ".join(padded).rstrip()

    return [joined(head), "  ".join("─" * w for w in widths), *(joined(row) for row in lines)]


def plain(result: EvalResult) -> str:
    """The summary for a terminal: a title line, the table, and what would settle what is not settled."""
    head, lines = cells(result)
    notes = [f"{s.title}: {words.explanation(s)}" for s in result.summary() if s.verdict == "inconclusive"]
    return "\n".join([title(result), *_table(head, lines), *notes])


def markdown(result: EvalResult) -> str:
    """The summary as a Markdown table under a bold title."""
    head, lines = cells(result)

    def joined(row: Sequence[str]) -> str:
        return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in row) + " |"

    rule = "| --- |" + " ---: |" * (len(head) - 1)
    return "\n".join([f"**{title(result)}**", "", joined(head), rule, *(joined(row) for row in lines)])
