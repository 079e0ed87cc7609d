"""How many lines of a kind a growing log has, for servers that count nothing themselves. Standard library only.

The log may be cut to its last lines while it is read: what was counted stays counted.
"""

from __future__ import annotations

import os
import re


class CountedLines:
    """Counts the lines of a file that begin after now.

    Parameters
    ----------
    path : str
        The file; it need not be there yet.
    pattern : bytes
        What such a line holds, once.
    """

    def __init__(self, path: str, pattern: bytes) -> None:
        self._path, self._pattern = path, re.compile(pattern)
        self._read_to, self._count = self._size(), 0

    def now(self) -> int | None:
        """How many there are so far; None where the file cannot be read."""
        try:
            with open(self._path, "rb") as f:
                size = os.fstat(f.fileno()).st_size
                if size < self._read_to:  # it was cut: what is left of it was there before
                    self._read_to = size
                f.seek(self._read_to)
                data = f.read(size - self._read_to)
        except OSError:
            return None
        end = data.rfind(b"\n") + 1
        self._read_to += end
        self._count += len(self._pattern.findall(data[:end]))
        return self._count

    def _size(self) -> int:
        try:
            return os.stat(self._path).st_size
        except OSError:
            return 0
