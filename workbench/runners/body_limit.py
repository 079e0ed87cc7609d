"""Refuses bodies that are too large before anything reads them, with a status and words: an ASGI application around another.

For servers that are not ours inside (`serve_transformers`); `serving_app` counts while it reads. Standard library only.
"""

from __future__ import annotations

import json
from typing import Any

BODY_BYTES = 64 << 20


class Bounded:
    """The application behind a limit.

    A body that says its length is refused by it; one that does not is read first, and handed on as a whole. What is too much is read
    to its end and forgotten, so that the caller gets to read why.

    Parameters
    ----------
    limit : int
        The most bytes of a body.
    """

    def __init__(self, app: Any, limit: int = BODY_BYTES) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not self._small(scope["headers"]):
            body = await self._read(receive)
            if body is None:
                await self._refuse(send)
                return
            receive = once(body, receive)
        await self.app(scope, receive, send)

    def _small(self, headers: Any) -> bool:
        """Whether its length is told and within the limit, or there is no body."""
        named = {name.lower(): value for name, value in headers}
        length = named.get(b"content-length", b"")
        return int(length) <= self.limit if length.isdigit() else b"transfer-encoding" not in named

    async def _read(self, receive: Any) -> bytes | None:
        parts, size = list[bytes](), 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if size <= self.limit:
                parts.append(message.get("body", b""))
            else:
                parts.clear()
            if not message.get("more_body"):
                return b"".join(parts) if size <= self.limit else None

    async def _refuse(self, send: Any) -> None:
        said = f"The body is larger than {self.limit >> 20} MiB."
        error = {"message": said, "type": "invalid_request_error", "param": None, "code": "body_too_large"}
        body = json.dumps({"error": error}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def once(body: bytes, receive: Any) -> Any:
    """A ``receive`` that gives a whole body first."""
    told = False

    async def again() -> Any:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
