"""A process's own output that cannot be written is dropped: a server answers on while the disk of its log is full. Standard library only."""

from __future__ import annotations

import io
import sys
from typing import Any


class Dropping(io.FileIO):
    """A file that forgets what there is no room for."""

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left:
                left = left[super().write(left) or 0 :]
        except OSError:
            pass
        return size


def drop_what_does_not_fit() -> None:
    """Make this process's standard output and error such files."""
    for name in ("stdout", "stderr"):
        old = getattr(sys, name)
        try:
            raw = Dropping(old.fileno(), "wb", closefd=False)
        except (OSError, ValueError, AttributeError):  # there is none
            continue
        setattr(sys, name, io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True))
