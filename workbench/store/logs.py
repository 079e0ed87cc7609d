"""Reading a job's log as a person would see it on a terminal. Does not know who writes it.

A progress bar redraws its line after a carriage return: of such a line only the last state is kept. Colours are removed.
"""

from __future__ import annotations

import re
from pathlib import Path

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_TAIL_BYTES = 1 << 20


def readable(text: str) -> str:
    """The text without colours, each line as it stood at last."""
    return "\n".join(_last_state(line) for line in _ESCAPES.sub("", text).split("\n"))


def _last_state(line: str) -> str:
    line = line.rstrip("\r")
    return line.rpartition("\r")[2]


def tail(path: Path, lines: int = 40, start: int = 0) -> str:
    """The last lines of a log, readable; those after the byte ``start`` only. Empty when there is no log."""
    try:
        with path.open("rb") as f:
            size = f.seek(0, 2)
            begin = max(start if start <= size else 0, size - _TAIL_BYTES)
            f.seek(begin)
            data = f.read(max(0, size - begin))
    except OSError:
        return ""
    if begin > start:
        data = data.partition(b"\n")[2]
    kept = readable(data.decode(errors="replace")).rstrip().split("\n")
    return "\n".join(kept[-lines:]) if lines > 0 else ""


def trim(path: Path, limit: int, keep: int) -> bool:
    """Cut a log that is longer than ``limit`` bytes to its last lines, at most ``keep`` bytes; whether it was cut.

    Whoever writes it must append. What is written between reading and cutting is lost.
    """
    try:
        if path.stat().st_size <= limit:
            return False
        with path.open("rb") as old, path.open("ab") as new:
            old.seek(-keep, 2)
            kept = old.read().partition(b"\n")[2]
            new.truncate(0)
            new.write(kept)
    except FileNotFoundError:
        return False
    return True


class LogFollower:
    """Gives a growing log's new lines; a line that is still being drawn is held back until it ends.

    Parameters
    ----------
    path : Path
        The log; it need not be there yet.
    history : int
        How many bytes of what is already there the first reading gives at most.
    """

    def __init__(self, path: Path, history: int = 1 << 16) -> None:
        self._path, self._history = path, history
        self._offset: int | None = None
        self._held = b""

    @property
    def size(self) -> int:
        """Bytes of the log now: a cheap way to see whether there is more."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def read(self, final: bool = False) -> str:
        """What is new, readable; with ``final`` also a last line that never ended."""
        size = self.size
        cut = self._offset is None and size > self._history
        if self._offset is None:
            self._offset = max(0, size - self._history)
        elif size < self._offset:  # it was trimmed
            self._offset, self._held = size, b""
        data = self._held
        if size > self._offset:
            with self._path.open("rb") as f:
                f.seek(self._offset)
                fresh = f.read(size - self._offset)
            self._offset += len(fresh)
            data += fresh.partition(b"\n")[2] if cut else fresh
        end = len(data) if final else data.rfind(b"\n") + 1
        self._held = data[end:][-self._history :]
        return readable(data[:end].decode(errors="replace"))
