"""Similarity of meaning: the cosine between the vectors of an answer and of the right one. Any embedding module or function
gives the vectors; knows none of them.
"""

from __future__ import annotations

import inspect
import json
import math
from collections import OrderedDict
from typing import Any

from ..errors import ArgumentError, DataError
from ..runtime.threads import in_thread
from .scorers import text_of
from .scoring import Judgement, Value
from .values import EvalCase, Measure

_KEPT = 20_000  # vectors of right answers that are not asked for twice


class Similarity:
    """Cosine of the angle between answer and right answer, −1 to 1, with the nearest right answer.

    Parameters
    ----------
    embed : module or callable
        Gives the vector of a text: a module of the type ``embed``, an online embedding module, or any function, async or not, such
        as ``SentenceTransformer(…).encode``.
    name, title : str
        What to call it.
    margin : float, optional
        A difference inside plus or minus this does not matter.

    Examples
    --------
    >>> wb.compare(a, b, evalset=rows, scorers=['exact', wb.evals.Similarity(embedder)])
    """

    def __init__(self, embed: Any, name: str = "similarity", *, title: str = "", margin: float | None = 0.01) -> None:
        self._call = getattr(embed, "acall", None) or embed
        if not callable(self._call):
            raise ArgumentError(f"{embed!r} gives no vectors.", "It is neither a module nor a function.", "Give an embedding module.")
        self.measure = Measure(name, title or name.replace("_", " ").capitalize(), "", margin=margin, on_error=0.0)
        self._known: OrderedDict[str, list[float]] = OrderedDict()

    async def judge(self, output: Any, case: EvalCase) -> Value | Judgement:
        if not case.answers:
            return None
        said = await self._vector(text_of(output))
        cosines = [cosine(said, await self._kept(text_of(a))) for a in case.answers]
        found = [c for c in cosines if c is not None]
        return max(found) if found else Judgement(None, "A vector is nothing but zeros.")

    async def _kept(self, text: str) -> list[float]:
        if text not in self._known:
            self._known[text] = await self._vector(text)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[text]

    async def _vector(self, text: str) -> list[float]:
        if inspect.iscoroutinefunction(self._call):
            found = await self._call(text)
        else:
            found = await in_thread(self._call, text)
            if inspect.isawaitable(found):
                found = await found
        return vector_of(found)


def vector_of(found: Any) -> list[float]:
    """Numbers from what an embedding gives: a vector, a list that holds one, an array, or JSON text of these. Raises DataError."""
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError as e:
            raise DataError("The embedding gave a text that is no vector.", str(e)) from None
    if hasattr(found, "tolist"):
        found = found.tolist()
    while isinstance(found, list | tuple) and len(found) == 1 and isinstance(found[0], list | tuple):
        found = found[0]
    if not isinstance(found, list | tuple) or not found or not all(isinstance(x, int | float) for x in found):
        raise DataError("The embedding gave no vector.", f"It gave {str(found)[:80]!r}.", "Give a function of one text that returns numbers.")
    return [float(x) for x in found]


def cosine(a: list[float], b: list[float]) -> float | None:
    """The cosine of the angle between two vectors; None where one has no direction. Raises DataError for different lengths."""
    if len(a) != len(b):
        raise DataError(f"The vectors have {len(a)} and {len(b)} numbers.", "The embedding gives vectors of different lengths.")
    size = math.hypot(*a) * math.hypot(*b)
    return max(-1.0, min(1.0, math.fsum(x * y for x, y in zip(a, b, strict=True)) / size)) if size else None
