"""Sees that a server which answered does so no more: its process lives, and nothing comes back. Says so and ends nothing.

A server that works without answering is busy; one that does nothing, hung.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import psutil

from ...core.jobs import Progress
from ..deployments.health import BUSY, HUNG
from . import vitals

_EVERY, _LIMIT = 5.0, 3.0  # seconds between two questions, and for an answer
_MISSES = 2
_AT_WORK = 0.1  # cores that a process which does nothing does not use


class HangWatch:
    """Asks one server again and again, in a thread of its own.

    Parameters
    ----------
    url : str
        Where it answers.
    pid : int or None
        The process that leads its tree.
    tell : callable
        Told a `Progress` when it falls silent, when it turns out to do nothing, and when it answers again.

    Attributes
    ----------
    hung_since : float or None
        When a server that does nothing was asked the first time without an answer, by the monotonic clock; None for one that answers or works.
    """

    def __init__(self, url: str, pid: int | None, tell: Callable[[Progress], None]) -> None:
        self._url, self._pid, self._tell = url, pid, tell
        self._ended = threading.Event()
        self.hung_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="hang-watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._ended.set()

    def _run(self) -> None:
        misses, since, told, silent = 0, 0.0, "", 0.0
        worked = _cpu_seconds(self._pid)
        looked = time.monotonic()
        while not self._ended.wait(_EVERY):
            asked, began = time.time(), time.monotonic()
            if vitals.feel(self._url, _LIMIT).answered:
                if told:
                    self._say(Progress("ready", "Ready"))
                misses, told = 0, ""
            else:
                since, silent = (since, silent) if misses else (asked, began)
                misses += 1
            now, spent = time.monotonic(), _cpu_seconds(self._pid)
            phase = BUSY if (spent - worked) / max(now - looked, 1e-3) > _AT_WORK else HUNG
            worked, looked = spent, now
            self.hung_since = silent if misses >= _MISSES and phase == HUNG else None
            if misses >= _MISSES and told != phase:
                told = phase
                self._say(_progress(phase, since))

    def _say(self, progress: Progress) -> None:
        if not self._ended.is_set():
            self._tell(progress)


def _progress(phase: str, since: float) -> Progress:
    when = time.strftime("%H:%M:%S", time.localtime(since))
    if phase == BUSY:
        return Progress(BUSY, f"Busy: it works, and has not answered /health since {when}", done=since)
    return Progress(HUNG, f"Not answering since {when}, though its process lives; restart() starts it anew", done=since)


def _cpu_seconds(pid: int | None) -> float:
    total = 0.0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid) if pid is not None else None
        for process in [root, *root.children(recursive=True)] if root is not None else ():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
    return total
