"""The lines of an engine's log that are worth reading in an error. Knows how Python and the engines write, and no engine by name.

Engines end with tens of lines of traceback through their own files, each told again by every process. What is left out here is in the
job's ``logs()``.
"""

from __future__ import annotations

import re

MOST = 6  # lines
_WIDEST = 240  # characters of a line
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WRITER = re.compile(r"^\((?P<who>\w[\w.-]*) pid=\d+\) ?")
_STAMP = re.compile(r"^(?:ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[\w./-]+:\d+\] ?")
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line \d+, in ')
_NOT_THEIRS = re.compile(r"site-packages|dist-packages|/lib/python\d|/runners/\w+\.py$|/bin/[\w.-]+$|^<")
_AROUND = re.compile(
    r"^\s*(?:Traceback \(most recent call last\):|During handling of the above exception|The above exception was the direct cause|[\^~ |+-]*$)"
)
_ERROR = re.compile(r"^(?:[\w.]*(?:Error|Exception|Exit|Interrupt)\b|error\b|fatal\b|E\d{4} |\w+: error: )", re.I)


def excerpt(log: str, most: int = MOST) -> tuple[str, bool]:
    """The last lines of a log that say something, errors before others, and whether any were left out.

    A log without a traceback that is short enough stays as it is. Of tracebacks, the errors stay, and the frames in files that are
    neither the engine's nor Python's own: those are the user's.

    Parameters
    ----------
    most : int
        Lines to keep.
    """
    lines = _COLOURS.sub("", log).strip("\n").splitlines()
    if len(lines) <= most and not any(_FRAME.match(_WRITER.sub("", line)) for line in lines):
        return "\n".join(line for line, last in zip(lines, [None, *lines], strict=False) if line != last), False
    said = list(dict.fromkeys(_told(lines)))  # each process of an engine tells it again
    errors = [i for i, line in enumerate(said) if _ERROR.match(line)]
    chosen = set(errors[-most:]) if errors else set()
    for i in range(len(said) - 1, -1, -1):
        if len(chosen) >= most:
            break
        chosen.add(i)
    kept = [said[i] if len(said[i]) <= _WIDEST else f"{said[i][: _WIDEST - 1]}…" for i in sorted(chosen)]
    return "\n".join(kept), True


def _told(lines: list[str]) -> list[str]:
    """The lines without frames of the engine's and Python's own files, and without the marks of who wrote them."""
    out: list[str] = []
    skipping: int | None = None  # the indent of a frame whose code follows
    for raw in lines:
        line = _STAMP.sub("", _WRITER.sub("", raw)).rstrip()
        frame = _FRAME.match(line)
        indent = len(line) - len(line.lstrip())
        if frame and _NOT_THEIRS.search(frame["file"]):
            skipping = indent
            continue
        if skipping is not None and not frame and line and indent > skipping:
            continue
        skipping = None
        if not _AROUND.match(line):
            out.append(line)
    return out
