"""A module, a flow, an async function or a plain function as something to ask. Knows how they are called, not what they are."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any

from ..core.answers import Answer
from ..core.messages import Completion, Usage
from ..errors import ArgumentError, WorkbenchError
from .rows import EXPECTED
from .values import EvalCase, EvalOutput

PARALLEL_LOCAL, PARALLEL_REMOTE, PARALLEL_FUNCTION = 4, 8, 8
_NOT_ARGUMENTS = frozenset({"expected", "accept", "messages", "conversations"})
_NONE = Usage()


class Target:
    """One model of an evaluation.

    Parameters
    ----------
    subject : module, flow or callable
        Has ``async acall(query, **arguments)``, or is a function, async or not, of the input.
    threads : Executor
        Where what blocks runs.
    """

    def __init__(self, subject: Any, threads: Executor) -> None:
        from ..modules import usage

        self._metering = usage
        self._call, self._is_async = _entry(subject)
        self._threads = threads
        self._names, self._needed = _parameters(getattr(subject, "forward", subject))

    async def ask(self, case: EvalCase) -> EvalOutput:
        """The output for one case, without scores. Raises what the model raises."""
        call = self._bound(case)
        meter = self._metering.Call(None, None)  # what the modules inside take is counted here, however deep they are
        token = self._metering.running.set(meter)
        begin = time.perf_counter()
        try:
            if self._is_async:
                answer = call()
            else:
                context = contextvars.copy_context()
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, context.run, call)
            if inspect.isawaitable(answer):
                answer = await answer
        finally:
            self._metering.running.reset(token)
        return _output(answer, time.perf_counter() - begin, meter.usage)

    def _bound(self, case: EvalCase) -> Any:
        """The call for a case: the input first; keys of the row that the function names as parameters by name."""
        if case.keywords:
            return partial(self._call, **case.input)
        row = {k: v for k, v in case.row.items() if k in self._names and k not in _NOT_ARGUMENTS and not _empty(v)}
        named = {k: v for k, v in row.items() if k in self._needed or k not in EXPECTED}
        if len(self._needed) > 1 and self._needed <= named.keys():
            return partial(self._call, **named)
        first = next(iter(self._names), "")
        return partial(self._call, case.input, **{k: v for k, v in named.items() if k != first and v is not case.input})


def _empty(value: Any) -> bool:
    """Whether a cell of a table has nothing in it."""
    return value is None or (isinstance(value, float) and value != value)


def _entry(subject: Any) -> tuple[Any, bool]:
    """What to call, and whether it awaits by itself; what only waits in a thread is better called in one of our own."""
    from ..modules.base import ModuleBase

    plain = isinstance(subject, ModuleBase) and not inspect.iscoroutinefunction(subject.forward)
    if plain and type(subject).aforward is ModuleBase.aforward and type(subject).acall is ModuleBase.acall:
        return subject, False
    if callable(call := getattr(subject, "acall", None)):
        return call, True
    call = subject
    if not callable(call):
        raise ArgumentError(f"{subject!r} cannot be evaluated.", "It is neither a module nor a function.")
    return call, inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)


def _parameters(function: Any) -> tuple[dict[str, None], frozenset[str]]:
    """Names that a function gives its parameters, in order, and those of them that it needs."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}, frozenset()
    named = [p for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return dict.fromkeys(p.name for p in named), frozenset(p.name for p in named if p.default is p.empty)


def _output(answer: Any, took: float, metered: Usage) -> EvalOutput:
    completion = answer.completion if isinstance(answer, Answer) else answer
    if not isinstance(completion, Completion):
        return EvalOutput(answer, latency=took, usage=metered)
    output = EvalOutput(
        completion.text if not completion.tool_calls or completion.text else [_call_of(c) for c in completion.tool_calls],
        latency=completion.timing.total or took,
        first_token=completion.timing.first_token,
        usage=completion.usage if metered == _NONE else metered,
    )
    return replace(output, cost=answer.cost) if isinstance(answer, Answer) else output


def _call_of(call: Any) -> Mapping[str, str]:
    return {"name": call.name, "arguments": call.arguments}


def parallel(subject: Any) -> int:
    """How many rows at once fit a model when nobody says.

    As many as a local engine has slots, more for a vendor and for a function; of a module that holds others, what the
    slowest of them stands.
    """
    held = [*getattr(subject, "submodules", ())] or [*(subject.held_modules() if hasattr(subject, "held_modules") else ())]
    own = _own(subject)
    inner = [parallel(m) for m in held]
    return min([*([own] if own is not None else []), *inner], default=PARALLEL_FUNCTION)


def _own(subject: Any) -> int | None:
    try:
        endpoint = getattr(subject, "endpoint", None)
    except (WorkbenchError, NotImplementedError):  # not started yet: the first row says what to do
        return PARALLEL_LOCAL
    if endpoint is None:
        return None
    at_once = getattr(getattr(endpoint, "network", None), "concurrency", None)
    if at_once:
        return int(at_once)
    return PARALLEL_LOCAL if getattr(endpoint, "source", "local") == "local" else PARALLEL_REMOTE


def label(subject: Any) -> str:
    """What people call a model: its name, else its function's or class's."""
    for attribute in ("name", "target_name", "__name__"):
        value = getattr(subject, attribute, None)
        if isinstance(value, str) and value:
            return value.strip("<>")
    return type(subject).__name__
