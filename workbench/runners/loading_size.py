"""How much of a model file is in memory while a library that tells nothing loads it. Standard library only; Linux.

The library may hold Python's lock all the time, so that no thread of this process runs: a forked child looks, at how much of
files the process has mapped in. It ends with the loading, or with its parent.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from . import serving
else:
    import serving

WORTH = 256 << 20  # bytes: smaller files are there before anybody reads of them
_SECONDS = 0.5
_PART = re.compile(r"-00001-of-(\d{5})\.gguf$")


@contextlib.contextmanager
def telling(model: str, worth: int = WORTH) -> Iterator[None]:
    """Report how far the loading of a model file is, in bytes, while the block runs."""
    total, first = size(Path(model)), mapped(os.getpid())
    if total < worth or first is None:
        yield
        return
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            _tell(parent, total, first)
        os._exit(0)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def size(model: Path) -> int:
    """Bytes of a model file and of the other parts where it is the first of several; 0 where it cannot be read."""
    part = _PART.search(model.name)
    files = model.parent.glob(_PART.sub(f"-*-of-{part[1]}.gguf", model.name)) if part else (model,)
    try:
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0


def mapped(pid: int) -> int | None:
    """Bytes of files that a process has in memory; None where the system does not say."""
    try:
        found = re.search(r"^RssFile:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return None
    return int(found[1]) << 10 if found else None


def _tell(parent: int, total: int, first: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    began, last = time.monotonic(), -1
    while os.getppid() == parent:
        time.sleep(_SECONDS)
        now = mapped(parent)
        if now is None:
            return
        done = min(total, max(0, now - first))
        if done // (total // 100 + 1) != last:
            last = done // (total // 100 + 1)
            left = (total - done) * (time.monotonic() - began) / done if done else None
            serving.report("progress", phase="weights", text="Loading the weights", done=done, total=total, unit="bytes", eta=left)
