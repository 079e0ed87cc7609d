"""What a refusal means: its status, its code and its words → the workbench's error of that kind, with the next thing to do.

Every dialect reads its own form of a refusal into a `Refusal` and asks here. Codes are data: those that vendors document are in
`CODES`, and a vendor's numbers come with its endpoint (``options["error_codes"]``). Knows no wire format and no vendor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .. import errors
from ..core.endpoints import Endpoint

# kind → what vendors call it in a code or type; compared in lower case, without separators.
_NAMES = {
    "key": "invalid_api_key incorrect_api_key_error invalid_authentication_error authentication_error AuthenticationError InvalidApiKey"
    " api_key_invalid UNAUTHENTICATED UnrecognizedClientException InvalidSignatureException ExpiredTokenException MissingAuthenticationToken"
    " IncompleteSignature invalid_token unauthorized",
    "permission": "permission_error permission_denied_error PERMISSION_DENIED AccessDeniedException AccessDenied Model.AccessDenied forbidden",
    "quota": "insufficient_quota credit_balance_exhausted organization_spend_limit_exceeded project_spend_limit_exceeded billing_error"
    " exceeded_current_quota_error Arrearage AllocationQuota.FreeTierOnly QuotaExceeded AccountQuotaExceeded AccountOverdueError"
    " insufficient_balance ServiceQuotaExceededException billing_hard_limit_reached billing_not_active payment_required",
    "rate": "rate_limit_exceeded rate_limit_error rate_limit_reached_error too_many_requests Throttling Throttling.RateQuota"
    " Throttling.AllocationQuota Throttling.BurstRate ThrottlingException limit_requests limit_burst_rate RequestBurstTooFast"
    " RateLimitExceeded RESOURCE_EXHAUSTED tokens_limit_reached",
    "busy": "overloaded_error engine_overloaded_error ServerOverloaded UNAVAILABLE unavailable_error ServiceUnavailableException"
    " ModelNotReadyException insufficient_system_resource overloaded",
    "model": "model_not_found ModelNotFound model_not_exist InvalidEndpointOrModel.NotFound model_not_available DeploymentNotFound"
    " unknown_model invalid_model",
    "context": "context_length_exceeded exceed_context_size_error model_context_window_exceeded string_above_max_length request_too_large",
    "filter": "content_filter content_policy_violation DataInspectionFailed data_inspection_failed ResponsibleAIPolicyViolation"
    " SensitiveContentDetected InputTextSensitiveContentDetected OutputTextSensitiveContentDetected sensitive content_filter_error"
    " guardrail_intervened",
    "late": "timeout_error DEADLINE_EXCEEDED ModelTimeoutException request_timeout",
    "bad": "invalid_request_error INVALID_ARGUMENT ValidationException invalid_parameter_error InvalidParameter FAILED_PRECONDITION",
    "failed": "api_error INTERNAL InternalServerException ModelErrorException internal_server_error server_error",
}


def _plain(code: str) -> str:
    return re.sub(r"[^a-z0-9]", "", code.lower())


CODES: dict[str, str] = {_plain(name): kind for kind, names in _NAMES.items() for name in names.split()}
_VAGUE = {"bad", "failed", "permission"}  # the words may tell more
_EXACT = {_plain(code) for code in ("invalid_value", "unknown_parameter", "missing_required_parameter", "body_too_large")}  # "bad", and nothing else

_WORDS = [
    ("context", r"context[ _](?:length|size|window)|maximum (?:context|model) length|too many (?:input )?tokens|prompt is too long"
                r"|exceed_context_size|input (?:is )?too long|maximum number of (?:input )?tokens|input token count|range of input length"
                r"|tokens\) is too large to process"),
    ("filter", r"content[_ ](?:filter|policy|management policy)|responsible ?ai|data_inspection|inappropriate content|safety (?:filter|system)"),
    ("model", r"model.{0,80}(?:not (?:found|exist|supported|served|available)|does(?: not|n't) exist|unknown)|no such model"
              r"|invalid model|(?:^|error )model: |model identifier is invalid|模型不存在"),
    ("key", r"(?:api[ -_]?key|token|credential|signature).{0,40}(?:invalid|incorrect|not valid|expired|missing|not match|unauthorized)"
            r"|(?:invalid|incorrect|missing|no).{0,20}(?:api[ -_]?key|token|credential|x-api-key)|security token"),
    ("quota", r"insufficient.{0,20}(?:quota|balance|credit)|exceeded your current quota|check your plan|billing|credit balance|out of credits|arrear"
              r"|overdue|欠费|余额不足"),
]  # fmt: skip
WORDS = [(kind, re.compile(pattern, re.I)) for kind, pattern in _WORDS]
_KEYLIKE = re.compile(
    r"(?i)\b(bearer\s+)[^\s\"',]+|\b(?:sk|pk|rk|key|ak|gsk|xai|or|tgp)[-_][A-Za-z0-9_\-*]{6,}|\bhf_[A-Za-z0-9]{8,}|\bAIza[A-Za-z0-9_\-]{10,}|\bbce-v3/\S+"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server said.

    Attributes
    ----------
    status : int
        HTTP, or below 300 where the refusal stood in a successful answer.
    message : str
        The server's words.
    codes : tuple of str
        Its code and its type, the more telling one first.
    request_id : str
    retry_after : float or None
        Seconds.
    """

    status: int
    message: str
    codes: tuple[str, ...] = ()
    request_id: str = ""
    retry_after: float | None = None


def error_of(refusal: Refusal, endpoint: Endpoint) -> errors.EndpointError:
    """The error of the most telling kind."""
    kind = kind_of(refusal, endpoint.options.get("error_codes") or {})
    who = f"{endpoint.source} at {endpoint.url}" if endpoint.source else endpoint.url
    model = endpoint.model
    how = f" (HTTP {refusal.status})" if refusal.status >= 300 else ""
    cls, what, fix = {
        "key": (errors.AuthenticationFailed, f"{who} did not accept the key{how}.", key_fix(endpoint)),
        "permission": (
            errors.AuthenticationFailed,
            f"{who} did not accept the key: it may not use {model or 'this'}{how}.",
            f"Allow it in the account, or name another model. {key_fix(endpoint)}",
        ),
        "quota": (
            errors.QuotaExhausted,
            f"The quota at {who} is used up{how}.",
            "Look at the account's billing and limits; waiting does not help.",
        ),
        "rate": (
            errors.RateLimited,
            f"{who} has had too many requests{how}.",
            "Wait a little, or send fewer: requests_per_minute=…, concurrency=…",
        ),
        "busy": (errors.EndpointDown, f"{who} cannot answer now{how}.", "Try again in a moment."),
        "late": (errors.EndpointTimeout, f"{who} took too long{how}.", "Try again, or allow more time."),
        "model": (errors.ModelUnknown, f"{who} does not serve a model called {model!r}.", "Name one that it serves."),
        "context": (
            errors.ContextTooLong,
            f"The conversation does not fit the context of {model or 'the model'}.",
            "Shorten it, start a new conversation, or serve the model with a larger context.",
        ),
        "filter": (errors.ContentFiltered, f"{who} filtered the request{how}.", "Word it differently."),
        "address": (errors.BadRequest, f"{who} has nothing at that address{how}.", "Check the URL: it usually ends in /v1."),
        "bad": (errors.BadRequest, f"{who} refused the request{how}.", "Check the arguments of the call."),
        "failed": (errors.EndpointError, f"{who} failed while answering{how}.", "Its log says why; try again."),
        "redirect": (errors.EndpointError, f"{who} refused the request{how}.", "Check the URL: it leads to another address."),
    }[kind]
    return cls(
        what,
        mask(refusal.message)[:1000],
        fix,
        source=endpoint.source,
        model=model,
        status=refusal.status,
        request_id=refusal.request_id,
        retry_after=refusal.retry_after,
    )


def kind_of(refusal: Refusal, more_codes: Mapping[str, str] | None = None) -> str:
    """Which kind a refusal is: what its code says, else its words, else its status."""
    if any(_plain(code) in _EXACT for code in refusal.codes):
        return "bad"
    told = ""
    more = more_codes or {}
    for code in refusal.codes:
        found = more.get(code) or CODES.get(_plain(code)) or _longer(code)
        if found and (not told or told in _VAGUE):
            told = found
    if told and told not in _VAGUE and not (told == "rate" and _used_up(refusal)):
        return told
    status, message = refusal.status, refusal.message
    if status in (401, 407):
        return "quota" if WORDS[-1][1].search(message) else "key"
    if status == 402:
        return "quota"
    if status == 429:
        return "quota" if _used_up(refusal) else "rate"
    if status in (408, 504):
        return "late"
    if status in (502, 503, 529):
        return "busy"
    if status >= 500:
        return "context" if WORDS[0][1].search(message) else "failed"
    whole = " ".join((*refusal.codes, message))
    if status == 403:
        return next((kind for kind, words in WORDS if kind != "context" and words.search(whole)), told or "key")
    if words := next((kind for kind, words in WORDS if words.search(whole)), ""):
        return words
    if status == 413:
        return "context"
    if status == 404:
        return "model" if told == "model" else "address"
    return told or ("redirect" if 300 <= status < 400 else "bad")


def key_fix(endpoint: Endpoint) -> str:
    """Where the key is to be changed."""
    if endpoint.key_env:
        return f"Set {endpoint.key_env} to a valid key."
    if endpoint.key_file:
        return f"Check the key in {endpoint.key_file}, or start the deployment again."
    return "Give the endpoint a key." if not endpoint.key_ref else "Give a valid key."


def mask(text: str) -> str:
    """The text with everything that looks like a key masked."""
    return _KEYLIKE.sub(lambda m: f"{m[1] or ''}***", text)


def seconds_to_wait(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """What ``Retry-After`` says, which is seconds or a date (RFC 9110), or OpenAI's ``retry-after-ms``."""
    try:
        if headers.get("retry-after-ms"):
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after", "").strip()
        if not value:
            return None
        if value[0].isdigit() or value[0] in "-.":
            return max(0.0, float(value))
        date = parsedate_to_datetime(value)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, OverflowError):
        return None


def text_of(value: Any) -> str:
    """A value of an error object as text."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def _longer(code: str) -> str:
    """Vendors put detail behind a known code, with a dot."""
    plain = _plain(code)
    return next((kind for name, kind in CODES.items() if len(name) > 9 and plain.startswith(name)), "")


def _used_up(refusal: Refusal) -> bool:
    """Whether too many requests means that the money is gone: only where the server names no time to wait."""
    return refusal.retry_after is None and WORDS[-1][1].search(refusal.message) is not None
