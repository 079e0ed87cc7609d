"""How busy a deployment was over the last minutes, as small lines of equal steps. Reads what its engine reported; draws nothing.

An engine reports only what changes, so between two rows the first one holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.jobs import JobRecord, MetricRow
from ..store import Store

WINDOW = 300.0  # seconds
POINTS = 60
_STEP = WINDOW / POINTS
_RECENT = 10.0  # seconds over which the rate that is shown as a number is taken


class LoadLines:
    """Follows one deployment after the other."""

    def __init__(self) -> None:
        self._job, self._seq = "", 0
        self._rows: deque[MetricRow] = deque()

    def read(self, store: Store, record: JobRecord, now: float) -> dict[str, Any] | None:
        """What it does now, and the lines; None where its engine tells nothing.

        Parameters
        ----------
        now : float
            Seconds since the epoch.

        Returns
        -------
        dict or None
            ``running``, ``waiting``, ``cache`` (0 to 1), ``speed`` (tokens a second), ``requests`` (since the start) and ``rate`` (requests a
            second), each None where it is not told; and ``lines``, the same by name, oldest first, ``POINTS`` values in ``WINDOW`` seconds.
        """
        if record.id != self._job:
            self._job, self._seq = record.id, 0
            self._rows.clear()
        for row in store.metrics_since(record.id, self._seq):
            self._seq = row.seq
            self._rows.append(row)
        while len(self._rows) > 1 and self._rows[1].time < now - WINDOW:  # the last one before the window holds at its beginning
            self._rows.popleft()
        return of_rows(list(self._rows), now) if self._rows else None


def of_rows(rows: Sequence[MetricRow], now: float) -> dict[str, Any]:
    """The load that some rows tell, oldest first."""
    last: Mapping[str, float] = rows[-1].values
    lines = {
        "running": held(rows, "running", now),
        "cache": held(rows, "cache_usage", now),
        "speed": held(rows, "tokens_per_second", now),
        "rate": rates(rows, now),
    }
    return {
        "running": last.get("running"),
        "waiting": last.get("waiting"),
        "cache": last.get("cache_usage"),
        "speed": last.get("tokens_per_second"),
        "requests": last.get("requests"),
        "rate": _grown(rows, now - _RECENT, now) / _RECENT if "requests" in last else None,
        "lines": {name: line for name, line in lines.items() if line},
    }


def held(rows: Sequence[MetricRow], name: str, now: float) -> list[float]:
    """A measure at the end of each step, from its first row on; within a step the largest counts, so that no peak is lost."""
    told = [(row.time, row.values[name]) for row in rows if name in row.values]
    if not told:
        return []
    times, out = [at for at, _ in told], []
    for i in range(POINTS):
        end = now - WINDOW + (i + 1) * _STEP
        first, after = bisect_right(times, end - _STEP), bisect_right(times, end)
        if after:
            inside = [value for _, value in told[first:after]]
            out.append(max([*inside, told[first - 1][1]] if first and not inside else inside))
    return out


def rates(rows: Sequence[MetricRow], now: float) -> list[float]:
    """Requests a second in each step."""
    if not any("requests" in row.values for row in rows):
        return []
    begun = next(row.time for row in rows if "requests" in row.values)
    ends = [now - WINDOW + (i + 1) * _STEP for i in range(POINTS)]
    return [_grown(rows, end - _STEP, end) / _STEP for end in ends if end >= begun]


def _grown(rows: Sequence[MetricRow], since: float, until: float) -> float:
    """How many requests came in a stretch of time. A count that fell belongs to an engine that was started again."""
    grown, before = 0.0, None
    for row in rows:
        count = row.values.get("requests")
        if count is None or row.time > until:
            continue
        if row.time > since and before is not None:
            grown += count - before if count >= before else count
        before = count
    return grown
