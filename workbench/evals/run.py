"""Asks every model every case, some at a time, and fills a result. One bad row costs one row; a stop keeps what is there.

Does not know what a model is (`target`), how fast it may be asked (`pace`) or what an answer is worth (`scoring`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from ..errors import EndpointError, NotStarted, WorkbenchError
from .pace import Pace
from .result import EvalResult
from .scoring import Scorer, judge
from .target import Target
from .values import EvalCase, EvalOutput, EvalRow

STOPPED = "Not asked: the evaluation was stopped before."


async def run(
    result: EvalResult,
    targets: Sequence[Target],
    cases: Sequence[EvalCase],
    scorers: Sequence[Scorer],
    *,
    concurrency: int,
    threads: Executor,
    on_row: Callable[[EvalRow], None] | None = None,
) -> EvalResult:
    """Fill ``result`` with one row a case and finish it.

    Parameters
    ----------
    targets : sequence of Target
        One a model of the result; a target that stands twice is asked once.
    concurrency : int
        Rows at a time. The models of a row are asked one after the other, the first one first on every other row, so that
        neither meets a warmer machine.
    on_row : callable, optional
        Called with every row as it is finished, on the event loop.

    Returns
    -------
    EvalResult
        The same result. `EvalResult.stop` ends it early: state ``cancelled``, the rest marked as skipped.

    Raises
    ------
    NotStarted
        When a model was not started, because then every row would fail in the same way.
    """
    paces = {target: Pace(concurrency) for target in targets}
    waiting = iter(cases)

    async def worker(waiting: Iterator[EvalCase]) -> None:
        for case in waiting:
            row = await _row(case, targets, paces, scorers, threads)
            result.append(row)
            if on_row:
                on_row(row)

    async def every() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(cases))):
                group.create_task(worker(waiting))

    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(every())
    result.set_stop(lambda: loop.call_soon_threadsafe(task.cancel))
    complete = False
    try:
        await task
        complete = True
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
    except BaseExceptionGroup as group:
        raise _first(group) from None
    finally:
        if not complete:
            there = {r.index for r in result.rows}
            skipped = tuple(EvalOutput(error=STOPPED, skipped=True) for _ in targets)
            for case in cases:
                if case.index not in there:
                    result.append(EvalRow(case.index, case.input, case.expected, skipped, case.accept))
        result.finish("finished" if complete else "cancelled")
    return result


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a worker raised; the group around it means nothing to a user."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


async def _row(case: EvalCase, targets: Sequence[Target], paces: dict[Target, Pace], scorers: Sequence[Scorer], threads: Executor) -> EvalRow:
    asked = list(paces) if case.index % 2 == 0 else list(reversed(paces))
    outputs = {target: await _output(case, target, paces[target], scorers, threads) for target in asked}
    return EvalRow(case.index, case.input, case.expected, tuple(outputs[t] for t in targets), case.accept)


async def _output(case: EvalCase, target: Target, pace: Pace, scorers: Sequence[Scorer], threads: Executor) -> EvalOutput:
    try:
        output = await pace.run(lambda: target.ask(case))
    except NotStarted:
        raise
    except Exception as e:
        return EvalOutput(getattr(e, "partial", "") or None, error=_words(e), scores={s.measure.name: None for s in scorers})
    scores, notes = await judge(scorers, output.value, case, threads)
    return replace(output, scores=scores, notes=notes)


def _words(error: Exception) -> str:
    """An error as it stands in a row: what and why; the log and the fix stay with the model."""
    if isinstance(error, WorkbenchError):
        text = f"{error.what} {error.cause}".strip()
        return f"{text} ({type(error).__name__})" if isinstance(error, EndpointError) else text
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
