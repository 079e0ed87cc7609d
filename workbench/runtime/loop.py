"""The kernel's one background event loop. Sync methods wait on it, async methods await what runs on it.

It runs in a daemon thread of its own, so it works under Jupyter's running loop, in plain scripts and in many threads.
Does not know what runs on it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
_THREADS = 256  # made as they are needed: functions of the user's that block each other must not run out of them
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_pid = 0


def loop() -> asyncio.AbstractEventLoop:
    """The loop, started when first asked for, and once more in a forked child (threads do not survive a fork)."""
    global _loop, _thread, _pid
    if _loop is not None and _pid == os.getpid():
        return _loop
    with _lock:
        if _loop is None or _pid != os.getpid():
            fresh = asyncio.new_event_loop()
            fresh.set_default_executor(ThreadPoolExecutor(_THREADS, "workbench-call"))  # asyncio's own has a handful on a small machine
            _thread = threading.Thread(target=fresh.run_forever, name="workbench-loop", daemon=True)
            _thread.start()
            _loop, _pid = fresh, os.getpid()
        return _loop


def inside() -> bool:
    """Whether the caller runs on the background loop itself, where waiting for it would never end."""
    return _thread is not None and threading.current_thread() is _thread


def spawn(coro: Coroutine[Any, Any, T]) -> Future[T]:
    """Start a coroutine on the loop, with the caller's context variables; the future's ``cancel`` cancels it."""
    target, future = loop(), Future[T]()

    def begin() -> None:
        if future.cancelled():
            coro.close()
            return
        task = asyncio.ensure_future(coro)
        task.add_done_callback(lambda done: _finish(done, future))
        future.add_done_callback(lambda f: f.cancelled() and target.call_soon_threadsafe(task.cancel))

    target.call_soon_threadsafe(begin, context=contextvars.copy_context())
    return future


def run(coro: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the loop and wait for its result; an interrupt cancels it.

    Raises
    ------
    RuntimeError
        When called on the background loop itself.
    """
    if inside():
        coro.close()
        raise RuntimeError("run() was called on the background loop; await the coroutine instead.")
    future = spawn(coro)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _finish(task: asyncio.Future[T], future: Future[T]) -> None:
    error = None if task.cancelled() else task.exception()
    if task.cancelled():
        future.cancel()
    if not future.set_running_or_notify_cancel():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(task.result())


@atexit.register
def _end() -> None:
    """Cancel what still runs, so that servers see their connections closed and nothing warns on the way out."""
    if _loop is None or _pid != os.getpid() or not _loop.is_running():
        return

    def stop() -> None:
        for task in asyncio.all_tasks(_loop):
            task.cancel()
        assert _loop is not None
        _loop.call_later(0.05, _loop.stop)

    _loop.call_soon_threadsafe(stop)
    if _thread is not None:
        _thread.join(1.0)
