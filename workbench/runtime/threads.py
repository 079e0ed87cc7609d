"""Threads made as they are needed and kept a while for the next one who needs some, so that no queue can deadlock.

A pool of a fixed size hangs as soon as those inside it wait for those behind them; here whoever asks gets a thread. How many
run at once is the asker's business. Knows nothing of what runs in them.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any

KEEP_S = 10.0

_idle: list[_Thread] = []
_lock = threading.Lock()


class _Thread(threading.Thread):
    def __init__(self, job: Callable[[], None]) -> None:
        super().__init__(name="workbench-work", daemon=True)
        self.jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.jobs.put(job)

    def run(self) -> None:
        job: Callable[[], None] | None = self.jobs.get()
        while job is not None:
            job()
            job = None  # what it refers to is not kept while this thread waits
            with _lock:
                _idle.append(self)
            job = self._next()

    def _next(self) -> Callable[[], None] | None:
        try:
            return self.jobs.get(timeout=KEEP_S)
        except queue.Empty:
            with _lock:
                if self in _idle:
                    _idle.remove(self)
                    return None
            return self.jobs.get()  # someone has just chosen this thread


def start(job: Callable[[], None]) -> None:
    """Run ``job``, which must not raise, in a thread of its own.

    Raises
    ------
    RuntimeError
        When the system gives no more threads.
    """
    with _lock:
        thread = _idle.pop() if _idle else None
    if thread is None:
        _Thread(job).start()
    else:
        thread.jobs.put(job)


async def in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Await a plain call, in a thread of its own with a copy of the context variables.

    As ``asyncio.to_thread``, whose few threads calls that wait for each other would soon use up.
    """
    import asyncio
    import contextvars

    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    future: asyncio.Future[Any] = loop.create_future()

    def job() -> None:
        try:
            result, error = context.run(function, *args, **kwargs), None
        except BaseException as e:
            result, error = None, e
        tell(loop, future, result, error)

    start(job)
    return await future


def tell(loop: Any, future: Any, result: Any, error: BaseException | None) -> None:
    """Settle a future of a loop from another thread; nobody may wait for it any more."""

    def settle() -> None:
        if future.done():
            return
        if isinstance(error, StopIteration):
            future.set_exception(RuntimeError("The call raised StopIteration."))
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    if not loop.is_closed():
        loop.call_soon_threadsafe(settle)


def _after_fork() -> None:
    """Threads do not survive a fork."""
    global _lock
    _idle.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
