"""Runs a flow's steps, blocking or awaited: the same steps, two drivers.

A flow is written once, as a generator (`Steps`) that asks its driver for what it cannot do itself, and is sent the answer:

- a tuple ``(function, args, kwargs)``: one call,
- a `Together`: generators to run side by side.

`drive` calls functions where it stands and runs coroutines on the background loop. `adrive` awaits coroutines, and ``acall``
where an object has one, on its own loop, and lets a thread do the plain calls in between. Knows nothing of what flows there are.
"""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Callable, Generator, Sequence
from types import CoroutineType
from typing import Any

from ..errors import FlowError
from .group import Member, Stopped, current

Steps = Generator[Any, Any, Any]


class Together:
    """Ask for several generators to be run side by side; the answer is the list of their results.

    Parameters
    ----------
    branches : sequence of callables
        Each makes its generator when its turn comes.
    limit : int
        How many run at once.
    needs : sequence of sequences of int, optional
        For each branch those that must have ended before it begins.
    """

    __slots__ = ("branches", "limit", "needs")

    def __init__(self, branches: Sequence[Callable[[], Steps]], limit: int, needs: Sequence[Sequence[int]] | None = None) -> None:
        self.branches, self.limit, self.needs = branches, limit, needs

    def run(self) -> list[Any]:
        """In threads."""
        from .together import run_branches

        return run_branches(self)

    async def arun(self) -> list[Any]:
        """In tasks."""
        from .together import arun_branches

        return await arun_branches(self)


class StoppedIteration(Exception):
    """Carries a StopIteration of a step through the generators, which would take it for their own end."""

    def __init__(self, error: StopIteration) -> None:
        super().__init__(error)
        self.error = error


def drive(steps: Steps) -> Any:
    """Run a flow here and now.

    Returns
    -------
    object
        What the generator returned.
    """
    member = current.get()
    try:
        request = steps.send(None)
        while True:
            if member is not None and member.stopped:
                raise Stopped
            try:
                if request.__class__ is tuple:
                    answer = request[0](*request[1], **request[2])
                    if answer.__class__ is CoroutineType:
                        answer = _await(answer, member)
                else:
                    answer = request.run()
            except BaseException as e:
                request = steps.throw(StoppedIteration(e) if isinstance(e, StopIteration) else e)
            else:
                request = steps.send(answer)
    except StopIteration as end:
        return end.value
    except StoppedIteration as carried:
        raised = carried.error
    raise raised


def _await(coroutine: Any, member: Member | None) -> Any:
    from ..runtime import loop

    if loop.inside():
        coroutine.close()
        raise FlowError(
            "A flow with asynchronous steps was called, without await, on the background loop.",
            "It would wait there for what only that loop can run.",
            "Write: await flow.acall(…).",
        )
    future = loop.spawn(coroutine)
    if member is not None:
        member.hold(future)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        if member is not None and member.stopped:
            raise Stopped from None
        raise
    finally:
        if member is not None:
            member.release(future)


async def adrive(steps: Steps) -> Any:
    """Run a flow without blocking the running event loop."""
    hop = _Hop(steps)
    try:
        request = steps.send(None)
        while True:
            if request.__class__ is tuple and not awaited(request[0]):
                ended, request = await hop.on(request)
                if ended:
                    return request
                continue
            try:
                if request.__class__ is tuple:
                    call: Any = getattr(request[0], "acall", request[0])
                    answer = await call(*request[1], **request[2])
                elif request.__class__ is CoroutineType:
                    answer = await request
                else:
                    answer = await request.arun()
            except BaseException as e:
                request = steps.throw(e)
            else:
                request = steps.send(answer)
    except StopIteration as end:
        return end.value
    except StoppedIteration as carried:
        raise carried.error from None  # which Python makes a RuntimeError of: no coroutine may raise a StopIteration


def awaited(function: Any) -> bool:
    """Whether a call of it is awaited: a coroutine function, or an object with ``acall``."""
    if inspect.iscoroutinefunction(function):
        return True
    if inspect.isroutine(function) or isinstance(function, type):
        return False
    return inspect.iscoroutinefunction(getattr(function, "acall", None)) or inspect.iscoroutinefunction(type(function).__call__)


class _Hop:
    """Lets a thread take the steps that are plain calls, as many as come one after the other."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.member = current.get()
        self.context = contextvars.copy_context()
        self.left = False

    async def on(self, request: Any) -> tuple[bool, Any]:
        """(True, result), or (False, the first request that is awaited)."""
        import asyncio

        from ..runtime import threads

        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[bool, Any]] = loop.create_future()

        def job() -> None:
            try:
                result, error = self.context.run(self._take, request), None
            except BaseException as e:
                result, error = (True, None), e
            threads.tell(loop, future, result, error)

        threads.start(job)
        try:
            return await future
        finally:
            self.left = future.cancelled()

    def _take(self, request: Any) -> tuple[bool, Any]:
        steps = self.steps
        try:
            while request.__class__ is tuple and not awaited(request[0]):
                if self.left or (self.member is not None and self.member.stopped):
                    steps.close()
                    raise Stopped
                try:
                    answer = request[0](*request[1], **request[2])
                except BaseException as e:
                    request = steps.throw(StoppedIteration(e) if isinstance(e, StopIteration) else e)
                else:
                    request = answer if answer.__class__ is CoroutineType else steps.send(answer)
        except StopIteration as end:
            return True, end.value
        return False, request
