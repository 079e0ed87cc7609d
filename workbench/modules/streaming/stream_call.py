"""`StreamCallHelper`: iterate over what a call streams, however deep inside the call the models are.

Does not know models: it runs any callable with a listener in its context, and modules report their pieces to it.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import queue
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any

from ...core.events import Piece
from ...core.messages import Usage
from ...errors import ArgumentError
from ...runtime import loop
from ...runtime.network.pulse import pulse
from ...runtime.threads import in_thread
from ..usage import Call, running
from .context import Closable, Listener, listener
from .printing import Printer


class StreamCallHelper:
    """Make a call that can be iterated.

    Parameters
    ----------
    impl : callable
        A module, or the outermost callable that modules with ``stream=True`` run inside. A function may be ``async``, and may be a
        generator: what it yields are pieces, too.
    interval : float, optional
        For those who name it: seconds between two looks. Pieces are given as soon as they are there.
    on_cancel : callable, optional
        Called without arguments when a call is closed before its end.

    Attributes
    ----------
    result : object
        What the last call returned, once its pieces are all read.
    usage : Usage
        Tokens of the last call, of all models in it.

    Examples
    --------
    >>> helper = StreamCallHelper(m)
    >>> for piece in helper('Tell me a story'):
    ...     print(piece, end='')
    >>> helper.result
    """

    def __init__(self, impl: Callable[..., Any], interval: float = 0.0, *, on_cancel: Callable[[], object] | None = None) -> None:
        if not callable(impl):
            raise ArgumentError(f"A {type(impl).__name__} cannot be streamed.", "It cannot be called.", "Give a module, a flow or a function.")
        self.impl, self.on_cancel = impl, on_cancel
        self._last: _Running | None = None

    @property
    def result(self) -> Any:
        return self._last.result if self._last is not None else None

    @property
    def usage(self) -> Usage:
        return self._last.call.usage if self._last is not None else Usage()

    def __call__(self, *args: Any, **kwargs: Any) -> StreamCall:
        """Start the call.

        Returns
        -------
        StreamCall
            An iterator, also an async one, of `Piece`; an error of the call is raised where the pieces end.
        """
        self._last = _Running(self.impl, self.on_cancel)
        self._last.start(self.impl, args, kwargs)
        return StreamCall(self._last)

    def astream(self, *args: Any, **kwargs: Any) -> StreamCall:
        """The same, for ``async for``."""
        return self(*args, **kwargs)

    def show(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, write all pieces to the screen in the colours of their modules, and return the result.

        Where several models speak at the same time, each one's text stays together.
        """
        with self(*args, **kwargs) as call:
            return call.show()


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
    def usage(self) -> Usage:
        """Tokens of the call so far, of all models in it."""
        return self._running.call.usage

    @property
    def traces(self) -> list[Any]:
        """Results of the modules with ``return_trace=True`` inside the call, in the order in which they came."""
        return list(self._running.traces)

    def show(self) -> Any:
        """Write the rest of the pieces to the screen in the colours of their modules, each answer's text together, and return
        what the call returned."""
        printers: dict[int, Printer] = {}
        try:
            while not self._over:
                item = self._running.items.get()
                if isinstance(item, Piece):
                    printers.setdefault(item.answer, Printer()).put(item)
                elif item is None:
                    self._finish()
                elif item in printers:
                    printers.pop(item).end()
        finally:
            for printer in printers.values():
                printer.end()
        return self.result

    def __iter__(self) -> StreamCall:
        return self

    def __next__(self) -> Piece:
        while not self._over:
            item = self._running.items.get()
            if isinstance(item, Piece):
                return item
            if item is None:
                self._finish()
        raise StopIteration

    def __aiter__(self) -> StreamCall:
        return self

    async def __anext__(self) -> Piece:
        while not self._over:
            try:
                item = self._running.items.get_nowait()
            except queue.Empty:
                with pulse():
                    item = await in_thread(self._running.items.get)
            if isinstance(item, Piece):
                return item
            if item is None:
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

    def __init__(self, root: object, on_cancel: Callable[[], object] | None = None) -> None:
        super().__init__(root)
        self._on_cancel, self._over = on_cancel, False
        self.items: queue.SimpleQueue[Piece | int | None] = queue.SimpleQueue()  # a number: that answer has ended; None: all has
        self.result: Any = None
        self.error: BaseException | None = None
        self.call = Call(None, running.get())
        self._heard = False

    def put(self, piece: Piece) -> None:
        self._heard = True
        self.items.put(piece)

    def ended(self, stream: Closable, answer: int = 0) -> None:
        super().ended(stream, answer)
        self.items.put(answer)

    def _read(self, pieces: Generator[Any, Any, Any]) -> Any:
        """Take the pieces of what answers piece by piece itself; what it returned, or else all pieces: as one text where they are texts."""
        told: list[Any] = []
        while not self.closed:
            try:
                told.append(next(pieces))
            except StopIteration as end:
                if end.value is not None:
                    return end.value
                break
            self._tell(told[-1])
        pieces.close()
        return _joined(told)

    async def _aread(self, pieces: AsyncGenerator[Any, None]) -> Any:
        told: list[Any] = []
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                if self.closed:
                    break
                told.append(piece)
                self._tell(piece)
        return _joined(told)

    def _tell(self, piece: Any) -> None:
        self.put(piece if isinstance(piece, Piece) else Piece(str(piece)))

    def close(self) -> None:
        early = not (self.closed or self._over)
        super().close()
        if early and self._on_cancel is not None:
            self._on_cancel()

    def start(self, impl: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        context = contextvars.copy_context()
        context.run(listener.set, self)
        context.run(running.set, self.call)
        threading.Thread(target=context.run, args=(self._run, impl, args, kwargs), name="workbench-stream-call", daemon=True).start()

    def _run(self, impl: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            self.result = impl(*args, **kwargs)
            if inspect.iscoroutine(self.result):
                self.result = loop.run(self.result)
            if isinstance(self.result, Generator):
                self.result = self._read(self.result)
            elif isinstance(self.result, AsyncGenerator):
                self.result = loop.run(self._aread(self.result))
            if not self._heard and isinstance(self.result, str) and self.result:
                self.items.put(Piece(str(self.result)))  # nothing in the call streams: the whole answer is the one piece
        except BaseException as e:
            self.error = e
        finally:
            self._over = True
            self.items.put(None)


def _joined(told: list[Any]) -> Any:
    """All pieces, as one text where they are texts."""
    return "".join(told) if all(isinstance(t, str) for t in told) else told
