"""A request's body as bytes: JSON, a multipart form (RFC 7578), or what it already is. Sends nothing."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from typing import Any

from ...core.protocols import FormPart, HttpRequest
from ...errors import ArgumentError


def body_of(request: HttpRequest) -> tuple[bytes | None, str]:
    """The body, and its content type (empty where the request has none or names its own).

    Raises
    ------
    ArgumentError
        When something in it cannot be written as JSON.
    """
    if request.json is not None:
        try:
            text = json.dumps(request.json, ensure_ascii=False, separators=(",", ":"))
        except (TypeError, ValueError) as e:
            raise _strange(request.json, e) from None
        return text.encode("utf-8", "surrogatepass"), "application/json"
    if request.files:
        boundary = secrets.token_hex(16)
        return _form(request.files, boundary), f"multipart/form-data; boundary={boundary}"
    return request.content, ""


def _strange(body: Any, error: Exception) -> ArgumentError:
    name, value = next(((n, v) for n, v in body.items() if not _writable(v)), ("", None)) if isinstance(body, dict) else ("", None)
    what = f"{name}={value!r:.80} cannot be sent." if name else "The request cannot be sent."
    return ArgumentError(what, f"It cannot be written as JSON: {error}", "Give numbers, texts, lists and dicts of Python itself.")


def _writable(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _form(parts: Iterable[FormPart], boundary: str) -> bytes:
    out: list[bytes] = []
    for part in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"'
        if part.filename:
            head += f'; filename="{_quoted(part.filename)}"'
        if part.mime or part.filename:
            head += f"\r\nContent-Type: {part.mime or 'application/octet-stream'}"
        value = part.value.encode() if isinstance(part.value, str) else part.value
        out += [head.encode(), b"\r\n\r\n", value, b"\r\n"]
    return b"".join([*out, f"--{boundary}--\r\n".encode()])


def _quoted(text: str) -> str:
    """As browsers write it: RFC 7578 leaves the escaping open, HTML settled it."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
