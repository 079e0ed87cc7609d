"""What runs side by side in one go: who may begin, who waits at a barrier, what failed. Also the barrier itself.

Only the state and its rules. Does not know whether a member is a thread or a task: it is told how to begin one (`launch`) and,
by who waits, how to wake it. Nothing here blocks but a barrier called in a thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

from ..errors import FlowError
from .carriers import arguments, collected


class Stopped(BaseException):
    """Ends a member of a group in which another one failed. Not an Exception, so that no step takes it for its own."""


class Cancellable(Protocol):
    def cancel(self) -> Any: ...


class Group:
    """Members 0 … size-1 of one run.

    Parameters
    ----------
    size : int
        How many members there are.
    limit : int
        How many run at once. One that waits at a barrier does not count, so that every member gets there.
    launch : callable
        Begins the member of that number. Called in any thread.
    needs : sequence of sequences of int, optional
        For each member those that must have ended before it begins.
    parent : Member or None
        The member of another group inside which this group runs, and with which it stops.
    """

    def __init__(
        self, size: int, limit: int, launch: Callable[[int], None], needs: Sequence[Sequence[int]] | None = None, parent: Member | None = None
    ) -> None:
        self.size, self.limit, self.launch = size, limit, launch
        self.stopped = False
        self.errors: list[tuple[int, BaseException]] = []
        self.over = threading.Event()
        self.on_over: Callable[[], None] = self.over.set
        self._lock = threading.Lock()
        self._active = self._finished = 0
        self._held: set[Cancellable] = set()
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self._resumed: list[tuple[int, Callable[[], None]]] = []
        self._missing = [len(n) for n in needs] if needs else []
        self._heirs: dict[int, list[int]] = {}
        for member, needed in enumerate(needs or ()):
            for other in needed:
                self._heirs.setdefault(other, []).append(member)
        self._pending = deque(i for i in range(size) if not self._missing or not self._missing[i])
        self._blocked = size - len(self._pending)
        self._parent = parent

    def begin(self) -> list[int]:
        """The members that begin at once; none when what it runs in has been stopped already."""
        if self._parent is not None:
            self._parent.hold(self)
        with self._lock:
            return self._moves()[0]

    def finish(self, member: int, error: BaseException | None = None) -> list[int]:
        """A member ended. Returns those that begin now, one of which the caller may run in its place."""
        with self._lock:
            self._active -= 1
            self._finished += 1
            wake: list[Callable[[], None]] = []
            if error is not None and not (self.stopped and isinstance(error, Stopped)):
                self.errors.append((member, error))
                wake = self._stop()
            if not self.stopped:
                for heir in self._heirs.get(member, ()):
                    self._missing[heir] -= 1
                    if not self._missing[heir]:
                        self._blocked -= 1
                        self._pending.append(heir)
            begin, resume = self._moves()
            over = self._finished == self.size
        self._after(wake, resume)
        if over:
            if self._parent is not None:
                self._parent.release(self)
            self.on_over()
        return begin

    def arrive(self, member: int, wake: Callable[[], None]) -> None:
        """A member waits at a barrier until every other one that runs has come there or has ended; then it is woken."""
        with self._lock:
            if self.stopped:
                raise Stopped
            self._active -= 1
            self._waiting.append((member, wake))
            begin, resume = self._moves()
        self._after([], resume)
        for other in begin:
            self.launch(other)

    def stop(self) -> None:
        """Nothing begins any more, who waits is woken, what can be cancelled is."""
        with self._lock:
            wake = self._stop()
            over = self._finished == self.size
        self._after(wake, [])
        if over:
            self.on_over()

    cancel = stop  # a group is held by the member it runs in, as a future is

    def hold(self, running: Cancellable) -> None:
        """What a member waits for, to be cancelled when the group stops."""
        with self._lock:
            if not self.stopped:
                self._held.add(running)
                return
        running.cancel()

    def release(self, running: Cancellable) -> None:
        """It has ended."""
        with self._lock:
            self._held.discard(running)

    def _moves(self) -> tuple[list[int], list[Callable[[], None]]]:
        if self._waiting and len(self._waiting) >= self.size - self._finished - self._blocked:
            self._resumed, self._waiting = sorted(self._waiting, key=lambda w: w[0]), []
        begin, resume = [], []
        while self._active < self.limit and (self._resumed or self._pending):
            self._active += 1
            if self._resumed:
                resume.append(self._resumed.pop(0)[1])
            else:
                begin.append(self._pending.popleft())
        return begin, resume

    def _stop(self) -> list[Callable[[], None]]:
        if self.stopped:
            return []
        self.stopped = True
        self._finished += len(self._pending) + self._blocked
        self._pending.clear()
        self._blocked = 0
        asleep, self._waiting, self._resumed = self._waiting + self._resumed, [], []
        self._active += len(asleep)
        return [wake for _, wake in asleep]

    def _after(self, wake: list[Callable[[], None]], resume: list[Callable[[], None]]) -> None:
        for each in wake + resume:
            each()
        if self.stopped and self._held:
            with self._lock:
                held, self._held = self._held, set()
            for running in held:
                running.cancel()


class Member:
    """One member, as what runs inside it sees itself."""

    __slots__ = ("group", "index")

    def __init__(self, group: Group, index: int) -> None:
        self.group, self.index = group, index

    @property
    def stopped(self) -> bool:
        """Whether it should end."""
        return self.group.stopped

    def hold(self, running: Cancellable) -> None:
        """See `Group.hold`."""
        self.group.hold(running)

    def release(self, running: Cancellable) -> None:
        """See `Group.release`."""
        self.group.release(running)


current: ContextVar[Member | None] = ContextVar("workbench_flow_member", default=None)


class Barrier:
    """As an item of branches: wait until every other branch of the same parallel is at a barrier, too, or has ended.

    Hands its input on. Outside a parallel there is nobody to wait for.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        member = current.get()
        if member is not None:
            gate = threading.Lock()
            gate.acquire()
            member.group.arrive(member.index, gate.release)
            gate.acquire()
            if member.stopped:
                raise Stopped
        return arguments(args, kwargs) if kwargs else collected(args)

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """The same, awaited."""
        import asyncio

        member = current.get()
        if member is not None:
            loop = asyncio.get_running_loop()
            gate = loop.create_future()

            def wake() -> None:
                if not gate.done():
                    gate.set_result(None)

            member.group.arrive(member.index, lambda: _post(loop, wake))
            await gate
            if member.stopped:
                raise Stopped
        return arguments(args, kwargs) if kwargs else collected(args)

    def __reduce__(self) -> str:
        return "barrier"

    def __repr__(self) -> str:
        return "barrier"


def _post(loop: Any, action: Callable[[], None]) -> None:
    """Do it on a loop, which may have been closed by an interrupt meanwhile."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(action)


barrier = Barrier()


def no_threads(error: RuntimeError, running: int) -> FlowError:
    """The error when the system gives no more threads."""
    return FlowError(f"No thread can be started for one more branch; {running} were asked for.", str(error), "Give _concurrent=8, or nest less.")
