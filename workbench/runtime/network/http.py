"""HTTP for the client: the one importer of httpx. All connections are pooled, and live on the background loop.

A server on this machine is spoken to by `workbench.runtime.network.http_local`; httpx comes when something else is asked for the
first time. Knows bytes, statuses and which failures happened before anything was sent back; knows no wire format, no job.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from ...core.endpoints import LOOPBACK, Network
from . import http_local
from .certificates import VARIABLES, trusted
from .http_answer import Answer, ConnectFailed, Disconnected, NotHttp, lower

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "ConnectFailed", "Disconnected", "NotHttp", "Sending", "proxy_for", "send"]

_PROXIES = tuple(name for upper in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for name in (upper, upper.lower()))
Sending = Callable[[int, int], object]  # told the bytes that are sent, and how many there are
PART = 1 << 16
_clients: dict[tuple[object, ...], httpx.AsyncClient] = {}


@asynccontextmanager
async def send(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    connect_timeout: float = 5.0,
    network: Network | None = None,
    sending: Sending | None = None,
) -> AsyncIterator[Answer]:
    """Send a request; leaving the block before the body's end closes the connection. ``sending`` is told how far a large body is.

    Raises
    ------
    ConnectFailed, Disconnected, NotHttp
    """
    sent = {"Accept-Encoding": "identity", **headers}
    try:
        parts = urlsplit(url)
        here = (parts.hostname or "") in LOOPBACK
    except ValueError as e:
        raise NotHttp(str(e)) from None
    network = network or Network()
    if parts.scheme in ("ws", "wss"):
        from . import http_socket

        answer = await http_socket.send(url, body, sent, connect_timeout, network, here)
    elif here and parts.scheme == "http":
        answer = await http_local.send(method, parts, _parted(body, sending), {**sent, **_length(body)}, connect_timeout)
    else:
        answer = await _send(method, url, _parted(body, sending), {**sent, **_length(body)}, connect_timeout, here, network)
    try:
        yield answer
    finally:
        await asyncio.shield(answer.close())


async def _send(
    method: str,
    url: str,
    body: bytes | AsyncIterator[bytes] | None,
    headers: Mapping[str, str],
    connect_timeout: float,
    here: bool,
    network: Network,
) -> Answer:
    import httpx

    client = _client(here, network)
    try:
        request = client.build_request(method, url, content=body, headers=dict(headers), timeout=httpx.Timeout(None, connect=connect_timeout))
        response = await client.send(request, stream=True)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout) as e:
        raise ConnectFailed(str(e) or f"no connection within {connect_timeout:g} s") from None
    except (httpx.NetworkError, httpx.RemoteProtocolError) as e:
        raise Disconnected(str(e) or type(e).__name__) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as e:
        raise NotHttp(str(e) or type(e).__name__) from None
    return Answer(response.status_code, lower(response.headers.raw), _chunks(response), response.aclose)


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    import httpx

    try:
        plain = response.headers.get("content-encoding", "identity") == "identity"
        async for chunk in cast("AsyncIterator[bytes]", response.stream) if plain else response.aiter_bytes():
            yield chunk
    except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError) as e:
        raise Disconnected(str(e) or type(e).__name__) from None


def _length(body: bytes | None) -> dict[str, str]:
    return {} if body is None else {"Content-Length": str(len(body))}


def _parted(body: bytes | None, sending: Sending | None) -> bytes | AsyncIterator[bytes] | None:
    """A large body in parts, each told when the socket has taken the one before; a small one as it is."""
    if body is None or sending is None or len(body) <= PART:
        return body

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), PART):
            sending(start, len(body))
            yield body[start : start + PART]
        sending(len(body), len(body))

    return parts()


def proxy_for(url: str, network: Network) -> str:
    """The proxy that a request to an address goes through, without a password; empty where there is none."""
    from urllib.request import getproxies, proxy_bypass

    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.hostname or ""
    found = network.proxy
    if not found and not proxy_bypass(host):
        known = getproxies()
        found = known.get(parts.scheme.replace("ws", "http")) or known.get("all", "")
    if host in LOOPBACK or found in ("", "none"):
        return ""
    return found.rpartition("://")[0] + "://" * ("://" in found) + found.rpartition("://")[2].rpartition("@")[2]


def _client(here: bool, network: Network) -> httpx.AsyncClient:
    """The pool of the running loop. The proxies are those that the environment names now, and none for this machine."""
    import httpx

    names = VARIABLES if here or network.proxy else (*_PROXIES, *VARIABLES)
    environment = tuple(os.environ.get(name, "") for name in names)
    key = (asyncio.get_running_loop(), here, network.proxy, network.verify, environment)
    if key not in _clients:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=16, keepalive_expiry=60.0)  # httpcore looks at each for each
        _clients[key] = httpx.AsyncClient(
            trust_env=not here and not network.proxy,
            proxy=network.proxy if network.proxy not in ("", "none") and not here else None,
            verify=trusted(network.verify),
            limits=limits,
            follow_redirects=False,
            headers={"User-Agent": "workbench"},
        )
    return _clients[key]
