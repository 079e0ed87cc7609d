"""Turns: how many requests to one source run at once and begin within a minute, over all of this process.

Limits stand in each endpoint; the count is kept per source and address, so that two modules of one vendor share it.
Lives on the background loop. Does not know what a request is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...core.endpoints import Endpoint

MINUTE = 60.0
_counts: dict[tuple[asyncio.AbstractEventLoop, str, str], _Count] = {}


class _Count:
    """Requests of one source: those that run, those that began within the last minute, those that wait."""

    def __init__(self) -> None:
        self.running = 0
        self.began: deque[float] = deque()
        self.waiting: deque[asyncio.Future[None]] = deque()

    def wait_for(self, per_minute: int | None, at_once: int | None, now: float) -> float | None:
        """Seconds until there is room, None when that depends on another request's end, 0 when there is."""
        if at_once is not None and self.running >= max(at_once, 1):
            return None
        while self.began and now - self.began[0] >= MINUTE:
            self.began.popleft()
        if per_minute is not None and len(self.began) >= max(per_minute, 1):
            return self.began[len(self.began) - max(per_minute, 1)] + MINUTE - now
        return 0.0


@asynccontextmanager
async def turn(endpoint: Endpoint) -> AsyncIterator[None]:
    """Wait for room, in the order of asking; the block is the request."""
    per_minute, at_once = endpoint.network.requests_per_minute, endpoint.network.concurrency
    if per_minute is None and at_once is None:
        yield
        return
    running_loop = asyncio.get_running_loop()
    count = _counts.setdefault((running_loop, endpoint.source, endpoint.url), _Count())
    mine = running_loop.create_future()
    count.waiting.append(mine)
    try:
        if count.waiting[0] is not mine:
            await mine  # until those who asked before have begun
        while (pause := count.wait_for(per_minute, at_once, running_loop.time())) != 0.0:
            mine = _again(count, running_loop)
            await asyncio.wait([mine], timeout=pause)
    finally:
        count.waiting.remove(mine)
        _wake(count)
    count.running += 1
    count.began.append(running_loop.time())
    try:
        yield
    finally:
        count.running -= 1
        _wake(count)


def _again(count: _Count, running_loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """The first in the line stays the first, and can be woken once more."""
    count.waiting[0] = running_loop.create_future()
    return count.waiting[0]


def _wake(count: _Count) -> None:
    if count.waiting and not count.waiting[0].done():
        count.waiting[0].set_result(None)
