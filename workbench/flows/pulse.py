"""Keeps an event loop from sleeping through an interrupt.

A kernel's stop button cancels the cell's task in a signal handler, and a loop that waits for events does not look at what a handler
asked for until the next event comes. A timer is such an event. Knows nothing of flows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

EVERY_S = 0.2


@contextmanager
def pulse() -> Iterator[None]:
    """While it is open, the running loop wakes a few times a second; in the main thread, where signals are handled."""
    import asyncio

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    timer: Any = None

    def tick() -> None:
        nonlocal timer
        timer = loop.call_later(EVERY_S, tick)

    tick()
    try:
        yield
    finally:
        timer.cancel()
