"""The evaluation table: scores with their intervals and verdicts, and every row to look into, live while it fills. The rows
stay in the kernel; a page asks for the piece that it shows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ..evals import words
from ..evals.result import EvalResult, EvalRow, ScoreSummary
from . import static
from .base import Reply, Widget
from .eval_rows import Index, Query, short, text, whole
from .messages import say

if TYPE_CHECKING:
    from pandas import DataFrame

_ROWS, _CLIP = 20, 300  # what the static form holds of them
_AT_ONCE = 2000  # rows whose scores are there within moments
_LEAST = 0.1  # seconds between two summaries
_SHARE = 0.2  # of one thread's time that summaries may take while rows come


class EvalTable(Widget):
    """A live table of an evaluation.

    Parameters
    ----------
    result : EvalResult
        What to show; it may still be running.
    """

    bundle_name = "evaltable"

    def __init__(self, result: EvalResult, **unknown: Any) -> None:
        if not unknown and not isinstance(result, EvalResult):
            raise ArgumentError(f"A {type(result).__name__} cannot be shown as an evaluation.", "", "Give what evaluate() or compare() returned.")
        self._result = result
        self._changed = threading.Event()
        self._candidate = len(result.models) - 1 if not unknown else 0
        self._revision = 0
        self._head: dict[str, Any] = {}
        self._scores: list[ScoreSummary] = []
        self._index = Index([], {})
        self._forget: Callable[[], None] | None = None
        if not unknown:
            self._refresh(summary=len(result) <= _AT_ONCE)
        super().__init__(**unknown)
        if result.state == "running" or not self._head["summary"]:
            self._forget = result.on_change(self._changed.set)
            self._changed.set()  # it may have ended between the two lines above
            threading.Thread(target=self._loop, name=f"evaltable-{result.id}", daemon=True).start()

    @property
    def result(self) -> EvalResult:
        """What is shown."""
        return self._result

    # ---- following

    def _loop(self) -> None:
        while not self._closing.is_set():
            if not self._changed.wait(0.5):
                continue
            self._changed.clear()
            began = time.monotonic()
            complete = self._result.state != "running"
            summary = self._summary()  # may take seconds: the page is answered meanwhile
            with self._lock:
                self._refresh(summary)
                head = self._head
            self.news({"head": head})
            if complete:
                break
            if head["state"] != "running":
                self._changed.set()  # it ended while the scores were computed: they lack the last rows
                continue
            self._closing.wait(max(_LEAST, (time.monotonic() - began) / _SHARE))
        if self._forget is not None:
            self._forget()
        if not self._closing.is_set():
            self._renew()

    def _summary(self) -> list[ScoreSummary]:
        result = self._result
        return result.summary(baseline=0, candidate=self._candidate if len(result.models) > 1 else None) if len(result) else []

    def _refresh(self, summary: list[ScoreSummary] | bool) -> None:
        """Look at the result anew, with these scores; True computes them, False does without."""
        result = self._result
        state = result.state  # before the rows: what has ended has all of them
        rows = result.rows
        self._revision += 1
        self._index = Index(rows, {m.name: m for m in result.measures})
        self._scores = (self._summary() if summary else []) if isinstance(summary, bool) else summary
        self._head = {
            "rev": self._revision,
            "id": result.id,
            "name": result.name,
            "state": state,
            "models": list(result.models),
            "baseline": 0,
            "candidate": self._candidate,
            "total": result.total,
            "done": sum(not r.skipped for r in rows),
            "errors": sum(r.failed for r in rows),
            "elapsed": result.elapsed,
            "eta": result.eta if state == "running" else None,
            "scores": [{"name": m.name, "title": m.title or m.name, "unit": m.unit} for m in result.measures if m.name in result.scorers],
            "summary": [asdict(s) for s in self._scores],
        }

    def close(self) -> None:
        super().close()
        if (forget := self.__dict__.get("_forget")) is not None:
            forget()

    # ---- what a page asks for

    def _snapshot(self) -> Mapping[str, Any]:
        return {"head": self._head or None}

    def _methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"rows": self._rows, "row": self._row, "csv": self._csv, "stop": self._result.stop, "pair": self._pair}

    def _rows(self, start: int, stop: int, **query: Any) -> dict[str, Any]:
        asked = Query(**query, baseline=0, candidate=self._candidate)
        order = self._index.order(asked)
        rows = [short(self._index.rows[i]) for i in order[start:stop]]
        return {"rev": self._revision, "total": len(order), "counts": self._index.counts(asked), "rows": rows}

    def _row(self, index: int) -> dict[str, Any]:
        found = next((row for row in self._index.rows if row.index == index), None)
        if found is None:
            raise ArgumentError(f"There is no row {index}.")
        return whole(found)

    def _csv(self) -> Reply:
        return Reply({"name": f"{self._result.name}.csv"}, self.to_pandas().to_csv(index=False).encode())

    def _pair(self, candidate: int) -> None:
        """Compare another model with the first."""
        if not 0 < candidate < len(self._result.models):
            raise ArgumentError(f"There is no model {candidate}.")
        self._candidate = candidate
        self._refresh(summary=True)
        self.news({"head": self._head})

    # ---- data and static forms

    def to_pandas(self) -> DataFrame:
        """Everything, one line a row and model; see `EvalResult.to_pandas`."""
        return self._result.to_pandas()

    def _static_html(self) -> str:
        result = self._result
        rows = [[str(row.index), *(static.escape(text(v)[:_CLIP]) for v in _said(row))] for row in self._index.rows[:_ROWS]]
        many = len(result.models) > 1
        names = list(result.models) if many else [say("Output")]
        scores = [
            [
                static.escape(s.title),
                *(static.escape(words.value(mean, s.unit)) for mean in s.means),
                *([words.difference(s.difference, s.unit), words.p(s.p_value), say(s.verdict or "–")] if many else []),
            ]
            for s in self._scores
        ]
        facts = [say("{rows} rows", rows=f"{self._head['done']:,}"), say("{errors} errors", errors=f"{self._head['errors']:,}")]
        state = {"running": ("Evaluating", "run"), "finished": ("Finished", "ok"), "cancelled": ("Stopped", "idle")}[self._head["state"]]
        more = len(self._index.rows) - len(rows)
        return static.card(
            result.name,
            say(state[0]),
            state[1],
            facts,
            static.table([say("Score"), *names, *(["B − A", "", ""] if many else [])], scores) if scores else "",
            static.table([say("Row"), say("Input"), say("Expected"), *names], rows) if rows else "",
            f"<div>{say('and {rows} more rows', rows=f'{more:,}')}</div>" if more else "",
        )

    def __repr__(self) -> str:
        return str(self._result) if self._result.state != "running" else repr(self._result)


def _said(row: EvalRow) -> list[Any]:
    """A row's texts: input, expected, and what each model answered or why not."""
    return [row.input, row.expected, *(o.error or o.value for o in row.outputs)]
