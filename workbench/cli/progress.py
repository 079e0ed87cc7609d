"""A notebook's run on a terminal, or in a log. Knows lines, not notebooks."""

from __future__ import annotations

import os
import shutil
import sys
import time

_QUIET_SECONDS = 10.0  # how often a line that rewrites itself is written into a log


class Terminal:
    """Prints headings, cells and what they write; an observer of `workbench.cli.notebook.run`."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._dim, self._bold, self._plain = ("\x1b[2m", "\x1b[1m", "\x1b[0m") if self._live and not os.environ.get("NO_COLOR") else ("", "", "")
        self._heading, self._line, self._began, self._wrote = "", "", 0.0, 0.0

    def cell(self, number: int, total: int, heading: str, code: str) -> None:
        if heading != self._heading:
            self._heading = heading
            self._write(f"\n{self._bold}{heading}{self._plain}\n")
        first = next((line for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")), code.strip())
        more = " …" if len(code.strip().splitlines()) > 1 else ""
        self._write(f"{self._dim}[{number}/{total}] {self._cut(first + more, 10)}{self._plain}\n")
        self._line, self._began = "", time.monotonic()
        self._wrote = self._began

    def text(self, text: str) -> None:
        """What a cell wrote; ``\\r`` rewrites the line on a terminal and is thinned out in a log."""
        *whole, rest = (self._line + text).replace("\r\n", "\n").split("\n")
        for line in whole:
            self._show(line, "\n")
        self._line = rest
        if self._live and rest:
            self._show(rest, "")
        elif "\r" in rest and time.monotonic() - self._wrote > _QUIET_SECONDS and (shown := as_drawn(rest)):
            self._show(shown, "\n")
            self._wrote = time.monotonic()

    def done(self) -> None:
        if as_drawn(self._line):
            self._show(self._line, "\n")
        elif self._live and self._line:
            self._write("\r\x1b[K")
        self._line = ""
        if (took := time.monotonic() - self._began) > 2:
            self._write(f"{self._dim}      {took:.0f} s{self._plain}\n")

    def _show(self, line: str, end: str) -> None:
        shown = as_drawn(line)
        if self._live:
            self._write(f"\r\x1b[K      {shown if end else self._cut(shown, 6)}{end}")
        elif shown or "\r" not in line:
            self._write(f"      {shown}{end}" if shown else end)

    def _cut(self, text: str, taken: int) -> str:
        room = (shutil.get_terminal_size().columns if self._live else 120) - taken - 1
        return text if len(text) <= room else text[: max(1, room - 1)] + "…"

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def as_drawn(line: str) -> str:
    """A line as it stands on a terminal in the end: what follows a carriage return is drawn over what was there."""
    drawn = ""
    for part in line.split("\r"):
        drawn = part + drawn[len(part) :]
    return drawn.rstrip()
