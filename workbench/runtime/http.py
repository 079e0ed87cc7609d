"""HTTP for the client: the one importer of httpx. Connections are pooled, and all of them live on the background loop.

Knows bytes, statuses and which failures happened before anything was sent back; knows no wire format and no job.
"""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .no_command_line import without_command_line

with without_command_line():
    import httpx

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_clients: dict[tuple[asyncio.AbstractEventLoop, bool, bool], httpx.AsyncClient] = {}


class ConnectFailed(Exception):
    """No connection: nothing was sent."""


class Disconnected(Exception):
    """The connection ended too early."""


class NotHttp(Exception):
    """The address or the answer makes no sense."""


@dataclass(slots=True)
class Answer:
    """One answer while it arrives. Header names are in lower case. ``measured``: its end is marked, so a cut can be told."""

    status: int
    headers: Mapping[str, str]
    measured: bool
    _response: httpx.Response

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives.

        Raises
        ------
        Disconnected
            When the connection ended before the body did.
        """
        encoded = self.headers.get("content-encoding", "identity") != "identity"
        try:
            async for chunk in self._response.aiter_bytes() if encoded else self._response.aiter_raw():
                yield chunk
        except (httpx.NetworkError, httpx.RemoteProtocolError) as e:
            raise Disconnected(_words(e)) from None

    async def text(self, limit: int = 65536) -> str:
        """The body, at most ``limit`` bytes of it, however it ends."""
        body = b""
        try:
            async for chunk in self.chunks():
                body += chunk
                if len(body) >= limit:
                    break
        except Disconnected:
            pass
        return body[:limit].decode("utf-8", "replace")


@asynccontextmanager
async def send(
    method: str, url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str], *, connect_timeout: float = 5.0
) -> AsyncIterator[Answer]:
    """Send a request; leaving the block before the body's end closes the connection.

    Raises
    ------
    ConnectFailed, Disconnected, NotHttp
    """
    client = _client(_is_loopback(url), url.startswith("http:"))
    timeout = httpx.Timeout(None, connect=connect_timeout)
    content = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    sent = {"Accept-Encoding": "identity", **headers}
    if content is not None:
        sent["Content-Type"] = "application/json"
    try:
        request = client.build_request(method, url, content=content, headers=sent, timeout=timeout)
        response = await client.send(request, stream=True)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout) as e:
        raise ConnectFailed(_words(e)) from None
    except (httpx.NetworkError, httpx.RemoteProtocolError) as e:
        raise Disconnected(_words(e)) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as e:
        raise NotHttp(_words(e)) from None
    try:
        found = {k.lower(): v for k, v in response.headers.items()}
        yield Answer(response.status_code, found, "content-length" in found or "chunked" in found.get("transfer-encoding", ""), response)
    finally:
        await asyncio.shield(response.aclose())


class LineSplitter:
    """Bytes in any fragments → whole lines, ended by LF, CR LF or CR; a character may be cut anywhere."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, without their ends."""
        return self._split(self._decoder.decode(data))

    def close(self) -> list[str]:
        """What is left."""
        last = self._decoder.decode(b"", True)
        return self._split(last + "\n") if self._rest or last else []

    def _split(self, text: str) -> list[str]:
        text = self._rest + text
        held = "\r" if text.endswith("\r") else ""  # its LF may still come
        if held:
            text = text[:-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        self._rest = lines.pop() + held
        return lines


def _client(loopback: bool, plain: bool) -> httpx.AsyncClient:
    """The pool of the running loop for one kind of address.

    Proxies of the environment are never asked for an address of this machine; and what is not encrypted needs no
    certificates, which take a while to load.
    """
    key = (asyncio.get_running_loop(), loopback, plain)
    if key not in _clients:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=4.0 if loopback else 60.0)
        _clients[key] = httpx.AsyncClient(
            trust_env=not loopback, verify=not (loopback and plain), limits=limits, follow_redirects=False, headers={"User-Agent": "workbench"}
        )
    return _clients[key]


def _is_loopback(url: str) -> bool:
    try:
        return (urlsplit(url).hostname or "") in _LOOPBACK
    except ValueError:
        return False


def _words(e: Exception) -> str:
    return str(e) or type(e).__name__
