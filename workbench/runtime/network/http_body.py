"""A request's body as bytes: JSON, a multipart form (RFC 7578), or what it already is. Sends nothing."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable

from ...core.protocols import FormPart, HttpRequest


def body_of(request: HttpRequest) -> tuple[bytes | None, str]:
    """The body, and its content type (empty where the request has none or names its own)."""
    if request.json is not None:
        return json.dumps(request.json, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"), "application/json"
    if request.files:
        boundary = secrets.token_hex(16)
        return _form(request.files, boundary), f"multipart/form-data; boundary={boundary}"
    return request.content, ""


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
