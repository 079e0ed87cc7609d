"""Runs branches side by side: in threads (`run_branches`), in tasks (`arun_branches`). `group.Group` says who may begin.

Does not know what the branches do.
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import FlowError
from ..runtime import threads
from .driving import Together, adrive, drive
from .group import Group, Member, Stopped, current, no_threads


def run_branches(asked: Together) -> list[Any]:
    """Drive every branch; the caller's thread takes part."""
    return _run([lambda make=make: drive(make()) for make in asked.branches], asked.limit, asked.needs)  # type: ignore[misc]  # a default in a lambda


def run(calls: Sequence[Callable[[], Any]], limit: int) -> list[Any]:
    """See `workers.run_all`."""
    return _run(calls, limit, None)


def _run(calls: Sequence[Callable[[], Any]], limit: int, needs: Sequence[Sequence[int]] | None) -> list[Any]:
    if not calls:
        return []
    if len(calls) > 1:
        _not_on_the_loop()
    results: list[Any] = [None] * len(calls)
    base = contextvars.copy_context()

    def work(index: int) -> None:
        begin = [index]
        while begin:
            index, *others = begin
            for other in others:
                launch(other)
            error: BaseException | None = None
            try:
                results[index] = base.copy().run(_as_member, Member(group, index), calls[index])
            except BaseException as e:
                error = e
            begin = group.finish(index, error)

    def launch(index: int) -> None:
        try:
            threads.start(lambda: work(index))
        except RuntimeError as e:
            for other in group.finish(index, no_threads(e, len(calls))):
                launch(other)

    group = Group(len(calls), limit, launch, needs, current.get())
    try:
        begin = group.begin()
        for other in begin[1:]:
            launch(other)
        if begin:
            work(begin[0])
        if not any(not isinstance(e, Exception) for _, e in group.errors):
            group.over.wait()
    except BaseException:  # an interrupt: nobody waits for the others, which end at their next step
        group.stop()
        raise
    return _outcome(group, results)


def _as_member(member: Member, call: Callable[[], Any]) -> Any:
    current.set(member)
    return call()


def _not_on_the_loop() -> None:
    loop = sys.modules.get("workbench.runtime.loop")
    if loop is not None and loop.inside():
        raise FlowError(
            "A flow with branches was called, without await, on the background loop.",
            "Its branches may wait for what only that loop can run.",
            "Write: await flow.acall(…).",
        )


def _outcome(group: Group, results: list[Any]) -> list[Any]:
    if group.errors:
        first = group.errors[0][1]
        for _, other in group.errors[1:]:
            if isinstance(other, Exception) and other is not first:
                first.add_note(f"Another branch failed, too: {type(other).__name__}: {other}" + _where(other))
        raise first
    if group.stopped:
        raise Stopped
    return results


def _settle(future: Any) -> None:
    if not future.done():
        future.set_result(None)


def _where(error: BaseException) -> str:
    notes = getattr(error, "__notes__", ())
    return f" ({notes[-1]})" if notes else ""


async def arun_branches(asked: Together) -> list[Any]:
    """Drive every branch in a task of its own; an error, or the end of the awaiting task, cancels the others."""
    import asyncio

    if not asked.branches:
        return []
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    results: list[Any] = [None] * len(asked.branches)
    tasks: set[asyncio.Task[Any]] = set()
    base = contextvars.copy_context()

    def launch(index: int) -> None:
        if group.stopped:
            ended(index, Stopped())
            return
        context = base.copy()
        context.run(current.set, Member(group, index))
        task = loop.create_task(adrive(asked.branches[index]()), context=context)
        tasks.add(task)
        task.add_done_callback(lambda task: collect(index, task))

    def collect(index: int, task: asyncio.Task[Any]) -> None:
        tasks.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            results[index] = task.result()
        ended(index, Stopped() if group.stopped and isinstance(error, asyncio.CancelledError) else error)

    def ended(index: int, error: BaseException | None) -> None:
        for other in group.finish(index, error):
            launch(other)
        if group.stopped:
            for task in list(tasks):
                task.cancel()

    def safely(action: Callable[..., None], *args: Any) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(action, *args)

    group = Group(len(asked.branches), asked.limit, lambda index: safely(launch, index), asked.needs, current.get())
    group.on_over = lambda: safely(_settle, over)
    for index in group.begin():
        launch(index)
    try:
        await over
    except BaseException:
        group.stop()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        raise
    return _outcome(group, results)
