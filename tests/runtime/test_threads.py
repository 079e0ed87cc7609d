"""Threads for awaited plain calls: as many as are asked for, kept for the next one, with the caller's context."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from workbench.runtime import threads


def test_awaited_calls_that_wait_for_each_other_all_get_a_thread() -> None:
    meet = threading.Barrier(50)

    async def all_of_them() -> Any:
        return await asyncio.gather(*(threads.in_thread(meet.wait, 10) for _ in range(50)))

    assert sorted(asyncio.run(all_of_them())) == list(range(50))


def test_a_thread_is_kept_for_the_next_one() -> None:
    async def twice() -> tuple[int, int]:
        first = await threads.in_thread(threading.get_ident)
        while not threads._idle:
            await asyncio.sleep(0.001)
        return first, await threads.in_thread(threading.get_ident)

    threads._idle.clear()
    first, second = asyncio.run(twice())
    assert first == second


def test_context_is_carried_and_errors_come_back() -> None:
    name = contextvars.ContextVar("name", default="")
    name.set("the caller's")
    assert asyncio.run(threads.in_thread(name.get)) == "the caller's"
    with pytest.raises(ZeroDivisionError):
        asyncio.run(threads.in_thread(lambda: 1 / 0))
    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(threads.in_thread(lambda: next(iter(()))))
