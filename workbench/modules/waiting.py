"""A line that says how long a call takes, once that is worth a word, and how far it is, where that is told. It goes when the call has ended.

Knows no model. One clock looks after all calls of a process; of several that wait, the one that began first has the line.
"""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..runtime.work.front_end import StatusLine

QUIET = 2.0  # seconds before a wait is worth a word
_TICK = 1.0


class Waiting:
    """The line of one call, for a ``with``.

    Parameters
    ----------
    name : str
        What people see of what is asked.
    """

    def __init__(self, name: str) -> None:
        self._name, self._began = name, time.monotonic()
        self._context = copy_context()  # says whether somebody looks on
        self._lock = threading.Lock()
        self._state = "at work"
        self._over = False
        self._line: StatusLine | None = None

    def told(self, state: str) -> None:
        """How far it is, in the server's words; empty where it only waits."""
        self._state = state.lower() or "waiting"
        self.show()

    def show(self) -> None:
        """Say it, if it has taken a while."""
        seconds = time.monotonic() - self._began
        if seconds < QUIET:
            return
        with self._lock:
            if not self._over:
                self._context.run(self._show, f"{self._name} · {self._state} · {seconds:.0f} s")

    def _show(self, text: str) -> None:
        if self._line is None:
            from ..runtime.work.front_end import StatusLine

            self._line = StatusLine()
        self._line.show(text)

    def __enter__(self) -> Waiting:
        _clock.watch(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _clock.forget(self)
        with self._lock:
            self._over = True
            if self._line is not None:
                self._context.run(self._line.clear)


class _Clock:
    """A thread that lives as long as something waits."""

    def __init__(self) -> None:
        self._calls: dict[int, Waiting] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, call: Waiting) -> None:
        with self._lock:
            self._calls[id(call)] = call
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="workbench-waiting", daemon=True)
                self._thread.start()

    def forget(self, call: Waiting) -> None:
        with self._lock:
            self._calls.pop(id(call), None)

    def _run(self) -> None:
        idle = 0
        while True:
            time.sleep(_TICK)
            with self._lock:
                first = next(iter(self._calls.values()), None)
                idle = 0 if first is not None else idle + 1
                if idle > 30:  # a new thread for every short call would cost more than it says
                    self._thread = None
                    return
            if first is not None:
                first.show()


_clock = _Clock()
