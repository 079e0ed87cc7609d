"""Vectors and rankings as a notebook shows them: in a line each, where a cell ends with them. Everywhere else they are lists.

Each is a ``list`` with one more method; ``repr``, JSON, numpy, slices and comparisons are the list's own, and a copy or a pickle is a
plain list. ``list(vector)`` or ``vector[:]`` shows all numbers. Knows no model and no request.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from .media import Media

_FIRST = 4  # numbers of a vector
_ROWS = 5  # vectors of a list
_RANKED = 20  # documents of a ranking
_WIDE = 80  # letters of a document


class Printer(Protocol):
    """What IPython hands to ``_repr_pretty_``."""

    def text(self, obj: str) -> None: ...


class Vector(list[float]):
    """A vector: its length, its norm and its first numbers are what a notebook shows."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (self[:],)

    def _repr_pretty_(self, p: Printer, cycle: bool) -> None:
        p.text(_line(self))


class VectorList(list[Any]):
    """Vectors in the order of their inputs; how many they are, their length and the first of them are what a notebook shows."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (self[:],)

    def _repr_pretty_(self, p: Printer, cycle: bool) -> None:
        if not self:
            p.text("[]")
            return
        lengths = {len(v) for v in self if not isinstance(v, Mapping)}
        of = f" of {next(iter(lengths)):,} numbers" if len(lengths) == 1 else ""
        lines = [f"{len(self):,} {'vectors' if len(self) > 1 else 'vector'}{of}", *(f"  {_line(v, not of)}" for v in self[:_ROWS])]
        more = len(self) - _ROWS
        p.text("\n".join([*lines, *([f"  … {more:,} more"] if more > 0 else [])]))


class Ranked(list[tuple[int, float]]):
    """(index, score), the best first; a notebook shows the documents beside them.

    Attributes
    ----------
    documents : tuple
        The documents in the order of the ranking.
    """

    __slots__ = ("documents",)

    def __init__(self, pairs: Iterable[tuple[int, float]], documents: Sequence[Any] = ()) -> None:
        super().__init__(pairs)
        self.documents = tuple(documents[i] for i, _ in self) if documents else ()

    def __reduce_ex__(self, protocol: Any) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (self[:],)

    def _repr_pretty_(self, p: Printer, cycle: bool) -> None:
        if len(self.documents) != len(self) or not self:  # it was changed since
            p.text(repr(self))
            return
        wide = max(len(str(i)) for i, _ in self[:_RANKED])
        rows = [f"{_number(score):>7}  [{i:>{wide}}]  {_said(d)}" for (i, score), d in zip(self[:_RANKED], self.documents, strict=False)]
        more = len(self) - _RANKED
        p.text("\n".join([*rows, *([f"  … {more:,} more"] if more > 0 else [])]))


def _line(row: Any, counted: bool = True) -> str:
    """One vector, and where it is told its length."""
    if isinstance(row, Mapping):
        first = ", ".join(f"{k}: {_number(v)}" for k, v in list(row.items())[:_FIRST])
        return f"{{{first}{', …' if len(row) > _FIRST else ''}}}  {len(row):,} weights"
    if row and isinstance(row[0], list):
        return f"{len(row):,} vectors of {len(row[0]):,} numbers"
    first = ", ".join(_number(v) for v in row[:_FIRST])
    count = f"{len(row):,} numbers, " if counted else ""
    return f"[{first}{', …' if len(row) > _FIRST else ''}]  {count}norm {_number(math.hypot(*row))}"


def _number(value: float) -> str:
    """Four digits after the point; as many as matter where they would be lost."""
    return f"{value:.4g}" if value and not 1e-3 <= abs(value) < 1e4 else f"{value:.4f}"


def _said(document: Any) -> str:
    """A document in one line."""
    if isinstance(document, Media):
        return f"<{document.kind} {document.name or document.url[:_WIDE]}>".replace(" >", ">")
    if isinstance(document, Mapping):
        return " ".join(_said(v) for v in document.values())
    text = " ".join(str(document)[: 4 * _WIDE].split())
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"
