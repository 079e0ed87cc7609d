"""A module, an async function or a plain function as something to ask. Knows only how they are called, not what they are."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

from ..core.messages import Completion
from ..errors import ArgumentError, WorkbenchError
from .values import EvalCase, EvalOutput

PARALLEL_LOCAL, PARALLEL_REMOTE = 4, 8


class Target:
    """One model of an evaluation.

    Parameters
    ----------
    subject : module or callable
        Has ``async acall(query, **arguments)``, or is a function, async or not, of the input.
    threads : Executor
        Where plain functions run.
    """

    def __init__(self, subject: Any, threads: Executor) -> None:
        self._call = getattr(subject, "acall", None) or subject
        self._threads = threads
        if not callable(self._call):
            raise ArgumentError(f"{subject!r} cannot be evaluated.", "It is neither a module nor a function.")

    async def ask(self, case: EvalCase) -> EvalOutput:
        """The output for one case, without scores. Raises what the model raises."""
        call = partial(self._call, **case.input) if case.keywords else partial(self._call, case.input)
        begin = time.perf_counter()
        if inspect.iscoroutinefunction(self._call):
            answer = await call()
        else:
            context = contextvars.copy_context()
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, context.run, call)
            if inspect.isawaitable(answer):
                answer = await answer
        took = time.perf_counter() - begin
        if not isinstance(answer, Completion):
            return EvalOutput(answer, latency=took)
        return EvalOutput(
            answer.text if not answer.tool_calls or answer.text else [_call_of(c) for c in answer.tool_calls],
            latency=answer.timing.total or took,
            first_token=answer.timing.first_token,
            usage=answer.usage,
        )


def _call_of(call: Any) -> Mapping[str, str]:
    return {"name": call.name, "arguments": call.arguments}


def parallel(subject: Any) -> int:
    """How many rows at once fit a model when nobody says: as many as a local engine has slots, more for a vendor."""
    try:
        endpoint = getattr(subject, "endpoint", None)
    except WorkbenchError:  # not started yet: the first row says what to do
        endpoint = None
    return PARALLEL_LOCAL if endpoint is None or getattr(endpoint, "source", "local") == "local" else PARALLEL_REMOTE


def label(subject: Any) -> str:
    """What people call a model: its name, else its function's or class's."""
    for attribute in ("name", "target_name", "__name__"):
        value = getattr(subject, attribute, None)
        if isinstance(value, str) and value:
            return value.strip("<>")
    return type(subject).__name__
