"""What a scorer is, and how answers are judged. Does not know models, runs or any scorer by name.

A scorer has a `Measure` and judges one output of one case; any function is one as well.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from .. import registry
from ..errors import ArgumentError
from .values import EvalCase, Measure

Value = float | bool | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A value and what the scorer has to say about it."""

    value: Value
    note: str = ""


@runtime_checkable
class Scorer(Protocol):
    """What a scorer must be able to do.

    Attributes
    ----------
    measure : Measure
        How its values are read.
    """

    @property
    def measure(self) -> Measure: ...

    def judge(self, output: Any, case: EvalCase) -> Value | Judgement | Awaitable[Value | Judgement]:
        """The value of an output: 0 to 1 (a bool counts) when the unit is ``%``; None when it cannot be judged.

        Runs in a worker thread unless it is async.
        """
        ...


class Function:
    """A function as a scorer: ``f(output)``, ``f(output, expected)`` or ``f(output, expected, case)``, also async.

    Parameters
    ----------
    function : callable
        Gives a number, a bool, None or a `Judgement`.
    name, title : str
        The function's own name when left out.
    unit : str
        ``%`` for shares of 0 to 1; any other for other numbers.
    higher_is_better : bool
        Which way is up.
    margin : float, optional
        A difference inside plus or minus this does not matter; 0.01 for shares.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str = "",
        *,
        title: str = "",
        unit: str = "%",
        higher_is_better: bool = True,
        margin: float | None = None,
    ) -> None:
        name = name or getattr(function, "__name__", type(function).__name__).strip("<>")
        share = unit == "%"
        self.function = function
        self.measure = Measure(
            name,
            title or name.replace("_", " ").capitalize(),
            unit,
            higher_is_better,
            0.01 if margin is None and share else margin,
            on_error=(0.0 if higher_is_better else 1.0) if share else None,
        )
        self._takes = _positional(function)

    def judge(self, output: Any, case: EvalCase) -> Any:
        return self.function(*(output, case.expected, case)[: self._takes])


def _positional(function: Callable[..., Any]) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins have no signature
        return 2
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 3
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in places)
    if needed > 3 or not places:
        raise ArgumentError(
            f"The scorer {getattr(function, '__name__', function)!r} takes {needed} arguments.",
            "A scorer takes the output, then the expected answer, then the case: one to three of them.",
        )
    return max(needed, min(2, len(places)))


@dataclass(frozen=True)
class Renamed:
    """A scorer under another name."""

    scorer: Scorer
    measure: Measure

    def judge(self, output: Any, case: EvalCase) -> Any:
        return self.scorer.judge(output, case)


def resolve(scorers: Any, cases: Sequence[EvalCase]) -> list[Scorer]:
    """Scorers from what a user gives: None (``exact`` where an answer is expected), a name, a function, a scorer, a list or a dict.

    Raises
    ------
    PluginError, ArgumentError
        When a name is not known, when something is no scorer, when two have one name.
    """
    if scorers is None:
        return [_one("exact")] if any(c.answers for c in cases) else []
    if isinstance(scorers, Mapping):
        made = [_one(s, str(n)) for n, s in scorers.items()]
    elif isinstance(scorers, str) or not isinstance(scorers, Sequence):
        made = [_one(scorers)]
    else:
        made = [_one(s) for s in scorers]
    twice = [n for n, k in Counter(s.measure.name for s in made).items() if k > 1]
    if twice:
        raise ArgumentError(f"Two scorers are called {twice[0]!r}.", "", f"Name them: scorers={{'{twice[0]}': …, 'another': …}}.")
    return made


def _one(scorer: Any, name: str = "") -> Scorer:
    if isinstance(scorer, str):
        scorer = registry.get("scorer", scorer)
    if isinstance(scorer, type) and hasattr(scorer, "judge"):
        scorer = scorer()
    if isinstance(scorer, Scorer):
        if not name or scorer.measure.name == name:
            return scorer
        return Renamed(scorer, replace(scorer.measure, name=name, title=name.replace("_", " ").capitalize()))
    if callable(scorer):
        return Function(scorer, name)
    raise ArgumentError(
        f"{scorer!r} is not a scorer.", "A scorer is a name, a function of output and expected answer, or an object with measure and judge."
    )


async def judge(scorers: Sequence[Scorer], output: Any, case: EvalCase, threads: Executor) -> tuple[dict[str, float | None], dict[str, str]]:
    """Values and notes of one output by every scorer. A scorer that fails costs its own value only."""
    scores: dict[str, float | None] = {}
    notes: dict[str, str] = {}
    for scorer in scorers:
        name = scorer.measure.name
        try:
            found: Any = await asyncio.get_running_loop().run_in_executor(threads, scorer.judge, output, case)
            if inspect.isawaitable(found):
                found = await found
            value, note = (found.value, found.note) if isinstance(found, Judgement) else (found, "")
            scores[name] = _checked(value, scorer.measure)
        except Exception as e:
            scores[name], note = None, f"{type(e).__name__}: {e}"
        if note:
            notes[name] = note
    return scores, notes


def _checked(value: Any, measure: Measure) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number) or (measure.unit == "%" and not 0.0 <= number <= 1.0):
        raise ValueError(f"{number:g} is not a {'share of 0 to 1' if measure.unit == '%' else 'finite number'}.")
    return number
