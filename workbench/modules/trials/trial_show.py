"""A grid's table while it fills: in a notebook as HTML that changes in place, elsewhere as a line. Knows rows by their table only."""

from __future__ import annotations

import time
from typing import Any

from ...runtime.work.front_end import StatusLine, cell, display, front_end
from .trial_table import TrialTable

_LEAST = 0.5  # seconds between two drawings


class Shown:
    """Shows a table until it is told the end.

    Parameters
    ----------
    table : TrialTable
    """

    def __init__(self, table: TrialTable) -> None:
        self._table = table
        self._handle: Any = None
        self._line: StatusLine | None = None
        self._drawn: tuple[Any, ...] = ()
        self._at = 0.0
        if front_end() == "notebook":
            self._handle = display(self._bundle(), raw=True, display_id=True)
            table.shown_in = cell()
        else:
            self._line = StatusLine()

    def draw(self) -> None:
        """Draw what has changed, not more often than an eye needs."""
        if time.monotonic() - self._at < _LEAST:
            return
        self._at = time.monotonic()
        if self._line is not None:
            at_work = [row for row in self._table if not row.over and row.state != "waiting"]
            doing = [f"trial {row.number} {row.state}" + (f" · {row.progress}" if row.progress else "") for row in at_work]
            self._line.show(" · ".join([self._table.summary(), *doing]))
            return
        now = tuple(self._table)
        if now != self._drawn:
            self._drawn = now
            self._handle.update(self._bundle(), raw=True)

    def end(self) -> None:
        """The last word."""
        if self._line is not None:
            self._line.end(self._table.summary())
        else:
            self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        return {"text/plain": repr(self._table), "text/html": self._table._repr_html_()}
