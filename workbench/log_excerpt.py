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
_NOT_THEIRS = re.compile(r"site-packages|dist-packages|/lib/python\d|/runners/\w+\.py$|/bin/[\w.-]+$|\.pyx$|^<")
_AROUND = re.compile(
    r"^\s*(?:Traceback \(most recent call last\):|During handling of the above exception|The above exception was the direct cause|[\^~ |+-]*$)"
)
_ERROR = re.compile(r"^(?:[\w.]*(?:Error|Exception|Exit|Interrupt)\b|error\b|fatal\b|E\d{4} |[\w. ]+: error: )", re.I)
_TIMED_ERROR = re.compile(r"^\d+\.\d\d\.\d{3}\.\d{3} E ")  # llama.cpp's
_CHATTER = re.compile(  # says nothing of why
    r"\d%\|.*\||^[IW]\d{4} |^\w*Warning:|Warning: |^\s*warnings\.warn\(|^usage: |^\[transformers\] (?:Loading|`|You are using)"
    r"|^\s*\[Previous line repeated|^\s*For further information visit|^You can update Transformers|^ \[type=\w+, input_value="
    r"|^\d+\.\d\d\.\d{3}\.\d{3} [DIW] "  # llama.cpp's
)
_POINTS_BACK = re.compile(  # to an error that is there itself
    r"See root cause above|Failed core proc|^[\w.]*ValidationError: \d+ validation"
    r"|^error: (?:srv|cmn|common_fit_params:) |please check the input params"
)


def excerpt(log: str, most: int = MOST, known: str = "") -> tuple[str, bool]:
    """The last lines of a log that say something, errors before others, and whether any were left out.

    A log without a traceback that is short enough stays as it is. Of tracebacks, the errors stay, and the frames in files that are
    neither the engine's nor Python's own: those are the user's.

    Parameters
    ----------
    most : int
        Lines to keep.
    known : str
        What the reader was told already: a line that says no more is left out.
    """
    lines = _COLOURS.sub("", log).strip("\n").splitlines()
    if len(lines) <= most and not any(_FRAME.match(_WRITER.sub("", line)) for line in lines):
        kept = [line for line, last in zip(lines, [None, *lines], strict=False) if line != last]
        if any(_ERROR.match(line) for line in kept):
            kept = [line for line in kept if not _CHATTER.search(line)]
        return "\n".join(line for line in kept if not _says(known, line)), False
    said = list(dict.fromkeys(_told(lines)))  # each process of an engine tells it again
    telling = [i for i, line in enumerate(said) if not _CHATTER.search(line)]
    errors = [i for i in telling if _ERROR.match(said[i])]
    if len(errors) > 1:
        errors = [i for i in errors if not _POINTS_BACK.search(said[i])] or errors
    chosen = set(errors[-most:])
    for i in reversed(telling if errors else range(len(said))):
        if len(chosen) >= most:
            break
        if not errors or _is_theirs(said, i):
            chosen.add(i)
    kept = [said[i] for i in sorted(chosen) if not _says(known, said[i])]
    return "\n".join(line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…" for line in kept), True


def _is_theirs(said: list[str], i: int) -> bool:
    """Whether a line is a frame in a file of the user's, or its code: of other frames none are left."""
    return bool(_FRAME.match(said[i])) or (i > 0 and bool(_FRAME.match(said[i - 1])))


def _says(known: str, line: str) -> bool:
    words = line.partition(": ")[2] if _ERROR.match(line) else line
    return bool(known) and len(words) > 8 and words.rstrip(". ") in known


def _told(lines: list[str]) -> list[str]:
    """The lines without frames of the engine's and Python's own files, and without the marks of who wrote them."""
    out: list[str] = []
    skipping: int | None = None  # the indent of a frame whose code follows
    for raw in lines:
        line = _TIMED_ERROR.sub("error: ", _STAMP.sub("", _WRITER.sub("", raw))).rstrip()
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
