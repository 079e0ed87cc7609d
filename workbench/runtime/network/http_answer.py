"""One HTTP answer while it arrives, and the three ways in which there is none. Does not know which library brings it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from ...core.protocols import REQUEST_IDS


class ConnectFailed(Exception):
    """No connection: nothing was sent."""


class Disconnected(Exception):
    """The connection ended too early."""


class NotHttp(Exception):
    """The address or the answer makes no sense."""


@dataclass(slots=True)
class Answer:
    """One answer.

    Attributes
    ----------
    status : int
    headers : Mapping
        Names in lower case.
    chunks : AsyncIterator of bytes
        The body as it arrives; raises `Disconnected` when the connection ends before it does.
    close : callable
        Lets go of the connection: back to the pool when the body was read to its end, closed when it was not.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[object]]

    @property
    def measured(self) -> bool:
        """Whether the body's end is marked, so that a cut can be told."""
        return "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "")

    @property
    def request_id(self) -> str:
        """The id by which the vendor finds the request."""
        return next((self.headers[h] for h in REQUEST_IDS if h in self.headers), "")

    async def text(self, limit: int = 65536) -> str:
        """The body, at most ``limit`` bytes of it, however it ends."""
        body = b""
        with contextlib.suppress(Disconnected):
            async for chunk in self.chunks:
                body += chunk
                if len(body) >= limit:
                    break
        return body[:limit].decode("utf-8", "replace")


def lower(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Raw headers as text, names in lower case."""
    return {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in headers}
