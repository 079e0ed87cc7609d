"""What a served function raised, and how any JSON server says no, as errors. Sends nothing."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from typing import Any

from ... import errors
from ...core.endpoints import Endpoint
from ...errors import AuthenticationFailed, BadRequest, EndpointDown, EndpointError, RateLimited, ServerError, WorkbenchError

_WORDS = 300  # characters of a foreign server's refusal that are told


def base(url: str) -> str:
    """A server's address without the path that calls its function."""
    return url.rstrip("/").removesuffix("/generate")


def refused(endpoint: Endpoint, status: int, body: str) -> Exception:
    """The error for an answer that says no."""
    try:
        told = json.loads(body)["error"]
        message = str(told["message"])
    except (ValueError, KeyError, TypeError):
        told, message = None, body.strip()[:_WORDS]
    details: dict[str, Any] = {"source": endpoint.source, "model": endpoint.model, "status": status}
    if status in (401, 403):
        where = f"Start {endpoint.model} again with start()." if endpoint.job_id else "Give the server's key as security_key=…"
        return AuthenticationFailed(f"{endpoint.url} refused the key.", message, where, **details)
    if told is not None and status == 500:
        return raised(endpoint, told)
    if status == 404 and told is not None:
        return BadRequest(message, "", f"{base(endpoint.url)}/docs shows what there is.", **details)
    if status == 404:
        return BadRequest(f"{endpoint.url} has nothing there.", message, "See /docs on that server.", **details)
    if status == 429:
        return RateLimited(f"{endpoint.url} gets too many requests.", message, "Wait, and try again.", **details)
    if status < 500:
        return BadRequest(f"{endpoint.url} refused the call ({status}).", message, "", **details)
    kind = EndpointDown if status in (502, 503, 504) else EndpointError
    return kind(f"{endpoint.url} failed ({status}).", message, "Look at that server's log.", **details)


def raised(endpoint: Endpoint, told: Mapping[str, Any]) -> Exception:
    """The error that a function raised in its server: the same builtin or workbench error, else `ServerError`."""
    kind, module, message = str(told.get("type", "Error")), told.get("module"), str(told.get("message", ""))
    trace = str(told.get("traceback") or "")
    found: Exception | None = None
    if module == "builtins":
        found = _builtin(kind, told, message)
    elif str(module).startswith("workbench."):
        found = _own(kind, told)
    if found is not None:
        if trace:
            found.add_note(f"Raised in the server {endpoint.model}:\n{trace}")
        return found
    what = f"{endpoint.model or endpoint.url} raised {kind}: {message}"
    return ServerError(what, source=endpoint.source, model=endpoint.model, status=500, type=kind, traceback=trace)


def _builtin(kind: str, told: Mapping[str, Any], message: str) -> Exception | None:
    cls = getattr(builtins, kind, None)
    if not (isinstance(cls, type) and issubclass(cls, Exception)):
        return None
    for arguments in (told.get("args") or [message], [message]):
        try:
            return cls(*arguments)
        except TypeError:  # such as UnicodeDecodeError, which is not made of a text
            continue
    return None


def _own(kind: str, told: Mapping[str, Any]) -> Exception | None:
    cls = getattr(errors, kind, None)
    if not (isinstance(cls, type) and issubclass(cls, WorkbenchError)):
        return None
    return cls(*(str(told.get(part) or "") for part in ("what", "cause", "fix")))
