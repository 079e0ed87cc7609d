"""Gemini's generateContent format: what is made of an answer's lines, and of refusals.

Each line of a stream is a whole answer so far missing the rest; there is no mark of the end. Errors:
https://ai.google.dev/gemini-api/docs/troubleshooting and google.rpc's error details. Gets decoded lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .. import errors
from ..core.endpoints import Endpoint
from ..core.events import ErrorInStream, Finish, Metadata, ReasoningDelta, Replay, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from ..core.messages import FinishReason, Usage
from .openai_errors import message_of, refusal_of
from .refusals import Refusal, error_of
from .sse_json import SseJson

_REASONS: dict[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length"}
_FILTERED = {
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
    "JAILBREAK",
}
_BROKEN = {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE"}


class GeminiDecoder(SseJson):
    """Lines of one answer → events."""

    def __init__(self) -> None:
        super().__init__()
        self._told: tuple[str, str] = ("", "")
        self._calls = 0
        self._parts: list[dict[str, Any]] = []
        self._keep = False

    def _object(self, d: dict[str, Any]) -> Iterator[StreamEvent]:
        if d.get("error"):
            error = d["error"]
            code = error.get("code") if isinstance(error, dict) else 0
            status = str(error.get("status") or "") if isinstance(error, dict) else ""
            yield ErrorInStream(message_of(d), status, code if isinstance(code, int) else 0, json.dumps(d, ensure_ascii=False))
            return
        told = (str(d.get("modelVersion") or ""), str(d.get("responseId") or ""))
        if told != self._told:
            self._told = told
            yield Metadata(*told)
        for candidate in d.get("candidates") or ():
            if candidate.get("index"):
                continue  # only the first of several alternatives is an answer
            for part in (candidate.get("content") or {}).get("parts") or ():
                yield from self._part(part)
            yield from self._finish(candidate)
        blocked = (d.get("promptFeedback") or {}).get("blockReason")
        if blocked:
            said = d["promptFeedback"].get("blockReasonMessage") or f"The prompt was blocked: {blocked}."
            yield ErrorInStream(said, "content_filter", 400, json.dumps({"error": {"message": said, "code": "content_filter"}}))
        if d.get("usageMetadata"):
            yield UsageReport(_usage(d["usageMetadata"]))

    def _part(self, part: Mapping[str, Any]) -> Iterator[StreamEvent]:
        self._parts.append(dict(part))
        self._keep = self._keep or bool(part.get("thoughtSignature") or part.get("functionCall"))
        if part.get("text"):
            yield ReasoningDelta(part["text"]) if part.get("thought") else TextDelta(part["text"])
        elif part.get("functionCall"):
            call = part["functionCall"]
            arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
            yield ToolCallDelta(self._calls, str(call.get("id") or f"call_{self._calls}"), str(call.get("name") or ""), arguments)
            self._calls += 1
        elif part.get("executableCode"):
            code = part["executableCode"]
            yield TextDelta(f"\n```{str(code.get('language') or '').lower()}\n{code.get('code') or ''}\n```\n")
        elif part.get("codeExecutionResult"):
            yield TextDelta(f"\n```\n{part['codeExecutionResult'].get('output') or ''}\n```\n")

    def _finish(self, candidate: Mapping[str, Any]) -> Iterator[StreamEvent]:
        reason = str(candidate.get("finishReason") or "")
        if reason in _BROKEN:
            said = candidate.get("finishMessage") or f"The model's answer was not usable: {reason}."
            yield ErrorInStream(said, reason, 500, json.dumps({"error": {"message": said, "code": reason}}))
        elif reason in _FILTERED:
            yield Finish("content_filter")
        elif reason:
            known = _REASONS.get(reason, "unknown")
            yield Finish("tool_calls" if known == "stop" and self._calls else known)

    def _ended(self) -> Iterator[StreamEvent]:
        parts, self._parts = self._parts, []
        if self._keep and parts:  # calls and thoughts are signed, and wanted back as they were
            yield Replay({"dialect": "gemini", "parts": _joined(parts)})


def _joined(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring pieces of text are one part again; one that is signed stays as it is. Thoughts need not go back, their signatures do."""
    out: list[dict[str, Any]] = []
    for part in parts:
        if part.get("thought") and "thoughtSignature" not in part:
            continue
        if part.keys() == {"text"} and out and out[-1].keys() == {"text"}:
            out[-1] = {"text": out[-1]["text"] + part["text"]}
        else:
            out.append(part)
    return [p for p in out if p != {"text": ""}]


def _usage(d: Mapping[str, Any]) -> Usage:
    thought = int(d.get("thoughtsTokenCount") or 0)
    return Usage(
        int(d.get("promptTokenCount") or 0) + int(d.get("toolUsePromptTokenCount") or 0),
        int(d.get("candidatesTokenCount") or 0) + thought,
        cached_tokens=int(d.get("cachedContentTokenCount") or 0),
        reasoning_tokens=thought,
    )


def error_from(endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> errors.EndpointError:
    """The error for a refused request; the details behind the message tell which limit it is and how long to wait."""
    return error_of(_detailed(refusal_of(status, headers, body), body), endpoint)


def _detailed(refusal: Refusal, body: str) -> Refusal:
    try:
        d = json.loads(body)
        error = (d[0] if isinstance(d, list) else d)["error"]
        details = [x for x in error.get("details") or () if isinstance(x, dict)]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return refusal
    codes = [str(x["reason"]) for x in details if x.get("reason")]
    wait = next((str(x["retryDelay"]) for x in details if x.get("retryDelay")), "")
    quotas = " ".join(str(v.get("quotaId") or "") for x in details for v in x.get("violations") or () if isinstance(v, dict))
    seconds = refusal.retry_after
    if "PerDay" in quotas:  # the delay that is named with it would not help
        codes.insert(0, "insufficient_quota")
    elif seconds is None and wait.endswith("s") and wait[:-1].replace(".", "", 1).isdigit():
        seconds = float(wait[:-1])
    return replace(refusal, codes=(*codes, *refusal.codes), retry_after=seconds)
