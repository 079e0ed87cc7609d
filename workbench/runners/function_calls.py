"""Calls of a served function: what a body means, the function in a thread of its own, its value or its pieces as bytes.

One thread per call, so that calls run side by side and a slow one holds up nobody. When the caller goes away, generators
are closed at their next piece, coroutines are cancelled, and what models stream inside the call is aborted upstream.
Knows no sockets and no addresses.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from workbench.core import wire
from workbench.errors import ArgumentError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

from workbench.runners import function_errors, function_steps
from workbench.runners.function_body import Given, given
from workbench.runners.function_inside import Inside

_THREADS = 1000  # calls at once
_AHEAD = 256  # pieces that wait for a slow reader before the function has to
_LOOK_SECONDS = 0.5
_END = object()


class Gone(BaseException):
    """Nobody waits for the answer any more; no handler of the function's should catch it."""


def refusal(kind: str, message: str) -> bytes:
    """An error of the server's own."""
    return json.dumps({"error": {"type": kind, "message": message}}).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body, and the tokens that models took for it."""

    status: int
    body: bytes
    usage: dict[str, Any] | None = None


class Calls:
    """What is served, and the threads that run it."""

    def __init__(self, loaded: dict[str, Any], keys: Sequence[str]) -> None:
        self._function, self._steps = loaded["function"], function_steps.Steps(loaded["function"], loaded.get("pre"), loaded.get("post"))
        self._secrets = function_errors.secrets(keys)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="call")

    def begin(self, method: str, body: bytes, session: str, streamed: bool) -> Call:
        """A call that runs already."""
        call = Call(asyncio.get_running_loop(), self, streamed)
        call.future = asyncio.get_running_loop().run_in_executor(self._threads, call.run, method, body, session)
        return call

    def find(self, method: str) -> Callable[[Given], Any]:
        """What a call runs: all steps, or one method.

        Raises
        ------
        LookupError
        """
        if not method:
            return self._steps
        found = getattr(self._function, method, None) if not method.startswith("_") else None
        if not callable(found):
            raise LookupError(f"{function_steps.name_of(self._function)} has no method {method!r} that can be called.")
        return lambda call: found(*call.args, **call.kwargs)

    def problem(self, error: BaseException) -> dict[str, Any]:
        """An error as the caller gets it; the log has it, too."""
        told = function_errors.describe(error, self._secrets)
        print(told["traceback"] or f"{told['type']}: {told['message']}", file=sys.stderr, flush=True)
        return told

    @property
    def root(self) -> object:
        """What is called."""
        return self._function


class Call:
    """One call while it runs."""

    def __init__(self, loop: AbstractEventLoop, calls: Calls, streamed: bool) -> None:
        self._loop, self._calls, self._streamed = loop, calls, streamed
        self.future: asyncio.Future[Answer]
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._room = threading.Semaphore(_AHEAD)
        self._gone = False
        self._closers: list[Callable[[], object]] = []

    # ---- in the server's loop

    async def whole(self, receive: Callable[[], Awaitable[Any]]) -> Answer:
        """The answer; the call is aborted when the caller leaves."""
        leaves: asyncio.Future[Any] = asyncio.ensure_future(_left(receive))
        try:
            waited: set[asyncio.Future[Any]] = {self.future, leaves}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not self.future.done():
                self.close()
            return await self.future
        finally:
            leaves.cancel()

    async def events(self) -> AsyncIterator[bytes]:
        """The pieces as server-sent events, what is there at once in one fragment."""
        over = False
        try:
            while not over:
                parts = [await self._queue.get()]
                while not self._queue.empty():
                    parts.append(self._queue.get_nowait())
                over = parts[-1] is None
                self._room.release(len(parts))
                if data := b"".join(part for part in parts if part):
                    yield data
        finally:
            self.close()

    def close(self) -> None:
        """The caller has left."""
        self._gone = True
        self._room.release()
        for closer in list(self._closers):
            with suppress(Exception):
                closer()

    # ---- in the call's thread

    def run(self, method: str, body: bytes, session: str) -> Answer:
        """The answer; of a streamed call the pieces went through the queue, and so does the rest."""
        answer = Answer(499, b"")
        try:
            with suppress(Gone):
                answer = contextvars.Context().run(self._run, method, body, session)
        finally:
            if self._streamed:
                self._loop.call_soon_threadsafe(self._queue.put_nowait, answer.body)
                self._loop.call_soon_threadsafe(self._queue.put_nowait, None)
        return answer

    def _run(self, method: str, body: bytes, session: str) -> Answer:
        root, put = (self._calls.root, lambda piece: self.emit(_event(piece))) if self._streamed else (None, None)
        with Inside(root, unquote(session), put) as inside:
            self._closers.append(inside.close)
            try:
                work, asked = self._calls.find(method), given(body)
            except LookupError as e:
                return self._told(404, {"error": {"type": "BadRequest", "message": str(e)}})
            except ArgumentError as e:
                return self._told(400, {"error": {"type": "BadRequest", "message": str(e)}})
            if self._gone:
                raise Gone
            try:
                told = self._result(work(asked), inside)
            except Gone:
                raise
            except BaseException as e:
                return self._told(500, {"error": self._calls.problem(e)})
            if not self._streamed:
                return self._told(200, told["result"], inside.usage)
            return self._told(200, {**told, **({"usage": inside.usage} if inside.usage else {})})

    def _result(self, value: Any, inside: Inside) -> dict[str, Any]:
        """How the call ended: its result in the form of `wire`, or that all its pieces were sent."""
        while inspect.isawaitable(value):
            value = self._await(value)
        pieces = self._pieces(value)
        if pieces is None:
            if self._streamed and not inside.heard and isinstance(value, str) and value:
                self.emit({"delta": str.__str__(value)})
            return {"result": wire.encode(value, "result")}
        if self._streamed:
            for piece in pieces:
                self.emit(_event(piece))
            return {"end": True}
        items = list(pieces)
        return {"result": wire.encode("".join(items) if items and all(isinstance(i, str) for i in items) else items, "result")}

    def _pieces(self, value: Any) -> Iterator[Any] | None:
        if hasattr(value, "__anext__"):
            return self._follow(value)
        if not isinstance(value, Iterator):
            return None
        return self._closing(value)

    def _closing(self, pieces: Iterator[Any]) -> Iterator[Any]:
        """The same, and its own end is run in this thread when the caller has left."""
        try:
            for piece in pieces:
                if self._gone:
                    raise Gone
                yield piece
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def _follow(self, pieces: Any) -> Iterator[Any]:
        try:
            while (piece := self._await(anext(pieces, _END))) is not _END:
                yield piece
        finally:
            if hasattr(pieces, "aclose"):
                with suppress(RuntimeError):
                    asyncio.run_coroutine_threadsafe(pieces.aclose(), self._loop).result(5.0)

    def _await(self, awaitable: Any) -> Any:
        """Something of the function's that is awaited, on the server's loop."""
        if self._gone:
            raise Gone
        future = asyncio.run_coroutine_threadsafe(_awaited(awaitable), self._loop)
        self._closers.append(future.cancel)
        try:
            return future.result()
        except (asyncio.CancelledError, CancelledError):
            raise Gone from None
        finally:
            self._closers.remove(future.cancel)

    def emit(self, event: dict[str, Any]) -> None:
        """Send a piece; waits while a slow reader has many before it. Raises `Gone`."""
        while not self._room.acquire(timeout=_LOOK_SECONDS):
            if self._gone:
                raise Gone
        if self._gone:
            raise Gone
        self._loop.call_soon_threadsafe(self._queue.put_nowait, self._told(200, event).body)

    def _told(self, status: int, value: Any, usage: dict[str, Any] | None = None) -> Answer:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "surrogatepass")
        return Answer(status, b"data: " + text + b"\n\n" if self._streamed else text, usage)


def _event(piece: Any) -> dict[str, Any]:
    if isinstance(piece, str):
        said = {name: str(value) for name in ("tag", "source", "color") if (value := getattr(piece, name, ""))}
        return {"delta": str.__str__(piece), **{k: v for k, v in said.items() if (k, v) != ("tag", "text")}}
    return {"item": wire.encode(piece, "piece")}


async def _awaited(value: Any) -> Any:
    return await value


async def _left(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
