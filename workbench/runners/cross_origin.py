"""Lets pages in a browser talk to our servers, as programs do: the headers of https://fetch.spec.whatwg.org/#http-cors-protocol.

A browser asks first, without the key (a *preflight*), and reads an answer only where it is allowed to. Every origin is, because the key
is what guards: it travels in a header that a page has to know, never in a cookie. Standard library only.
"""

from __future__ import annotations

from typing import Any

_ANYBODY = (b"access-control-allow-origin", b"*")
_DAY = b"86400"


def is_preflight(scope: Any) -> bool:
    """Whether a request only asks whether another one would be allowed."""
    return scope["type"] == "http" and scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method") is not None


async def allow(scope: Any, send: Any) -> None:
    """Answer a preflight: what it asks for is allowed."""
    headers = [
        _ANYBODY,
        (b"access-control-allow-methods", _header(scope, b"access-control-request-method") or b"GET"),
        (b"access-control-allow-headers", _header(scope, b"access-control-request-headers") or b"authorization"),
        (b"access-control-max-age", _DAY),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def readable(scope: Any, send: Any) -> Any:
    """``send``, so that the page that asks may read the answer; the same where no page asks."""
    if scope["type"] != "http" or _header(scope, b"origin") is None:
        return send

    async def with_header(message: Any) -> None:
        if message["type"] == "http.response.start" and not any(name.lower() == _ANYBODY[0] for name, _ in message.get("headers", ())):
            message = {**message, "headers": [*message.get("headers", ()), _ANYBODY]}
        await send(message)

    return with_header


def _header(scope: Any, wanted: bytes) -> bytes | None:
    return next((bytes(value) for name, value in scope["headers"] if name.lower() == wanted), None)
