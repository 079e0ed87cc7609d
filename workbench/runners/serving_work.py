"""One thread that works on a model, and the queue before it: fair between callers, joined across them, dropped with them.

A call is cut into units (a text, a sentence, a picture). The thread takes them in turns, one call after the other, so that a
call of ten thousand units does not keep one of a single unit waiting. Units of the same kind are worked on together where the
server says how many. Knows neither HTTP nor what a unit is. Standard library only.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Sequence
from typing import Any

Gone = Callable[[], bool]
HungUp = Callable[[], Coroutine[Any, Any, None]]
Run = Callable[[Any, Sequence[Any], Gone], Sequence[Any]]


class QueueFull(Exception):
    """More calls are waiting than the server wants to keep."""


class Dropped(Exception):
    """The work was given up, because nobody waits for it any more."""


class _Task:
    """One call's units, and where its results go."""

    def __init__(self, kind: Hashable, units: Sequence[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.kind, self.units, self.left = kind, units, deque(range(len(units)))
        self.gone, self.started = False, False
        self._loop = loop
        self.done: asyncio.Queue[tuple[int, Any, BaseException | None]] = asyncio.Queue()

    def tell(self, index: int, result: Any, error: BaseException | None = None) -> None:
        """Hand a result over to the event loop; called by the thread."""
        if not self.gone and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.done.put_nowait, (index, result, error))


class Worker:
    """The thread and its queue.

    Parameters
    ----------
    run : callable
        ``run(kind, units, gone)`` gives one result for each unit, in order. ``gone()`` turns true when nobody waits for any of
        them any more; long work asks now and then, and raises `Dropped`.
    most : int or callable
        How many units go into one ``run``, or ``most(kind)``.
    waiting : int
        How many calls may wait.

    Attributes
    ----------
    counts : dict of str to float
        What `metrics` tells beside its own: a server adds to names of its own, such as ``images_total``, in ``run``.
    """

    def __init__(self, run: Run, most: int | Callable[[Any], int] = 1, waiting: int = 1000) -> None:
        self._run, self._limit = run, waiting
        self._most = most if callable(most) else lambda _: most
        self._tasks: deque[_Task] = deque()
        self._changed = threading.Condition()
        self._busy: list[_Task] = []
        self._requests, self._seconds = 0, 0.0
        self.counts: dict[str, float] = {}
        threading.Thread(target=self._work, name="model", daemon=True).start()

    async def all(self, kind: Hashable, units: Sequence[Any], hung_up: HungUp | None = None) -> list[Any]:
        """The results of all units, in order. ``hung_up()`` is awaited beside the work, and ends it.

        Raises
        ------
        QueueFull, Dropped
            And what ``run`` raised for one of the units.
        """
        return [result async for result in self.each(kind, units, hung_up)]

    async def each(self, kind: Hashable, units: Sequence[Any], hung_up: HungUp | None = None) -> AsyncIterator[Any]:
        """The results in order, each as soon as it is there; leaving the loop drops what is left. Raises what `all` raises."""
        task = self._add(kind, units)
        ahead: dict[int, Any] = {}
        left = asyncio.ensure_future(hung_up()) if hung_up is not None else None
        try:
            for index in range(len(units)):
                while index not in ahead:
                    at, result, error = await self._next(task, left)
                    if error is not None:
                        raise error
                    ahead[at] = result
                yield ahead.pop(index)
        finally:
            if left is not None:
                left.cancel()
            self._drop(task)

    def metrics(self) -> dict[str, float]:
        """Requests running, waiting and in all, seconds of work, and the server's own counts."""
        with self._changed:
            running = {id(t) for t in (*self._busy, *(t for t in self._tasks if t.started))}
            waiting = sum(not t.started for t in self._tasks)
            own = {"requests_running": len(running), "requests_waiting": waiting, "requests_total": self._requests}
            return {**own, "work_seconds_total": self._seconds, **self.counts}

    async def _next(self, task: _Task, left: asyncio.Future[None] | None) -> tuple[int, Any, BaseException | None]:
        if left is None:
            return await task.done.get()
        getting = asyncio.ensure_future(task.done.get())
        both: list[asyncio.Future[Any]] = [getting, left]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
        finally:
            getting.cancel()
        raise Dropped

    def _add(self, kind: Hashable, units: Sequence[Any]) -> _Task:
        task = _Task(kind, units, asyncio.get_running_loop())
        with self._changed:
            if sum(not t.started for t in self._tasks) >= self._limit:
                raise QueueFull(f"{self._limit} requests are waiting.")
            self._requests += 1
            if units:
                self._tasks.append(task)
                self._changed.notify()
        return task

    def _drop(self, task: _Task) -> None:
        with self._changed:
            task.gone = True
            if task in self._tasks:
                self._tasks.remove(task)

    def _take(self) -> list[tuple[_Task, int]]:
        """The next units, of one kind: one of each call in turn, until there are enough."""
        kind = self._tasks[0].kind
        chosen: list[tuple[_Task, int]] = []
        most = max(1, self._most(kind))
        while len(chosen) < most:
            task = next((t for t in self._tasks if t.kind == kind), None)
            if task is None:
                break
            self._tasks.remove(task)
            task.started = True
            chosen.append((task, task.left.popleft()))
            if task.left:
                self._tasks.append(task)  # behind the others: the next unit is another call's
        return chosen

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._tasks:
                    self._changed.wait()
                chosen = self._take()
                self._busy = [task for task, _ in chosen]
            begun = time.monotonic()
            try:
                self._together(chosen)
            finally:
                with self._changed:
                    self._busy = []
                    self._seconds += time.monotonic() - begun

    def _together(self, chosen: list[tuple[_Task, int]]) -> None:
        """Run some units and tell their results; where that fails, each by itself, so that one call cannot spoil another."""
        chosen = [c for c in chosen if not c[0].gone]
        if not chosen:
            return
        try:
            results = self._run(chosen[0][0].kind, [task.units[i] for task, i in chosen], lambda: all(task.gone for task, _ in chosen))
            if len(results) != len(chosen):
                raise RuntimeError(f"The model gave {len(results)} results for {len(chosen)} inputs.")
        except BaseException as e:  # the thread has to live on, whatever a model does
            if len(chosen) == 1:
                chosen[0][0].tell(chosen[0][1], None, e)
                return
            for one in chosen:
                self._together([one])
            return
        for (task, i), result in zip(chosen, results, strict=True):
            task.tell(i, result)
