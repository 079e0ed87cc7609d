"""One answer while it arrives. The blocking call is this stream, joined.

A pump on the background loop fills a channel; whoever iterates empties it, all that is there at once. The stream owns the
request: closing it, breaking out of a loop over it or losing the last reference aborts it upstream. Knows no wire format
and no socket (`workbench.runtime.client` pumps).
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from _thread import allocate_lock
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from ..core.events import Piece
from ..core.messages import Completion, FinishReason, Timing, Usage
from . import loop
from .channel import Channel

__all__ = ["Channel", "Stream"]


class Stream:
    """An answer while it arrives: iterate it (``for`` or ``async for``) for its pieces, or `join` it for all of it.

    Iterating raises an `EndpointError` when the answer breaks off, after the pieces that came. Each piece is read once;
    a stream is for one reader.

    Parameters
    ----------
    pump : callable
        Given the channel, gives the coroutine that fills it.
    """

    def __init__(self, pump: Callable[[Channel], Coroutine[Any, Any, None]]) -> None:
        self._channel = channel = Channel()
        task = loop.spawn(pump(channel))
        self._abort = weakref.finalize(self, _abort, channel, task)
        self._abort.atexit = False

    def __iter__(self) -> Iterator[Piece]:
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

    def __next__(self) -> Piece:
        if not self._channel.ready:
            self._wait()
        if self._channel.pieces:
            return self._channel.pieces.popleft()
        self._raise()
        raise StopIteration

    async def __aiter__(self) -> AsyncIterator[Piece]:
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
        self._raise()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def join(self) -> Completion:
        """Wait for the end and return the whole answer, pieces read before included.

        Raises
        ------
        EndpointError
            The kind says what went wrong; a `StreamBroken` carries what came as ``partial``.
        """
        for _ in self:
            pass
        return self._channel.completion()

    async def ajoin(self) -> Completion:
        """`join` for async code."""
        async for _ in self:
            pass
        return self._channel.completion()

    def on_end(self, action: Callable[[Completion], object]) -> Stream:
        """Call ``action`` once with the answer when it has ended, however it ended; it must be quick and not raise."""
        self._channel.actions.append(action)
        if self._channel.ended:
            self._channel.act()
        return self

    def close(self) -> None:
        """Abort the request upstream at once, unless it has ended. Pieces that have arrived can still be read."""
        self._abort()

    @property
    def closed(self) -> bool:
        """Whether the answer has ended or was closed."""
        return self._channel.ended

    @property
    def completion(self) -> Completion:
        """The answer as far as it has come."""
        return self._channel.completion()

    @property
    def text(self) -> str:
        """The answer's text as far as it has come."""
        return "".join(self._channel.texts)

    @property
    def reasoning(self) -> str:
        """The reasoning as far as it has come."""
        return "".join(self._channel.reasoning)

    @property
    def usage(self) -> Usage:
        """Tokens of this call; estimated until the endpoint reports them."""
        return self._channel.completion().usage

    @property
    def timing(self) -> Timing:
        """Time to the first token and so far, in seconds."""
        return self._channel.completion().timing

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended; ``unknown`` while it has not."""
        return self._channel.completion().finish_reason

    def __repr__(self) -> str:
        c = self._channel
        state = "failed" if c.error else "closed" if c.cancelled else "ended" if c.ended else "open"
        return f"<Stream {state}, {sum(map(len, c.texts))} characters>"

    def _wait(self) -> None:
        """Block this thread until there is something to read; an interrupt closes the stream."""
        channel, lock = self._channel, allocate_lock()
        if loop.inside():
            raise RuntimeError("A stream cannot be waited for on the background loop; use 'async for'.")
        lock.acquire()
        channel.waiters.append(lock.release)
        if channel.ready:
            return  # the pump was faster; the waiter it may still call is harmless
        try:
            lock.acquire()
        except BaseException:
            self.close()
            raise

    async def _await(self) -> None:
        running = asyncio.get_running_loop()
        event = asyncio.Event()
        self._channel.waiters.append(lambda: _set(running, event))
        if not self._channel.ready:
            await event.wait()

    def _raise(self) -> None:
        if self._channel.error is not None:
            raise self._channel.error


def _abort(channel: Channel, task: Future[None]) -> None:
    if not channel.ended:
        channel.cancelled = True
        task.cancel()
        channel.end()


def _set(running: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the reader's loop has closed; nobody waits any more
        running.call_soon_threadsafe(event.set)
