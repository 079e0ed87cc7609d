"""`StreamCallHelper`: iterate over what a call streams, however deep inside the call the models are.

Does not know models: it runs any callable with a listener in its context, and modules report their pieces to it.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from ..core.events import Piece
from .context import Listener, listener


class StreamCallHelper:
    """Make a call that can be iterated.

    Parameters
    ----------
    impl : callable
        A module, or the outermost callable that modules with ``stream=True`` run inside.

    Attributes
    ----------
    result : object
        What the last call returned, once its pieces are all read.

    Examples
    --------
    >>> helper = StreamCallHelper(m)
    >>> for piece in helper('Tell me a story'):
    ...     print(piece, end='')
    >>> helper.result
    """

    def __init__(self, impl: Callable[..., Any]) -> None:
        self.impl = impl
        self._last: _Running | None = None

    @property
    def result(self) -> Any:
        return self._last.result if self._last is not None else None

    def __call__(self, *args: Any, **kwargs: Any) -> StreamCall:
        """Start the call.

        Returns
        -------
        StreamCall
            An iterator, also an async one, of `Piece`; an error of the call is raised where the pieces end.
        """
        self._last = _Running(self.impl)
        self._last.start(self.impl, args, kwargs)
        return StreamCall(self._last)

    def astream(self, *args: Any, **kwargs: Any) -> StreamCall:
        """The same, for ``async for``."""
        return self(*args, **kwargs)


class StreamCall(Iterator[Piece], AsyncIterator[Piece]):
    """One running call: its pieces, then `result`. A context manager; `close` stops what still generates.

    Dropping it, as a ``break`` out of its loop does, closes it too.
    """

    def __init__(self, running: _Running) -> None:
        self._running = running
        self._over = False

    @property
    def result(self) -> Any:
        """What the call returned; None until the pieces are all read."""
        return self._running.result

    @property
    def traces(self) -> list[Any]:
        """Results of the modules with ``return_trace=True`` inside the call, in the order in which they came."""
        return list(self._running.traces)

    def __iter__(self) -> StreamCall:
        return self

    def __next__(self) -> Piece:
        if not self._over:
            piece = self._running.pieces.get()
            if piece is not None:
                return piece
            self._finish()
        raise StopIteration

    def __aiter__(self) -> StreamCall:
        return self

    async def __anext__(self) -> Piece:
        if not self._over:
            try:
                piece = self._running.pieces.get_nowait()
            except queue.Empty:
                piece = await asyncio.to_thread(self._running.pieces.get)
            if piece is not None:
                return piece
            self._finish()
        raise StopAsyncIteration

    def _finish(self) -> None:
        self._over = True
        if self._running.error is not None:
            raise self._running.error

    def close(self) -> None:
        """Stop: whatever still generates for this call is aborted at once."""
        self._over = True
        self._running.close()

    async def aclose(self) -> None:
        """The same, awaited."""
        self.close()

    def __enter__(self) -> StreamCall:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> StreamCall:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._over:
            self._running.close()


class _Running(Listener):
    """The call's side, which its thread holds: kept apart from `StreamCall`, so that the reader can be dropped."""

    def __init__(self, root: object) -> None:
        super().__init__(root)
        self.pieces: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        self.result: Any = None
        self.error: BaseException | None = None
        self._heard = False

    def put(self, piece: Piece) -> None:
        self._heard = True
        self.pieces.put(piece)

    def start(self, impl: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        context = contextvars.copy_context()
        context.run(listener.set, self)
        threading.Thread(target=context.run, args=(self._run, impl, args, kwargs), name="workbench-stream-call", daemon=True).start()

    def _run(self, impl: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            self.result = impl(*args, **kwargs)
            if not self._heard and isinstance(self.result, str) and self.result:
                self.pieces.put(Piece(self.result))  # nothing in the call streams: the whole answer is the one piece
        except BaseException as e:
            self.error = e
        finally:
            self.pieces.put(None)
