"""Plain HTTP to a server on this machine, with as little as possible between the socket and the text: httpcore alone.

A model here may write thousands of tokens a second, each in a chunk of its own, and every layer costs its time for every
one of them. Nothing here knows proxies, encryption, redirects or compression; `workbench.runtime.network.http` does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import SplitResult

import httpcore

from .http_answer import Answer, ConnectFailed, Disconnected, NotHttp, lower

_KEEP_SECONDS = 4.0  # llama.cpp's server closes an idle connection after five
_Place = tuple[asyncio.AbstractEventLoop, bytes, int | None]
_idle: dict[_Place, _Idle] = {}


async def send(
    method: str, url: SplitResult, body: bytes | AsyncIterator[bytes] | None, headers: Mapping[str, str], connect_timeout: float
) -> Answer:
    """Send a request and return its answer when its head has come. A body in parts needs its length among the headers.

    Raises
    ------
    ConnectFailed, Disconnected, NotHttp
    """
    target = url.path + (f"?{url.query}" if url.query else "")
    sent = {"Host": url.netloc.rpartition("@")[2], "Accept": "*/*", "User-Agent": "workbench", **headers}
    if isinstance(body, bytes):
        sent["Content-Length"] = str(len(body))
    try:
        request = httpcore.Request(
            method,
            httpcore.URL(scheme="http", host=url.hostname or "", port=url.port or 80, target=target or "/"),
            headers=list(sent.items()),
            content=body,
            extensions={"timeout": {"connect": connect_timeout}},
        )
        origin = request.url.origin
        place = asyncio.get_running_loop(), origin.host, origin.port
        idle = _idle.get(place)
        kept = await idle.take() if idle is not None else None
        connection = kept or httpcore.AsyncHTTPConnection(origin, keepalive_expiry=_KEEP_SECONDS, network_backend=_Backend())
        response = await _ask(connection, request)
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as e:
        raise ConnectFailed(str(e) or "no connection in time") from None
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as e:
        raise Disconnected(str(e) or type(e).__name__) from None
    except (httpcore.ProtocolError, UnicodeError, ValueError, TypeError) as e:
        raise NotHttp(str(e)) from None

    async def close() -> None:
        await response.aclose()
        if connection.is_idle():
            _put(place, connection)

    return Answer(response.status, lower(response.headers), _chunks(response), close)


def _put(place: _Place, connection: httpcore.AsyncHTTPConnection) -> None:
    """Keep a connection whose answer was read to its end."""
    found = _idle.get(place)
    if found is None:
        for other in [p for p in tuple(_idle) if p[0].is_closed()]:  # what waits there is never looked at again
            _idle.pop(other, None)
        found = _idle[place] = _Idle(lambda: _idle.pop(place, None))
    found.put(connection)


class _Idle:
    """Connections of one loop and server that wait for a request; ``empty`` is called when none is left.

    httpcore's own pool looks at every connection for every other one whenever a request begins or ends, which hundreds of
    requests at once cannot afford.
    """

    def __init__(self, empty: Callable[[], object]) -> None:
        self._empty = empty
        self._waiting: deque[httpcore.AsyncHTTPConnection] = deque()  # the last used at the end
        self._closing: set[asyncio.Task[None]] = set()
        self._watched = False

    async def take(self) -> httpcore.AsyncHTTPConnection | None:
        """The connection that was used last, if it is still open."""
        while self._waiting:
            found = self._waiting.pop()
            if not found.has_expired():
                return found
            await found.aclose()
        return None

    def put(self, connection: httpcore.AsyncHTTPConnection) -> None:
        """Keep a connection, for a while."""
        self._waiting.append(connection)
        if not self._watched:
            self._watched = True
            asyncio.get_running_loop().call_later(_KEEP_SECONDS, self._tidy)

    def _tidy(self) -> None:
        """Close those that nobody wanted, and look again while there are others."""
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0].has_expired():
            task = loop.create_task(self._waiting.popleft().aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._watched = bool(self._waiting)
        if self._watched:
            loop.call_later(_KEEP_SECONDS, self._tidy)
        else:
            self._empty()


async def _ask(connection: httpcore.AsyncHTTPConnection, request: httpcore.Request) -> httpcore.Response:
    try:
        return await connection.handle_async_request(request)
    except BaseException:
        with contextlib.suppress(Exception):
            await connection.aclose()
        raise


async def _chunks(response: httpcore.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_stream():
            yield chunk
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as e:
        raise Disconnected(str(e) or type(e).__name__) from None


class _Stream(httpcore.AsyncNetworkStream):
    """A connection of asyncio's own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return await self._reader.read(max_bytes)
        except OSError as e:
            raise httpcore.ReadError(e.strerror or str(e)) from None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as e:
            raise httpcore.WriteError(e.strerror or str(e)) from None

    async def aclose(self) -> None:
        self._writer.close()

    def get_extra_info(self, info: str) -> Any:
        return self._reader.at_eof() if info == "is_readable" else self._writer.get_extra_info(info)


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects with asyncio."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                return _Stream(*await asyncio.open_connection(host, port))
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"no connection within {timeout} s") from None
        except OSError as e:
            raise httpcore.ConnectError(e.strerror or str(e)) from None

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
