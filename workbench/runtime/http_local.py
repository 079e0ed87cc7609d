"""Plain HTTP to a server on this machine, with as little as possible between the socket and the text: httpcore alone.

A model here may write thousands of tokens a second, each in a chunk of its own, and every layer costs its time for every
one of them. Nothing here knows proxies, encryption, redirects or compression; `workbench.runtime.http` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from urllib.parse import SplitResult

import httpcore

from .http_answer import Answer, ConnectFailed, Disconnected, NotHttp, lower

_KEEP_SECONDS = 4.0  # llama.cpp's server closes an idle connection after five
_pools: dict[asyncio.AbstractEventLoop, httpcore.AsyncConnectionPool] = {}


async def send(method: str, url: SplitResult, body: bytes | None, headers: Mapping[str, str], connect_timeout: float) -> Answer:
    """Send a request and return its answer when its head has come.

    Raises
    ------
    ConnectFailed, Disconnected, NotHttp
    """
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        _pools[loop] = httpcore.AsyncConnectionPool(max_connections=None, keepalive_expiry=_KEEP_SECONDS, network_backend=_Backend())
    target = url.path + (f"?{url.query}" if url.query else "")
    sent = {"Host": url.netloc.rpartition("@")[2], "Accept": "*/*", "User-Agent": "workbench", **headers}
    if body is not None:
        sent["Content-Length"] = str(len(body))
    try:
        request = httpcore.Request(
            method,
            httpcore.URL(scheme="http", host=url.hostname or "", port=url.port or 80, target=target or "/"),
            headers=list(sent.items()),
            content=body,
            extensions={"timeout": {"connect": connect_timeout}},
        )
        response = await _pools[loop].handle_async_request(request)
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as e:
        raise ConnectFailed(str(e) or "no connection in time") from None
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as e:
        raise Disconnected(str(e) or type(e).__name__) from None
    except (httpcore.ProtocolError, UnicodeError, ValueError, TypeError) as e:
        raise NotHttp(str(e)) from None
    return Answer(response.status, lower(response.headers), _chunks(response), response.aclose)


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
