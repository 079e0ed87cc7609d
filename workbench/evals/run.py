"""Asks every model every case, some at a time, and fills a result. One bad row costs one row; a stop keeps what is there.

Does not know what a model is (`target`), how fast it may be asked (`pace`) or what an answer is worth (`scoring`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from ..errors import NotStarted
from .pace import Pace
from .result import EvalResult
from .scoring import Scorer, in_words, judge, prepare
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
    on_end: Callable[[], None] | None = None,
) -> EvalResult:
    """Fill ``result`` with one row a case and finish it; what is answered there already is not asked again.

    Parameters
    ----------
    targets : sequence of Target
        One a model of the result; a target that stands twice is asked once.
    concurrency : int
        Rows at a time. The models of a row are asked one after the other, the first one first on every other row, so that
        neither meets a warmer machine.
    on_row : callable, optional
        Called with every row as it is finished, on the event loop.
    on_end : callable, optional
        Called before the result is finished, however the run ended.

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
    left = [c for c in cases if (row := result.row(c.index)) is None or any(o.missing for o in row.outputs)]
    waiting = iter(left)

    async def worker(waiting: Iterator[EvalCase]) -> None:
        for case in waiting:
            row = await _row(case, targets, paces, scorers, threads, result.row(case.index))
            result.append(row)
            if on_row:
                on_row(row)

    async def every() -> None:
        await prepare(scorers)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(left))):
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
            skipped = tuple(EvalOutput(error=STOPPED, skipped=True) for _ in targets)
            for case in left:
                if result.row(case.index) is None:
                    result.append(EvalRow(case.index, case.input, case.expected, skipped, case.accept))
        if on_end:
            on_end()
        result.finish("finished" if complete else "cancelled")
    return result


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a worker raised; the group around it means nothing to a user."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


async def _row(
    case: EvalCase, targets: Sequence[Target], paces: dict[Target, Pace], scorers: Sequence[Scorer], threads: Executor, before: EvalRow | None
) -> EvalRow:
    asked = list(paces) if case.index % 2 == 0 else list(reversed(paces))
    known = {t: o for t, o in zip(targets, before.outputs, strict=True) if not o.missing} if before else {}
    outputs = {t: known[t] if t in known else await _output(case, t, paces[t], scorers, threads) for t in asked}
    return EvalRow(case.index, case.input, case.expected, tuple(outputs[t] for t in targets), case.accept)


async def _output(case: EvalCase, target: Target, pace: Pace, scorers: Sequence[Scorer], threads: Executor) -> EvalOutput:
    try:
        output = await pace.run(lambda: target.ask(case))
    except NotStarted:
        raise
    except Exception as e:
        nothing = await judge([s for s in scorers if getattr(s, "counts_missing", False)], None, case, threads)
        partial = getattr(e, "partial", "") or None
        return EvalOutput(partial, error=in_words(e), scores={s.measure.name: None for s in scorers}, parts=nothing.parts)
    verdicts = await judge(scorers, output.value, case, threads)
    return replace(output, scores=verdicts.scores, notes=verdicts.notes, judge_usage=verdicts.usage, parts=verdicts.parts)
