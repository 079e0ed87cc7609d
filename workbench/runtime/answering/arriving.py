"""Pieces while they arrive: a pump on the background loop fills a channel, whoever iterates empties it, all that is there at once.

It owns the request: closing it, breaking out of a loop over it or losing the last reference aborts it upstream. Does not
know what the pieces are.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from _thread import allocate_lock
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ...core.messages import Completion
from ...errors import EndpointError
from .. import loop
from ..network.pulse import pulse
from ..threads import in_thread
from .channel import Channel

T = TypeVar("T")


class Arriving(Generic[T]):
    """Iterate it (``for`` or ``async for``) for its pieces; each is read once, it is for one reader.

    Iterating raises an `EndpointError` when the answer breaks off, after the pieces that came.

    Parameters
    ----------
    pump : callable
        Given the channel, gives the coroutine that fills it.

    Attributes
    ----------
    explain : callable or None
        Makes a better error of an `EndpointError` before whoever reads gets it; it may block for a moment.
    """

    explain: Callable[[EndpointError], EndpointError] | None = None

    def __init__(self, pump: Callable[[Channel], Coroutine[Any, Any, None]]) -> None:
        self._channel = channel = Channel()
        task = loop.spawn(pump(channel))
        self._abort = weakref.finalize(self, _abort, channel, task)
        self._abort.atexit = False

    def __iter__(self) -> Iterator[T]:
        channel, pieces = self._channel, self._channel.pieces
        try:
            while True:
                while pieces:
                    yield pieces.popleft()
                if channel.ended and not pieces:
                    break
                self._wait()
        finally:
            self.close()
        self._raise()

    def __next__(self) -> T:
        if not self._channel.ready:
            self._wait()
        if self._channel.pieces:
            piece: T = self._channel.pieces.popleft()
            return piece
        self._raise()
        raise StopIteration

    async def __aiter__(self) -> AsyncIterator[T]:
        channel, pieces = self._channel, self._channel.pieces
        try:
            while True:
                while pieces:
                    yield pieces.popleft()
                if channel.ended and not pieces:
                    break
                await self._await()
        finally:
            self.close()
        await self._araise()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Abort the request upstream at once, unless it has ended. Pieces that have arrived can still be read."""
        self._abort()

    def on_end(self, action: Callable[[Completion], object]) -> Self:
        """Call ``action`` once with the answer when it has ended, however it ended; it must be quick and not raise."""
        self._channel.actions.append(action)
        if self._channel.ended:
            self._channel.act()
        return self

    @property
    def closed(self) -> bool:
        """Whether the answer has ended or was closed."""
        return self._channel.ended

    def _wait(self, *, end: bool = False) -> None:
        """Block this thread until there is something to read, or until the end; an interrupt closes the stream."""
        channel, lock = self._channel, allocate_lock()
        if loop.inside():
            raise RuntimeError("A stream cannot be waited for on the background loop; use 'async for'.")
        lock.acquire()
        (channel.enders if end else channel.waiters).append(lock.release)
        if channel.ended or (channel.ready and not end):
            return  # the pump was faster; the waiter it may still call is harmless
        try:
            lock.acquire()
        except BaseException:
            self.close()
            raise

    async def _await(self, *, end: bool = False) -> None:
        running = asyncio.get_running_loop()
        event = asyncio.Event()
        channel = self._channel
        (channel.enders if end else channel.waiters).append(lambda: _set(running, event))
        if not (channel.ended or (channel.ready and not end)):
            with pulse():
                await event.wait()

    def _raise(self) -> None:
        error, explain = self._channel.error, self.explain
        if error is None:
            return
        if explain is not None and isinstance(error, EndpointError):
            self.explain = None
            self._channel.error = error = explain(error)
        raise error

    async def _araise(self) -> None:
        if self._channel.error is not None and self.explain is not None:
            await in_thread(self._raise)
        self._raise()


def _abort(channel: Channel, task: Future[None]) -> None:
    if not channel.ended:
        channel.cancelled = True
        task.cancel()
        channel.end()


def _set(running: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the reader's loop has closed; nobody waits any more
        running.call_soon_threadsafe(event.set)
