"""What goes to the terminal and what comes from its arguments: errors, tables, ``key=value``. Knows no command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from ..errors import ArgumentError, WorkbenchError


def say(text: str = "") -> None:
    """A line of what was asked for, on stdout."""
    print(text, flush=True)


def note(text: str) -> None:
    """A line about what goes on, on stderr, so that stdout stays what was asked for."""
    print(text, file=sys.stderr, flush=True)


def coloured() -> bool:
    """Whether stderr is a terminal that wants colours (https://no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def failed(error: WorkbenchError) -> None:
    """An error on stderr: what failed, the cause, the fix, and last log lines where there are some."""
    red, bold, plain = ("\x1b[31m", "\x1b[1m", "\x1b[0m") if coloured() else ("", "", "")
    first, *rest = str(error).split("\n")
    note(f"{red}{bold}Error:{plain} {first}")
    for line in rest:
        name, colon, text = line.partition(": ")
        note(f"{bold}{name}:{plain} {text}" if colon and name in ("Cause", "Fix") else line)


def key_values(words: Sequence[str]) -> dict[str, Any]:
    """``["learning_rate=1e-4", "template=qwen"]`` as a dict; a value that is JSON is that value, else text.

    Raises
    ------
    ArgumentError
        When a word has no ``=``, or a name comes twice.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise ArgumentError(f"{word!r} is not an argument.", "Arguments of a method are written as name=value.", f"Write {name or 'name'}=…")
        if name in found:
            raise ArgumentError(f"{name} is given twice.", "", "Leave one out.")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, flexible: int = -1) -> None:
    """Aligned columns; on a terminal the ``flexible`` one is cut to fit, into a pipe nothing is."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    if sys.stdout.isatty():
        room = os.get_terminal_size().columns - sum(widths) - 2 * (len(head) - 1)
        if room < 0:
            widths[flexible] = max(8, widths[flexible] + room)

    def cut(text: str, width: int) -> str:
        return text if len(text) <= width else text[: width - 1] + "…"

    for row in (head, *rows):
        say("  ".join(cut(c, w).ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
