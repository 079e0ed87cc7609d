"""How long one request may take. Cancels its task; what that means is the client's business."""

from __future__ import annotations

import asyncio

from ...core.endpoints import Timeouts


class Deadline:
    """Cancels the task it was made in when an answer takes longer than allowed; ``expired`` then names the limit.

    One timer, re-armed when it fires and not per chunk, so that a beat costs nothing.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts, self.heard, self.expired = timeouts, False, ""
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._began = self._last = self._loop.time()
        self._resting = True
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The request is sent now; the total goes on over attempts."""
        self.stop()
        self._last, self.heard, self._resting = self._loop.time(), False, False
        self._check()

    def rest(self) -> None:
        """Nothing is under way: a turn is waited for, or the next attempt. Only the total goes on."""
        self.stop()
        self._resting = True
        self._check()

    def beat(self) -> None:
        """Something came."""
        self._last, self.heard = self._loop.time(), True

    def stop(self) -> None:
        """Nothing is waited for."""
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        t, now = self.timeouts, self._loop.time()
        limit, name = (t.gap, "gap") if self.heard else (t.first_byte, "first_byte")
        if self._resting:
            limit = None
        ends = [(start + s, n) for start, s, n in ((self._last, limit, name), (self._began, t.total, "total")) if s is not None]
        if not ends:
            self._timer = self._loop.call_later(1.0, self._check)
            return
        end, which = min(ends)
        if now >= end and self._task is not None:
            self.expired = which
            self._task.cancel()
        else:  # a gap is shorter than the wait for the first byte, so look again in time for it
            self._timer = self._loop.call_at(min(end, now + (t.gap or 1.0)), self._check)
