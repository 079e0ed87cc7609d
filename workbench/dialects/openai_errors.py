"""Refusals in OpenAI's error form → the workbench's errors. Shared by every dialect whose servers answer in that form.

Knows statuses, codes and the words servers use; knows no key, and masks whatever looks like one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..core.endpoints import Endpoint

_KEYLIKE = re.compile(r"(?i)\b(bearer\s+)[^\s\"',]+|\b(?:sk|pk|rk|key|ak)-[A-Za-z0-9_\-*]{6,}|\bhf_[A-Za-z0-9]{8,}")
_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|maximum (?:context|model) length|too many (?:input )?tokens|prompt is too long|exceed_context_size", re.I
)
_NO_MODEL = re.compile(
    r"model.{0,80}(?:not (?:found|exist|supported|served)|does not exist|unknown)|no such model|model_not_found|invalid model", re.I
)
_FILTERED = re.compile(r"content[_ ](?:filter|policy)|responsible ?ai|data_inspection", re.I)
_QUOTA = re.compile(r"insufficient_quota|quota|billing|balance|arrear", re.I)
_IDS = ("x-request-id", "request-id", "x-ms-request-id", "x-trace-id", "cf-ray")


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
    said, code = _read(body)
    whole = f"{code} {said}"
    who = f"{endpoint.source} at {endpoint.url}" if endpoint.source else endpoint.url
    model = endpoint.model
    kind: type[errors.EndpointError] = errors.EndpointError
    what, fix = f"{who} refused the request (HTTP {status}).", ""
    if status in (401, 403):
        kind, what, fix = errors.AuthenticationFailed, f"{who} did not accept the key (HTTP {status}).", _key_fix(endpoint)
    elif status == 429:
        kind, what = errors.RateLimited, f"{who} has had too many requests (HTTP 429)."
        fix = "The quota is used up: look at the account's billing." if _QUOTA.search(whole) else "Wait a little, or send fewer requests at once."
    elif status in (408, 504):
        kind, what, fix = errors.EndpointTimeout, f"{who} took too long (HTTP {status}).", "Try again, or allow more time."
    elif status in (502, 503):
        kind, what, fix = errors.EndpointDown, f"{who} cannot answer now (HTTP {status}).", "Try again in a moment."
    elif status >= 500:
        what, fix = f"{who} failed while answering (HTTP {status}).", "Its log says why; try again."
    elif _TOO_LONG.search(whole) or status == 413:
        kind, what = errors.ContextTooLong, f"The conversation does not fit the context of {model or 'the model'}."
        fix = "Shorten it, start a new conversation, or serve the model with a larger context."
    elif _FILTERED.search(whole):
        kind, what, fix = errors.ContentFiltered, f"{who} filtered the request.", "Word it differently."
    elif _NO_MODEL.search(whole):
        kind, what, fix = errors.ModelUnknown, f"{who} does not serve a model called {model!r}.", "Name one that it serves."
    elif status == 404:
        kind, what, fix = errors.BadRequest, f"{who} has nothing at that address (HTTP 404).", "Check the URL: it usually ends in /v1."
    elif 400 <= status < 500:
        kind, fix = errors.BadRequest, "Check the arguments of the call."
    return kind(
        what,
        said,
        fix,
        source=endpoint.source,
        model=model,
        status=status,
        request_id=next((headers[h] for h in _IDS if h in headers), ""),
        retry_after=_seconds(headers.get("retry-after", "")),
    )


def message_of(d: Mapping[str, Any]) -> str:
    """The words of an error object in any of its usual forms, without anything that looks like a key."""
    e = d.get("error", d)
    if isinstance(e, Mapping):
        e = e.get("message") or e.get("detail") or e.get("code") or json.dumps(e, ensure_ascii=False)
    return mask(str(e))


def mask(text: str) -> str:
    """The text with everything that looks like a key masked."""
    return _KEYLIKE.sub(lambda m: f"{m[1] or ''}***", text)


def _read(body: str) -> tuple[str, str]:
    try:
        d = json.loads(body)
    except ValueError:
        return mask(re.sub(r"<[^>]+>|\s+", " ", body).strip()[:300]), ""
    if isinstance(d, list) and d:
        d = d[0]
    if not isinstance(d, dict):
        return mask(str(d)[:300]), ""
    e = d.get("error")
    code = " ".join(str(e.get(k) or "") for k in ("code", "type")) if isinstance(e, dict) else str(d.get("code") or "")
    if e is None and "detail" in d:
        d = {"message": d["detail"] if isinstance(d["detail"], str) else json.dumps(d["detail"], ensure_ascii=False)}
    return message_of(d)[:1000], code


def _key_fix(endpoint: Endpoint) -> str:
    if endpoint.key_env:
        return f"Set {endpoint.key_env} to a valid key."
    if endpoint.key_file:
        return f"Check the key in {endpoint.key_file}, or start the deployment again."
    return "Give the endpoint a key."


def _seconds(value: str) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
