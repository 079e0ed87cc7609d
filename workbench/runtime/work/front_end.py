"""Where the user sits, and one line that says what is going on there. Knows neither modules nor jobs.

A notebook, a terminal and whoever runs a notebook without a front end show a line that changes; a script whose output is
not a terminal gets the last word only.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextvars import ContextVar
from typing import Any, Literal

from ...core import sizes
from ...core.jobs import Progress

FrontEnd = Literal["notebook", "headless", "terminal", "script", "silent"]
silent: ContextVar[bool] = ContextVar("workbench_silent", default=False)
HEADLESS = "WORKBENCH_HEADLESS"  # set by who runs a notebook without a front end


def shell() -> Any:
    """IPython's shell, or None; IPython is not imported for that."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def front_end() -> FrontEnd:
    """Where output goes now; ``silent`` where a caller shows what goes on by itself."""
    if silent.get():
        return "silent"
    if getattr(shell(), "kernel", None) is not None:
        return "headless" if os.environ.get(HEADLESS) else "notebook"
    return "terminal" if sys.stderr.isatty() else "script"


def cell() -> int | None:
    """The number of the cell that runs, or None outside IPython."""
    found = shell()
    return int(found.execution_count) if found is not None else None


def display(shown: Any, **options: Any) -> Any:
    """IPython's ``display``."""
    from IPython.display import display as show

    return show(shown, **options)  # type: ignore[no-untyped-call]  # IPython ships it without types


class StatusLine:
    """One line that is written over as things go on, and stays with the last word.

    Parameters
    ----------
    interval : float
        Seconds between two changes on screen at the least; a kernel's messages are rationed.
    """

    def __init__(self, interval: float = 0.1) -> None:
        self._where = front_end()
        self._interval = interval
        self._shown_at, self._text = 0.0, ""
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Change the line."""
        now = time.monotonic()
        if text == self._text or now - self._shown_at < self._interval or self._where in ("script", "silent"):
            return
        self._write(text)
        self._text, self._shown_at = text, now

    def end(self, text: str) -> None:
        """The last word."""
        self._write(text, "\n")

    def clear(self) -> None:
        """Nothing more to say: an error follows, or something better stands there."""
        if self._text:
            self._write("")

    def _write(self, text: str, end: str = "") -> None:
        if self._where == "silent":
            return
        if self._where == "notebook":
            if self._handle is None:
                self._handle = display({"text/plain": text}, raw=True, display_id=True)
            else:
                self._handle.update({"text/plain": text}, raw=True)
            return
        out = sys.stdout if self._where == "headless" else sys.stderr  # a kernel's errors look like failures
        if self._where == "terminal" and not end:
            text = text[: shutil.get_terminal_size().columns - 1]
        over = "\r" + " " * len(self._text) + "\r" if self._text else ""
        out.write(over + text + end)
        out.flush()


def describe(progress: Progress) -> str:
    """A progress in words: ``Training · step 40 of 200 · about 2 min``."""
    parts = [progress.text or progress.phase]
    if progress.done is not None and progress.total:
        parts.append(_amount(progress.done, progress.total, progress.unit))
    if progress.eta:
        parts.append(f"about {duration(progress.eta)}")
    return " · ".join(p for p in parts if p)


def _amount(done: float, total: float, unit: str) -> str:
    if unit in ("B", "bytes"):
        return sizes.of(done, total)
    if unit in ("step", "steps"):
        return f"step {done:,.0f} of {total:,.0f}"
    return f"{done:,.0f} of {total:,.0f} {unit}".rstrip()


def duration(seconds: float) -> str:
    """``45 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
