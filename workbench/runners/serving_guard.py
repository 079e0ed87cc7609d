"""Who gets in: a request that shows the deployment's key. For our own servers, and before those of others. Standard library only."""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import cross_origin
else:
    import cross_origin

OPEN_PATHS = {"/health"}
REFUSED = json.dumps({"error": {"message": "Invalid API Key", "type": "authentication_error", "code": "invalid_api_key"}}).encode()


class Guard:
    """An ASGI application that lets a request through when it shows a key.

    Web sockets show it in the same way. A key that stands in the address opens nothing, and is taken out of it, because servers write
    addresses into their logs. Pages of any origin may ask, with the key (see `cross_origin`).

    Parameters
    ----------
    app : callable
        What is guarded.
    *keys : str
        Any of them is accepted, as ``Authorization: Bearer …``.
    open_paths : collection of str
        Paths that are read without a key.
    header : bytes
        Another header, in lower case, that may carry a key.
    refused : bytes
        The body of a refusal, as JSON; OpenAI's when not given.
    """

    def __init__(self, app: Any, *keys: str, open_paths: Collection[str] = OPEN_PATHS, header: bytes = b"", refused: bytes = REFUSED) -> None:
        self.app, self._keys, self._open_paths, self._header, self._refused = app, [k.encode() for k in keys], open_paths, header, refused

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
            size = b"%d" % len(self._refused)
            headers = [(b"content-type", b"application/json"), (b"content-length", size), (b"www-authenticate", b"Bearer")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self._refused})
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _open(self, scope: Any) -> bool:
        return scope["type"] == "http" and scope["path"] in self._open_paths and scope["method"] in ("GET", "HEAD")

    def _shown(self, scope: Any) -> bool:
        bearer = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        shown = [value[7:].strip() for value in bearer if len(bearer) == 1 and value[:7].lower() == b"bearer "]
        shown += [value for name, value in scope["headers"] if self._header and name.lower() == self._header]
        return any(hmac.compare_digest(one, key) for one in shown for key in self._keys)

    def _clean(self, scope: Any) -> None:
        """In place: the server that made the scope writes its own log out of it."""
        for key in self._keys:
            for name in ("query_string", "raw_path"):
                if key in (scope.get(name) or b""):
                    scope[name] = scope[name].replace(key, b"...")
            if (text := key.decode()) in scope["path"]:
                scope["path"] = scope["path"].replace(text, "...")
