"""One question over a WebSocket, its messages given as lines: the transport of the few vendors that have nothing else.

The one importer of ``websockets``. Leaving the answer closes the socket. Knows no format and no key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from ...core.endpoints import Network
from ...errors import SettingsError
from .certificates import context
from .http_answer import Answer, ConnectFailed, Disconnected, NotHttp

_MISSING = "An address that begins with wss:// needs the package websockets."

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


async def send(url: str, body: bytes | None, headers: Mapping[str, str], connect_timeout: float, network: Network, here: bool) -> Answer:
    """Connect, send the body as one message, and return the answers as they come, each ended by a line feed.

    A refused handshake is an answer with its status.

    Raises
    ------
    ConnectFailed, NotHttp
    SettingsError
        When the package is not there.
    """
    try:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
    except ImportError:
        raise SettingsError(_MISSING, "", "Type: pip install 'jupyter-llm-workbench[spark]'") from None

    sent = {k: v for k, v in headers.items() if k.lower() not in ("content-type", "accept-encoding")}
    more: dict[str, Any] = {"ssl": context(network.verify)} if url.startswith("wss:") else {}
    if network.proxy or here:
        more["proxy"] = None if here or network.proxy == "none" else network.proxy
    try:
        socket = await connect(url, additional_headers=sent, open_timeout=connect_timeout, close_timeout=1, max_size=1 << 26, **more)
    except InvalidStatus as e:
        refused = {k.lower(): v for k, v in e.response.headers.raw_items()}
        return Answer(e.response.status_code, refused, _once(bytes(e.response.body or b"")), _nothing)
    except InvalidURI as e:
        raise NotHttp(str(e).replace(url, url.split("?")[0])) from None
    except TimeoutError:
        raise ConnectFailed(f"no connection within {connect_timeout} s") from None
    except (OSError, InvalidHandshake) as e:
        raise ConnectFailed(str(e) or type(e).__name__) from None
    if body is not None:
        await socket.send(body.decode())
    return Answer(200, {}, _lines(socket), socket.close)


async def _lines(socket: ClientConnection) -> AsyncIterator[bytes]:
    from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

    try:
        while True:
            message = await socket.recv()
            yield (message if isinstance(message, bytes) else message.encode()).replace(b"\n", b" ") + b"\n"
    except ConnectionClosedOK:
        return
    except ConnectionClosed as e:
        raise Disconnected(str(e) or type(e).__name__) from None


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _nothing() -> None:
    return None
