"""What a scorer is, and how answers are judged. Does not know models, runs or any scorer by name.

A scorer has a `Measure` and judges one output of one case; any function is one as well.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from .. import registry
from ..core.messages import Usage
from ..errors import ArgumentError, EndpointError, NotStarted, WorkbenchError
from .values import EvalCase, Measure

Value = float | bool | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A value, what the scorer has to say about it, the tokens that judging took, and for a measure whose value over all rows
    is not the mean of the rows (`Measure.corpus`) the counts that rows add up to."""

    value: Value
    note: str = ""
    usage: Usage = field(default_factory=Usage)
    parts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What all scorers said about one output."""

    scores: dict[str, float | None]
    notes: dict[str, str]
    usage: Usage = field(default_factory=Usage)
    parts: dict[str, tuple[float, ...]] = field(default_factory=dict)


@runtime_checkable
class Scorer(Protocol):
    """What a scorer must be able to do.

    Attributes
    ----------
    measure : Measure
        How its values are read.

    Notes
    -----
    A scorer with a true attribute ``quick`` is called where it stands, in microseconds and without waiting for anything; others
    run in a thread, or are awaited. One with ``async prepare()`` is asked once before the first row. One with a true
    attribute ``counts_missing`` judges a missing answer, too, as None.
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

    Parameters that are called ``output``, ``expected``, ``input`` or ``case`` (or a usual other word for one of them, such as
    ``prediction``, ``reference`` and ``question``) get these by name, in whatever order they stand.

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
        self._roles = _roles(function)

    def judge(self, output: Any, case: EvalCase) -> Any:
        given = {"output": output, "expected": case.expected, "input": case.input, "case": case}
        return self.function(*(given[role] for role in self._roles))


_WORDS = {
    **dict.fromkeys(("output", "prediction", "predicted", "pred", "actual", "completion", "hypothesis"), "output"),
    **dict.fromkeys(("expected", "reference", "target", "gold", "label", "truth", "ground_truth"), "expected"),
    **dict.fromkeys(("input", "question", "query", "prompt"), "input"),
    **dict.fromkeys(("case", "row"), "case"),
}
_PLACES = ("output", "expected", "case")


def _roles(function: Callable[..., Any]) -> tuple[str, ...]:
    """What each positional argument of a function is to be: by its name when every name is known, else by its place."""
    count = _positional(function)
    try:
        names = list(inspect.signature(function).parameters)[:count]
    except (TypeError, ValueError):
        return _PLACES[:count]
    roles = tuple(_WORDS.get(name, "") for name in names)
    return roles if all(roles) and len(set(roles)) == len(roles) == count else _PLACES[:count]


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

    @property
    def quick(self) -> bool:
        return bool(getattr(self.scorer, "quick", False))

    async def prepare(self) -> None:
        await prepare([self.scorer])

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


async def prepare(scorers: Sequence[Scorer]) -> None:
    """Let scorers get ready that need it."""
    for scorer in scorers:
        ready = getattr(scorer, "prepare", None)
        if ready is not None:
            await ready()


async def judge(scorers: Sequence[Scorer], output: Any, case: EvalCase, threads: Executor) -> Verdicts:
    """What every scorer says about one output. A scorer that fails costs its own value only."""
    scores: dict[str, float | None] = {}
    notes: dict[str, str] = {}
    usage, parts = Usage(), {}
    for scorer in scorers:
        name, note = scorer.measure.name, ""
        try:
            found = await _asked(scorer, output, case, threads)
            if isinstance(found, Judgement):
                note, usage = found.note, usage + found.usage
                if found.parts:
                    parts[name] = found.parts
                found = found.value
            scores[name] = _checked(found, scorer.measure)
        except NotStarted:
            raise
        except Exception as e:
            scores[name], note = None, in_words(e)
        if note:
            notes[name] = note
    return Verdicts(scores, notes, usage, parts)


async def _asked(scorer: Scorer, output: Any, case: EvalCase, threads: Executor) -> Any:
    if getattr(scorer, "quick", False) or inspect.iscoroutinefunction(scorer.judge):
        found: Any = scorer.judge(output, case)
    else:
        context = contextvars.copy_context()
        found = await asyncio.get_running_loop().run_in_executor(threads, context.run, scorer.judge, output, case)
    return await found if inspect.isawaitable(found) else found


def in_words(error: Exception) -> str:
    """An error as it stands in a row: what and why; the log and the fix stay with the model."""
    if isinstance(error, WorkbenchError):
        text = f"{error.what} {error.cause}".strip()
        return f"{text} ({type(error).__name__})" if isinstance(error, EndpointError) else text
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _checked(value: Any, measure: Measure) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number) or (measure.unit == "%" and not 0.0 <= number <= 1.0):
        raise ValueError(f"{number:g} is not a {'share of 0 to 1' if measure.unit == '%' else 'finite number'}.")
    return number
