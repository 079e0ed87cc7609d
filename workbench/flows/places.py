"""Where in which flow an error happened, as a note on the error, which keeps its type and its text.

Every flow that the error passes puts its own place in front: ``In pipeline 'ppl' → step 2 'retriever' → parallel branch 'b'.``
Knows errors and names only.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from .driving import StoppedIteration

LONGEST = 2_000
ARROW = " → "
PACKAGE = __name__.rpartition(".")[0] + "."


class Place(str):
    """The note, to be told from other notes."""

    __slots__ = ()


def passed(error: BaseException, place: str) -> None:
    """The error has come out of ``place``, which is added in front of the places inside it."""
    if isinstance(error, StoppedIteration):
        error = error.error
    notes = getattr(error, "__notes__", None)
    if notes and isinstance(notes[-1], Place):
        if len(notes[-1]) < LONGEST:
            notes[-1] = Place(f"In {place}{ARROW}{notes[-1][3:]}")
    else:
        error.add_note(Place(f"In {place}."))


def named(error: BaseException, kind: str, name: str) -> None:
    """The error leaves the outermost flow, whose name is known only here."""
    if isinstance(error, StoppedIteration):
        error = error.error
    notes = getattr(error, "__notes__", None)
    if notes and isinstance(notes[-1], Place) and notes[-1].startswith(f"In {kind} "):
        notes[-1] = Place(f"In {kind} {name!r}{ARROW}{notes[-1][len(kind) + 4 :]}" if name else str(notes[-1]))


def without_machinery(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the lines of this package, which are most of it and tell a user nothing; all of it when nothing else is left."""
    kept = []
    while trace is not None:
        if not trace.tb_frame.f_globals.get("__name__", "").startswith(PACKAGE):
            kept.append(trace)
        trace = trace.tb_next
    for one, following in zip(kept, [*kept[1:], None], strict=False):
        one.tb_next = following
    return kept[0] if kept else None


def label(word: str, number: int, name: str, item: Any = None) -> str:
    """``step 2 'retriever'``; without a name that of the function."""
    name = name or getattr(item, "__name__", "") or getattr(item, "name", "")
    return f"{word} {number} {name!r}" if isinstance(name, str) and name else f"{word} {number}"
