"""How fast a model may be asked: a number of calls at a time that shrinks when the model says "too many" and grows back slowly.

Knows no models. Additive increase, multiplicative decrease, as TCP does it (Chiu and Jain 1989), one halving for all calls that
were under way together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from ..errors import QuotaExhausted, RateLimited
from ..runtime.network import refusals

T = TypeVar("T")
ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


class Pace:
    """Lets at most ``limit`` calls run at a time, and repeats those that were refused for being too many.

    Parameters
    ----------
    ceiling : int
        The most calls at a time.
    """

    def __init__(self, ceiling: int) -> None:
        self.ceiling = self.limit = ceiling
        self._active = self._successes = self._halvings = 0
        self._free = asyncio.Condition()
        self._open_at = 0.0

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """The call's result; `RateLimited` only after the last attempt."""
        for attempt in range(1, ATTEMPTS + 1):
            seen = await self._enter()
            told = refusals.heard.set(partial(self._slow_down, seen))  # the exchange itself waits and asks again
            try:
                result = await call()
            except RateLimited as e:
                self._slow_down(seen, e, attempt - 1)
                if attempt == ATTEMPTS or isinstance(e, QuotaExhausted):
                    raise
            else:
                self._speed_up()
                return result
            finally:
                refusals.heard.reset(told)
                await self._leave()
        raise AssertionError("unreachable")

    async def _enter(self) -> int:
        async with self._free:
            await self._free.wait_for(lambda: self._active < self.limit)
            self._active += 1
        try:
            while (wait := self._open_at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
        except BaseException:
            await self._leave()
            raise
        return self._halvings

    async def _leave(self) -> None:
        self._active -= 1
        async with self._free:
            self._free.notify_all()

    def _slow_down(self, seen: int, error: RateLimited, doublings: int = 0) -> None:
        wait = error.retry_after if error.retry_after is not None else FIRST_WAIT * 2**doublings
        self._open_at = max(self._open_at, time.monotonic() + min(wait, LONGEST_WAIT))
        if seen == self._halvings:  # else another call of the same burst has halved already
            self._halvings += 1
            self._successes = 0
            self.limit = max(1, self.limit // 2)

    def _speed_up(self) -> None:
        self._successes += 1
        if self._successes >= self.limit and self.limit < self.ceiling:
            self.limit, self._successes = self.limit + 1, 0
