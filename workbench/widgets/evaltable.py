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
from ..evals.result import EvalResult
from . import static
from .base import Reply, Widget
from .eval_rows import Index, Query, short, text, whole
from .messages import say

if TYPE_CHECKING:
    from pandas import DataFrame

_ROWS, _CLIP = 20, 300  # what the static form holds of them
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
        self._index = Index([], {})
        self._forget: Callable[[], None] | None = None
        super().__init__(**unknown)
        self._refresh()
        if result.state == "running":
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
            with self._lock:
                self._refresh()
                head = self._head
            self.news({"head": head})
            if head["state"] != "running":
                break
            self._closing.wait(max(_LEAST, (time.monotonic() - began) / _SHARE))
        if self._forget is not None:
            self._forget()
        if not self._closing.is_set():
            self._renew()

    def _refresh(self) -> None:
        """Look at the result anew."""
        result = self._result
        state = result.state  # before the rows: what has ended has all of them
        rows = result.rows
        self._revision += 1
        self._index = Index(rows, {m.name: m for m in result.measures})
        many = len(result.models) > 1
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
            "summary": [asdict(s) for s in result.summary(baseline=0, candidate=self._candidate if many else None)] if rows else [],
        }

    def close(self) -> None:
        super().close()
        if (forget := self.__dict__.get("_forget")) is not None:
            forget()

    # ---- what a page asks for

    def _snapshot(self) -> Mapping[str, Any]:
        return {"head": self._head}

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
        self._refresh()
        self.news({"head": self._head})

    # ---- data and static forms

    def to_pandas(self) -> DataFrame:
        """Everything, one line a row and model; see `EvalResult.to_pandas`."""
        return self._result.to_pandas()

    def _static_html(self) -> str:
        from ..evals.report import fragment

        result = self._result
        rows = [
            [
                str(row.index),
                *(
                    static.escape(text(v)[:_CLIP])
                    for v in (row.input, row.expected, *(o.value if o.value is not None else o.error for o in row.outputs))
                ),
            ]
            for row in self._index.rows[:_ROWS]
        ]
        names = [static.escape(m) for m in result.models] if len(result.models) > 1 else [say("Output")]
        more = len(self._index.rows) - len(rows)
        rest = f"<div>{say('and {rows} more rows', rows=f'{more:,}')}</div>" if more else ""
        return fragment(result) + static.table([say("Row"), say("Input"), say("Expected"), *names], rows) + rest

    def __repr__(self) -> str:
        return str(self._result) if self._result.state != "running" else repr(self._result)
