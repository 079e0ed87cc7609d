"""Rows of an evaluation as a page asks for them: filtered, searched, sorted, in pieces. Knows no widget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..evals.summary import change, value_of
from ..evals.values import LATENCY, EvalOutput, EvalRow, Measure

Filter = Literal["all", "different", "regressions", "improved", "wrong", "errors"]
_CLIP = 400


@dataclass(frozen=True, slots=True)
class Query:
    """What a page wants to see. ``sort`` is ``row``, ``input``, ``score`` or ``latency``."""

    filter: str = "all"
    score: str = ""
    search: str = ""
    sort: str = "row"
    descending: bool = False
    baseline: int = 0
    candidate: int = 0


class Index:
    """The rows of one moment and the order in which a page sees them; the last order is kept."""

    def __init__(self, rows: Sequence[EvalRow], measures: Mapping[str, Measure]) -> None:
        self.rows = rows
        self._measures = measures
        self._query: Query | None = None
        self._order: list[int] = []
        self._counts: dict[tuple[str, int, int], dict[str, int]] = {}

    def order(self, query: Query) -> list[int]:
        """Positions in ``rows``, as the query wants them."""
        if query != self._query:
            found = [i for i, row in enumerate(self.rows) if self._fits(row, query)]
            if query.sort != "row" or query.descending:
                found.sort(key=lambda i: self._key(self.rows[i], query), reverse=query.descending)
            self._query, self._order = query, found
        return self._order

    def counts(self, query: Query) -> dict[str, int]:
        """How many rows each filter has, for the query's score."""
        key = (query.score, query.baseline, query.candidate)
        if key not in self._counts:
            names: tuple[Filter, ...] = ("all", "different", "regressions", "improved", "wrong", "errors")
            self._counts[key] = {name: sum(self._belongs(row, name, query) for row in self.rows) for name in names}
        return self._counts[key]

    def _fits(self, row: EvalRow, query: Query) -> bool:
        if not self._belongs(row, query.filter, query):
            return False
        if not query.search:
            return True
        wanted = query.search.casefold()
        texts = [text(row.input), text(row.expected), *(text(o.value) or o.error for o in row.outputs)]
        return any(wanted in t.casefold() for t in texts)

    def _belongs(self, row: EvalRow, name: str, query: Query) -> bool:
        if name == "errors":
            return row.failed
        if name == "different":
            return different(row, query.baseline, query.candidate)
        measure = self._measures.get(query.score)
        if name in ("regressions", "improved"):
            return measure is not None and change(row, measure, query.baseline, query.candidate) == (1 if name == "improved" else -1)
        if name == "wrong":
            value = self._value(row, query)
            return measure is not None and measure.unit == "%" and value is not None and (value < 1 if measure.higher_is_better else value > 0)
        return True

    def _value(self, row: EvalRow, query: Query) -> float | None:
        measure = self._measures.get(query.score)
        if measure is None or query.candidate >= len(row.outputs):
            return None
        return value_of(row.outputs[query.candidate], measure)

    def _key(self, row: EvalRow, query: Query) -> tuple[bool, Any]:
        """Rows without a value stand last, whichever way it is sorted."""
        if query.sort == "input":
            return False, text(row.input).casefold()
        if query.sort == "score":
            value = self._value(row, query)
        elif query.sort == "latency":
            value = row.outputs[query.candidate].latency if query.candidate < len(row.outputs) else None
        else:
            return False, row.index
        return (value is None) != query.descending, value or 0.0


def different(row: EvalRow, baseline: int, candidate: int) -> bool:
    """Whether two models gave different answers."""
    if baseline == candidate or max(baseline, candidate) >= len(row.outputs):
        return False
    a, b = row.outputs[baseline], row.outputs[candidate]
    return (text(a.value), bool(a.error)) != (text(b.value), bool(b.error))


def short(row: EvalRow) -> dict[str, Any]:
    """A row for the table: its texts clipped."""
    return _row(row, _CLIP)


def whole(row: EvalRow) -> dict[str, Any]:
    """A row for its drawer: everything."""
    return {**_row(row, None), "accept": [text(a) for a in row.accept]}


def _row(row: EvalRow, clip: int | None) -> dict[str, Any]:
    return {
        "index": row.index,
        "input": text(row.input)[:clip],
        "expected": None if row.expected is None else text(row.expected)[:clip],
        "outputs": [_output(o, clip) for o in row.outputs],
    }


def _output(output: EvalOutput, clip: int | None) -> dict[str, Any]:
    return {
        "value": text(output.value)[:clip],
        "error": output.error[:clip],
        "skipped": output.skipped,
        "latency": output.latency,
        "first_token": output.first_token,
        "tokens": output.usage.total_tokens,
        "scores": {k: v for k, v in output.scores.items() if k != LATENCY},
        "notes": dict(output.notes) if clip is None else {},
    }


def text(value: Any) -> str:
    """A value as people read it: text as it is, a conversation by its turns, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and value and all(isinstance(t, Mapping) and "role" in t for t in value):
        said = [t for t in value if t["role"] != "system"]
        return str(said[0].get("content", "")) if len(said) == 1 else "\n".join(f"{t['role']}: {t.get('content', '')}" for t in said)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)
