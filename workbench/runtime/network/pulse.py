"""Keeps an event loop from sleeping through an interrupt.

A kernel's stop button cancels the cell's task in a signal handler, and a loop that waits for events does not look at what a handler
asked for until the next event comes. A timer is such an event. Knows nothing of what the loop runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import asyncio

EVERY_S = 0.2

_open: WeakKeyDictionary[asyncio.AbstractEventLoop, int] = WeakKeyDictionary()  # how many hold it open, until the last tick; only in the main thread


@contextmanager
def pulse() -> Iterator[None]:
    """While it is open, the running loop wakes a few times a second; in the main thread, where signals are handled."""
    import asyncio

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    ticks = loop in _open
    _open[loop] = _open.get(loop, 0) + 1
    if not ticks:
        _tick(loop)
    try:
        yield
    finally:
        _open[loop] -= 1


def _tick(loop: asyncio.AbstractEventLoop) -> None:
    if _open.get(loop):
        loop.call_later(EVERY_S, _tick, loop)
    else:
        _open.pop(loop, None)
