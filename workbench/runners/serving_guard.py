"""Who gets in: a request that shows the deployment's key. For our own servers, and before those of others. Standard library only."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import cross_origin
else:
    import cross_origin

OPEN_PATHS = {"/health"}


class Guard:
    """An ASGI application that lets a request through when it shows the key, and else answers as OpenAI does.

    Web sockets show it in the same way. A key that stands in the address opens nothing, and is taken out of it, because servers write
    addresses into their logs. Pages of any origin may ask, with the key (see `cross_origin`).
    """

    def __init__(self, app: Any, key: str) -> None:
        self.app, self._key, self.expected = app, key.encode(), f"Bearer {key}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        kind = scope["type"]
        if kind in ("http", "websocket"):
            self._clean(scope)
            send = cross_origin.readable(scope, send)
        if cross_origin.is_preflight(scope):
            await cross_origin.allow(scope, send)
        elif kind == "lifespan" or self._open(scope) or self._shown(scope):
            await self.app(scope, receive, send)
        elif kind == "http":
            error = {"message": "Invalid API Key", "type": "authentication_error", "code": "invalid_api_key"}
            body = json.dumps({"error": error}).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), (b"www-authenticate", b"Bearer")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _open(self, scope: Any) -> bool:
        return scope["type"] == "http" and scope["path"] in OPEN_PATHS and scope["method"] in ("GET", "HEAD")

    def _shown(self, scope: Any) -> bool:
        shown = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        return len(shown) == 1 and hmac.compare_digest(shown[0], self.expected)

    def _clean(self, scope: Any) -> None:
        """In place: the server that made the scope writes its own log out of it."""
        for name in ("query_string", "raw_path"):
            if self._key in (scope.get(name) or b""):
                scope[name] = scope[name].replace(self._key, b"...")
        if (text := self._key.decode()) in scope["path"]:
            scope["path"] = scope["path"].replace(text, "...")
