"""Refusals in OpenAI's error form and the forms of its relatives → a `Refusal`. Shared by every codec whose servers answer so.

Reads, in this order: ``error`` as an object, ``error`` as text, ``base_resp``, ``header``, ``code`` and ``message`` at the top,
``detail`` (FastAPI), plain text, HTML. Knows no key, and what looks like one is masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..core.endpoints import Endpoint
from ..core.protocols import REQUEST_IDS, HttpRequest
from .refusals import Refusal, error_of, mask, seconds_to_wait, text_of

__all__ = ["error_from", "mask", "message_of", "models_request", "names_of", "refusal_of"]


def error_from(endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> errors.EndpointError:
    """The error for an HTTP answer that is not a success.

    Parameters
    ----------
    endpoint : Endpoint
    status : int
    headers : Mapping
        Names in lower case.
    body : str

    Returns
    -------
    EndpointError
        The most telling kind; ``retry_after`` in seconds where the server named it.
    """
    return error_of(refusal_of(status, headers, body), endpoint)


def refusal_of(status: int, headers: Mapping[str, str], body: str) -> Refusal:
    """What an error's body says, in any of the usual forms."""
    message, codes, ids = _read(body)
    request_id = next((headers[h] for h in REQUEST_IDS if headers.get(h)), "") or ids
    return Refusal(status, message, codes, request_id, seconds_to_wait(headers))


def message_of(d: Mapping[str, Any]) -> str:
    """The words of an error object in any of its usual forms, without anything that looks like a key."""
    return mask(_said(d)[0])


def models_request() -> HttpRequest:
    """Asks which models are served."""
    return HttpRequest("GET", "/models")


def names_of(answer: Any) -> list[str]:
    """The names in an answer to `models_request`, in any of its usual forms."""
    rows = answer
    if isinstance(answer, Mapping):
        rows = next((answer[k] for k in ("data", "models", "modelSummaries") if isinstance(answer.get(k), list)), [])
    names = [
        r if isinstance(r, str) else r.get("id") or r.get("name") or r.get("model") or r.get("modelId") or ""
        for r in rows
        if isinstance(r, str | Mapping)
    ]
    return [str(n).removeprefix("models/") for n in names if n]


def _read(body: str) -> tuple[str, tuple[str, ...], str]:
    try:
        d = json.loads(body)
    except ValueError:
        return re.sub(r"<(?:style|script).*?</(?:style|script)>|<[^>]+>|\s+", " ", body, flags=re.S | re.I).strip()[:300], (), ""
    if isinstance(d, list) and d:
        d = d[0]
    if not isinstance(d, dict):
        return str(d)[:300], (), ""
    message, codes = _said(d)
    header = d.get("header")
    places = [d, header] if isinstance(header, dict) else [d]
    ids = [p[k] for p in places for k in ("request_id", "requestId", "sid", "id") if isinstance(p.get(k), str)]
    return message[:1000], codes, ids[0] if ids else ""


def _said(d: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    e: Any = d.get("error")
    if not e:
        e = next((d[k] for k in ("base_resp", "header") if isinstance(d.get(k), Mapping)), d)
    if isinstance(e, str):
        return e, _codes(d)
    if not isinstance(e, Mapping):
        return text_of(e), _codes(d)
    message: Any = next((e[k] for k in ("message", "status_msg", "error_msg", "msg", "Message", "detail") if e.get(k)), "")
    metadata = e.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("raw"):  # a router's words about the vendor behind it
        message = f"{message}: {text_of(metadata['raw'])}"
    if message and not isinstance(message, str):
        message = json.dumps(message, ensure_ascii=False)
    return message or json.dumps(e, ensure_ascii=False), _codes(e)


def _codes(e: Mapping[str, Any]) -> tuple[str, ...]:
    found = (e.get(k) for k in ("code", "status_code", "error_code", "status", "type"))
    return tuple(str(c) for c in found if isinstance(c, str | int) and not isinstance(c, bool) and str(c))
