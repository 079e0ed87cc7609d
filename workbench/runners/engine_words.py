"""The line of an engine's output that says why it ended. Standard library only; knows no engine by name.

Engines of several processes put the cause first and end with general words of the process above ("see the root cause
above"), prefix lines with their process and time, and print a stack in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PREFIX = re.compile(r"^(?:\([^()]*pid=\d+\)\s*)?(?:(?:TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL)\s+[\d: .,/-]+)?(?:\[[\w./-]+:\d+\]\s?)?")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ERROR = re.compile(r"^(?:[a-zA-Z_]\w*\.)*\w*(?:Error|Exception|Interrupt|OutOfMemory)\b: .+|^.+: error: .+")
_GENERAL = (  # words of a process about another one, which has said more itself
    "root cause",
    "Engine core initialization failed",
    "Engine process failed",
    "EngineDeadError",
    "died unexpectedly",
    "failed to be inspected",
    "CalledProcessError",
    "Error raised in subprocess",
)
_VALIDATION = re.compile(r"^[\w.]*ValidationError: \d+ validation errors? for \w+ (?:Value error, )?(.+?)(?: \[type=.*)?$")
_EMPTY = re.compile(r"^[\W_]*$")
_TAKEN = re.compile(r"address already in use|\bEADDRINUSE\b|only one usage of each socket address|\[Errno (?:98|48|10048)\]|couldn't bind", re.I)


def plain(line: str) -> str:
    """A line without colours, its process's name, level, time and place."""
    return _PREFIX.sub("", _COLOUR.sub("", line), count=1).rstrip()


def reason(lines: Iterable[str]) -> str:
    """The last error that names a cause, else the last error, else the last line with words; empty where nothing was said.

    A message that goes on in indented lines, as a validation error's does, is joined to one.
    """
    said = [plain(line) for line in lines]
    errors = [_joined(said, i) for i, line in enumerate(said) if _ERROR.match(line)]
    telling = [error for error in errors if not any(g in error for g in _GENERAL)]
    if errors:
        last = (telling or errors)[-1]
        found = _VALIDATION.match(last)
        return f"ValueError: {found[1]}" if found else last
    return next((line.strip() for line in reversed(said) if not _EMPTY.match(line)), "")


def _joined(said: list[str], at: int) -> str:
    """An error with the indented line that goes on after it."""
    after = said[at + 1] if at + 1 < len(said) else ""
    return f"{said[at]} {after.strip()}" if after.startswith("  ") and not after.lstrip().startswith(("File ", "For further")) else said[at]


def port_was_taken(lines: Iterable[str]) -> bool:
    """Whether an engine ended because somebody else listens where it was told to."""
    return any(_TAKEN.search(line) for line in lines)
