"""Calls that come in bursts, passed on at a bounded rate. Knows nothing of what is called."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable


class Coalesced:
    """Calls ``callback`` at once, then at most every ``interval`` seconds, and always once after the last call."""

    def __init__(self, callback: Callable[[], None], interval: float) -> None:
        self._callback, self._interval = callback, interval
        self._lock = threading.Lock()
        self._last = -interval
        self._timer: threading.Timer | None = None
        self._closed = False

    def __call__(self) -> None:
        with self._lock:
            if self._closed or self._timer is not None:
                return
            wait = self._last + self._interval - time.monotonic()
            if wait > 0:
                self._timer = threading.Timer(wait, self._fire)
                self._timer.daemon = True
                self._timer.start()
                return
            self._last = time.monotonic()
        self._call()

    def _fire(self) -> None:
        with self._lock:
            self._timer, self._last = None, time.monotonic()
            if self._closed:
                return
        self._call()

    def _call(self) -> None:
        try:
            self._callback()
        except Exception:  # who watches must not break what is watched
            logging.getLogger(__name__).exception("A callback of an evaluation failed.")

    def close(self) -> None:
        """No calls after this, except one that is under way."""
        with self._lock:
            self._closed = True
            if self._timer:
                self._timer.cancel()
