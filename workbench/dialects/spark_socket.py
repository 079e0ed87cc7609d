"""iFLYTEK Spark's WebSocket format. Each message of the socket comes as a line of JSON; the address is signed by ``spark_signed``.

Format: https://www.xfyun.cn/doc/spark/Web.html and the vendor's ``spark-ai-python`` package. Spark also speaks OpenAI's format over
HTTP, which is the usual way; this one is for accounts that have only the signed form. Knows nothing of sockets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ..core.endpoints import Endpoint
from ..core.events import ErrorInStream, Finish, Metadata, ReasoningDelta, StreamEvent, TextDelta, UsageReport
from ..core.messages import ChatRequest, Message, Usage
from ..core.protocols import HttpRequest
from ..errors import ArgumentError
from . import parameters
from .openai_errors import error_from, message_of
from .parts import text_of
from .sse_json import SseJson

_PATHS = {  # domain → path
    "lite": "/v1.1/chat",
    "generalv3": "/v3.1/chat",
    "pro-128k": "/chat/pro-128k",
    "generalv3.5": "/v3.5/chat",
    "max-32k": "/chat/max-32k",
    "4.0Ultra": "/v4.0/chat",
}


class SparkSocket:
    """One question over ``wss://…/{version}/chat``.

    Parameters
    ----------
    options : Mapping, optional
        ``app_id`` (where it is not part of the key), ``path`` instead of the one that belongs to the model, and ``defaults``,
        ``rename``, ``drop``, ``clamp``, ``nest`` (`workbench.dialects.parameters`).
    """

    name = "spark_socket"
    reads: Literal["lines", "bytes"] = "lines"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = options or {}

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The one message that is sent; the method is that of the socket's handshake."""
        values = parameters.arrange(request.parameters, self.options)
        limit = values.pop("max_completion_tokens", None)
        if limit:
            values.setdefault("max_tokens", limit)
        user = values.pop("user", None)
        header = {"app_id": str(self.options.get("app_id") or "{app_id}"), **({"uid": str(user)[:32]} if user else {})}
        payload: dict[str, Any] = {"message": {"text": [_turn(m) for m in request.messages]}}
        if request.tools:
            raise ArgumentError("Spark's WebSocket knows no tools.", "", "Use Spark over HTTP (source 'sparkdesk'), which does.")
        body = {"header": header, "parameter": {"chat": {"domain": request.model, **values}}, "payload": payload}
        parameters.merge(body, parameters.extras(request.parameters))
        path = str(self.options.get("path") or _PATHS.get(request.model, "/v4.0/chat"))
        return HttpRequest("GET", path, body, key_parts=() if self.options.get("app_id") else ("app_id",))

    def decoder(self) -> SparkDecoder:
        """A decoder for one answer."""
        return SparkDecoder()

    def authorize(self, key: str) -> Mapping[str, str]:
        """A key alone is a bearer; the signed form is the endpoint's ``auth``."""
        return {"Authorization": f"Bearer {key}"}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused handshake or an error message."""
        return error_from(endpoint, status, headers, body)


class SparkDecoder(SseJson):
    """Messages of one answer → events."""

    def feed(self, line: str) -> Iterator[StreamEvent]:
        """The events of one message."""
        yield from self._data(line.strip())

    def _object(self, d: dict[str, Any]) -> Iterator[StreamEvent]:
        header = d.get("header") or {}
        if header.get("code"):
            yield ErrorInStream(message_of(d), str(header["code"]), 0, json.dumps(d, ensure_ascii=False))
            return
        if header.get("sid"):
            yield Metadata("", str(header["sid"]))
        payload = d.get("payload") or {}
        for piece in (payload.get("choices") or {}).get("text") or ():
            if piece.get("reasoning_content"):
                yield ReasoningDelta(str(piece["reasoning_content"]))
            if piece.get("content"):
                yield TextDelta(str(piece["content"]))
        usage = (payload.get("usage") or {}).get("text")
        if usage:
            yield UsageReport(Usage(int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)))
        if header.get("status") == 2:
            self.done = True
            yield Finish("stop")


def _turn(m: Message) -> dict[str, Any]:
    """The format has no turn for a tool's result: it is told as a user's."""
    return {"role": "user" if m.role == "tool" else m.role, "content": text_of(m)}
