"""Content parts in OpenAI's form, read once for every dialect. Knows that form, not what a dialect makes of it.

A file travels in a part as a data URL or as an address; other dialects want its bytes and its type.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from ..core.messages import ChatRequest, Message, ToolCall
from ..errors import ArgumentError

Kind = Literal["text", "image", "audio", "video", "file", "other"]
_MIME = {"mp3": "audio/mpeg", "wav": "audio/wav"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a turn: ``text``, or a file as ``data`` (base64) with its ``mime``, or as ``url``; ``raw`` is the part as it was given."""

    kind: Kind
    text: str = ""
    mime: str = ""
    data: str = ""
    url: str = ""
    name: str = ""
    raw: Mapping[str, Any] | None = None


def parts_of(message: Message) -> Iterator[Part]:
    """The parts of a turn; a text is one part, an empty text none."""
    if isinstance(message.content, str):
        if message.content:
            yield Part("text", message.content)
        return
    for raw in message.content:
        yield _part(raw)


def text_of(message: Message) -> str:
    """The text of a turn."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(p.text for p in parts_of(message) if p.kind == "text")


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """A tool call's arguments as values; a model's broken JSON is handed on as text, for the model to see."""
    try:
        value = json.loads(call.arguments or "{}")
    except ValueError:
        return {"arguments": call.arguments}
    return value if isinstance(value, dict) else {"arguments": value}


def functions_of(request: ChatRequest) -> list[Mapping[str, Any]]:
    """The functions of the tools, out of OpenAI's wrapping; a tool without it is taken as it is."""
    return [t["function"] if t.get("type", "function") == "function" and isinstance(t.get("function"), Mapping) else t for t in request.tools]


def schema_of(response_format: Any) -> Mapping[str, Any] | None:
    """The JSON schema that a ``response_format`` asks for; an empty one for any JSON object; None for text."""
    if not isinstance(response_format, Mapping):
        return None
    if response_format.get("type") == "json_schema":
        inner = response_format.get("json_schema") or response_format
        schema = inner.get("schema")
        return schema if isinstance(schema, Mapping) else {}
    return {} if response_format.get("type") == "json_object" else None


def _part(raw: Mapping[str, Any]) -> Part:
    kind = raw.get("type", "text" if "text" in raw else "")
    if kind == "text":
        return Part("text", str(raw.get("text") or ""), raw=raw)
    if kind in ("image_url", "video_url", "audio_url"):
        inner = raw.get(kind)
        return _address(_KINDS[kind], str(inner.get("url") or "") if isinstance(inner, Mapping) else str(inner or ""), raw)
    if kind == "input_audio":
        audio = raw.get("input_audio") or {}
        data = str(audio.get("data") or "")
        form = str(audio.get("format") or "wav")
        if data.startswith(("data:", "http:", "https:")):
            return _address("audio", data, raw)
        return Part("audio", mime=_MIME.get(form, f"audio/{form}"), data=data, raw=raw)
    if kind == "file":
        file = raw.get("file") or {}
        found = _address("file", str(file.get("file_data") or ""), raw)
        return Part("file", mime=found.mime, data=found.data, url=found.url, name=str(file.get("filename") or ""), raw=raw)
    return Part("other", raw=raw)


_KINDS: dict[str, Kind] = {"image_url": "image", "video_url": "video", "audio_url": "audio"}


def _address(kind: Kind, url: str, raw: Mapping[str, Any]) -> Part:
    if not url.startswith("data:"):
        return Part(kind, url=url, raw=raw)
    head, _, body = url[5:].partition(",")
    mime = head.split(";")[0] or "text/plain"
    try:
        data = body if head.endswith(";base64") else base64.b64encode(unquote_to_bytes(body)).decode()
        base64.b64decode(data[:64] if len(data) >= 64 else data, validate=True)
    except (ValueError, binascii.Error):
        raise ArgumentError(
            f"A part of type {raw.get('type')!r} holds a data URL that is not base64.", "", "Give the file itself, or its path."
        ) from None
    return Part(kind, mime=mime, data=data, raw=raw)
