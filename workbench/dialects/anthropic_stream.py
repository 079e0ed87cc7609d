"""Anthropic's Messages format: what is made of an answer's lines, and of refusals.

Events: https://docs.anthropic.com/en/api/messages-streaming; errors: https://docs.anthropic.com/en/api/errors. Compatible servers
leave out events, so everything that is not there is done without. Gets decoded lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .. import errors
from ..core.endpoints import Endpoint
from ..core.events import ErrorInStream, Finish, Metadata, ReasoningDelta, Replay, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from ..core.messages import FinishReason, Usage
from .openai_errors import message_of, refusal_of
from .refusals import error_of
from .sse_json import SseJson

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_STATUS = {  # of an error that comes in the middle, by its type
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class AnthropicDecoder(SseJson):
    """Lines of one answer → events."""

    def __init__(self) -> None:
        super().__init__()
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._calls: dict[int, int] = {}  # block → number of the call
        self._json: dict[int, str] = {}  # block → arguments so far

    def _object(self, d: dict[str, Any]) -> Iterator[StreamEvent]:
        kind = d.get("type")
        if kind == "content_block_delta":
            yield from self._delta(int(d.get("index") or 0), d["delta"])
        elif kind == "message_start":
            yield from self._start(d.get("message") or {})
        elif kind == "content_block_start":
            yield from self._block(int(d.get("index") or 0), d["content_block"])
        elif kind == "content_block_stop":
            yield from self._stop(int(d.get("index") or 0))
        elif kind == "message_delta":
            yield from self._end((d.get("delta") or {}).get("stop_reason"), d.get("usage"))
        elif kind == "message_stop":
            self.done = True
            yield from self._ended()
        elif kind == "message":  # a plain answer
            yield from self._start({**d, "usage": {}})
            for i, block in enumerate(d.get("content") or ()):
                yield from self._block(i, block)
                yield from self._stop(i)
            yield from self._end(d.get("stop_reason"), d.get("usage"))
            yield from self._ended()
        elif kind == "error" or d.get("error"):
            code = str((d["error"].get("type") if isinstance(d.get("error"), dict) else "") or "")
            yield ErrorInStream(message_of(d), code, _STATUS.get(code, 0), json.dumps(d, ensure_ascii=False))

    def _start(self, message: Mapping[str, Any]) -> Iterator[StreamEvent]:
        self._usage.update(message.get("usage") or {})
        yield Metadata(str(message.get("model") or ""), str(message.get("id") or ""))

    def _block(self, index: int, block: Mapping[str, Any]) -> Iterator[StreamEvent]:
        self._blocks[index] = dict(block)
        kind = block.get("type")
        if kind == "text" and block.get("text"):
            yield TextDelta(str(block["text"]))
        elif kind == "thinking" and block.get("thinking"):
            yield ReasoningDelta(str(block["thinking"]))
        elif kind == "tool_use":
            self._calls[index], self._json[index] = len(self._calls), ""
            yield ToolCallDelta(self._calls[index], str(block.get("id") or ""), str(block.get("name") or ""))

    def _delta(self, index: int, delta: Mapping[str, Any]) -> Iterator[StreamEvent]:
        kind, block = delta.get("type"), self._blocks.setdefault(index, {"type": "text", "text": ""})
        if kind == "text_delta":
            text = str(delta.get("text") or "")
            block["text"] = str(block.get("text") or "") + text
            if text:
                yield TextDelta(text)
        elif kind == "thinking_delta":
            text = str(delta.get("thinking") or "")
            block["thinking"] = str(block.get("thinking") or "") + text
            if text:
                yield ReasoningDelta(text)
        elif kind == "signature_delta":
            block["signature"] = str(block.get("signature") or "") + str(delta.get("signature") or "")
        elif kind == "input_json_delta":
            text = str(delta.get("partial_json") or "")
            self._json[index] = self._json.get(index, "") + text
            if text and index in self._calls:
                yield ToolCallDelta(self._calls[index], arguments=text)
        elif kind == "citations_delta":
            block.setdefault("citations", []).append(delta.get("citation"))

    def _stop(self, index: int) -> Iterator[StreamEvent]:
        block = self._blocks.get(index, {})
        said = self._json.get(index, "")
        if said:
            try:
                block["input"] = json.loads(said)
            except ValueError:
                block["input"] = {"arguments": said}
        elif index in self._calls:  # no fragment came: the arguments stand in the block, or there are none
            yield ToolCallDelta(self._calls[index], arguments=json.dumps(block.get("input") or {}, ensure_ascii=False))

    def _end(self, reason: Any, usage: Mapping[str, Any] | None) -> Iterator[StreamEvent]:
        self._usage.update({k: v for k, v in (usage or {}).items() if v is not None})
        if reason:
            yield Finish(_REASONS.get(str(reason), "unknown"))
        if self._usage:
            yield UsageReport(usage_of(self._usage))

    def _ended(self) -> Iterator[StreamEvent]:
        blocks, self._blocks = self._blocks, {}
        kept = [b for _, b in sorted(blocks.items()) if b.get("type") != "text" or b.get("text")]
        if any(b.get("type") not in ("text", "tool_use") for b in kept):  # reasoning and the vendor's own tools are wanted back
            yield Replay({"dialect": "anthropic_messages", "content": kept})


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Anthropic counts what the cache gave and took beside the input, not in it."""
    read, written = int(usage.get("cache_read_input_tokens") or 0), int(usage.get("cache_creation_input_tokens") or 0)
    thought = (usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    return Usage(
        int(usage.get("input_tokens") or 0) + read + written,
        int(usage.get("output_tokens") or 0),
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=int(thought),
    )


def error_from(endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> errors.EndpointError:
    """The error for a refused request; the form is near enough to OpenAI's for one reader."""
    return error_of(refusal_of(status, headers, body), endpoint)
