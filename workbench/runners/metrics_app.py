"""Counts what an ASGI application is asked and answers, for servers that tell nothing about themselves. Standard library only.

A request is one that sends something (``POST``); tokens are those of its ``usage`` or, in a stream, its pieces: engines send one a
token, but for the few that they hold back.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .metrics_readings import exposition
else:
    from metrics_readings import exposition

_USAGE = re.compile(rb'"completion_tokens":\s*(\d+)')
_PIECE = b"data: {"
_TAIL = 4096  # bytes at the end of an answer in which its usage is looked for


class Counted:
    """An ASGI application that counts, and answers ``GET /metrics``, around one that does not.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._running = self._requests = self._tokens = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            if scope["type"] == "http" and scope["path"] == "/metrics":
                await self._metrics(send)
            else:
                await self.app(scope, receive, send)
            return
        with self._lock:
            self._running += 1
            self._requests += 1
        try:
            await self.app(scope, receive, _Answer(self, send).send)
        finally:
            with self._lock:
                self._running -= 1

    def add(self, tokens: int) -> None:
        """Count tokens that were generated."""
        with self._lock:
            self._tokens += tokens

    async def _metrics(self, send: Any) -> None:
        with self._lock:
            text = exposition(requests_running=self._running, requests_waiting=0, requests_total=self._requests, generation_tokens_total=self._tokens)
        headers = [(b"content-type", b"text/plain; version=0.0.4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})


class _Answer:
    """Counts the tokens of one answer on its way out."""

    def __init__(self, counted: Counted, send: Any) -> None:
        self._counted, self._send = counted, send
        self._streams, self._tail = False, b""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            kinds = [value for name, value in message.get("headers", ()) if name.lower() == b"content-type"]
            self._streams = any(kind.startswith(b"text/event-stream") for kind in kinds)
        elif message["type"] == "http.response.body":
            self._count(message.get("body", b""), last=not message.get("more_body"))
        await self._send(message)

    def _count(self, body: bytes, last: bool) -> None:
        if self._streams:
            self._counted.add(body.count(_PIECE))
            return
        self._tail = (self._tail + body)[-_TAIL:]
        if last and (usage := _USAGE.findall(self._tail)):
            self._counted.add(int(usage[-1]))
