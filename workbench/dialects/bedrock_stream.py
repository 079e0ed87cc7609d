"""Amazon Bedrock's Converse format: what is made of an answer's bytes, and of refusals.

Events: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html, in Amazon's event stream
framing (`workbench.dialects.aws_eventstream`); a plain JSON answer is read as well. Gets bytes as they come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .. import errors
from ..core.endpoints import Endpoint
from ..core.events import UNREADABLE, ErrorInStream, Finish, ReasoningDelta, Replay, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from ..core.messages import FinishReason, Usage
from .aws_eventstream import Frame, Frames
from .openai_errors import message_of, refusal_of
from .refusals import error_of

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_STATUS = {"throttlingException": 429, "validationException": 400, "serviceUnavailableException": 503, "modelStreamErrorException": 424}


class BedrockDecoder:
    """Bytes of one answer → events."""

    def __init__(self) -> None:
        self.done = False
        self._frames = Frames()
        self._whole: bytearray | None = None  # a plain JSON answer
        self._began = False
        self._calls: dict[int, int] = {}  # block → number of the call
        self._blocks: dict[int, dict[str, Any]] = {}
        self._arguments: dict[int, str] = {}

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        """The events of what is whole now."""
        if not self._began and data:
            self._began = True
            if data.lstrip()[:1] == b"{":  # as a length it would be two gigabytes
                self._whole = bytearray()
        if self._whole is not None:
            self._whole += data
            return ()
        return self._read(data)

    def _read(self, data: bytes) -> Iterator[StreamEvent]:
        try:
            for frame in self._frames.feed(data):
                yield from self._frame(frame)
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            yield ErrorInStream(f"The server sent something that cannot be read: {type(e).__name__}: {e}", UNREADABLE)

    def close(self) -> Iterable[StreamEvent]:
        """What is left when the connection has ended."""
        if self._whole is not None:
            data, self._whole = bytes(self._whole), None
            try:
                return list(self._plain(json.loads(data)))
            except (ValueError, KeyError, TypeError, AttributeError):
                said = data[:200].decode("utf-8", "replace")
                return (ErrorInStream(f"The server sent an object of another form: {said}", UNREADABLE),)
        return list(self._ended())

    def _frame(self, frame: Frame) -> Iterator[StreamEvent]:
        kind = frame.headers.get(":message-type", "event")
        if kind in ("exception", "error"):
            name = frame.headers.get(":exception-type") or frame.headers.get(":error-code") or "error"
            said = json.loads(frame.payload or b"{}") if kind == "exception" else {"message": frame.headers.get(":error-message", "")}
            yield self._error(name, message_of(said))
            return
        yield from self._event(frame.headers.get(":event-type", ""), json.loads(frame.payload or b"{}"))

    def _error(self, name: str, said: str) -> ErrorInStream:
        return ErrorInStream(said, name, _STATUS.get(name, 500), json.dumps({"message": said, "code": name}))

    def _event(self, name: str, d: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if name == "contentBlockDelta":
            yield from self._delta(int(d.get("contentBlockIndex") or 0), d["delta"])
        elif name == "contentBlockStart":
            yield from self._start(int(d.get("contentBlockIndex") or 0), d["start"])
        elif name == "contentBlockStop":
            yield from self._stop(int(d.get("contentBlockIndex") or 0))
        elif name == "messageStop":
            reason = str(d.get("stopReason") or "")
            if reason.startswith("malformed"):
                yield self._error(reason, f"The model's answer was not usable: {reason}.")
            else:
                yield Finish(_REASONS.get(reason, "unknown"))
        elif name == "metadata":
            if d.get("usage"):
                yield UsageReport(_usage(d["usage"]))
            yield from self._ended()

    def _start(self, index: int, start: Mapping[str, Any]) -> Iterator[StreamEvent]:
        use = start.get("toolUse")
        if use:
            self._calls[index], self._arguments[index] = len(self._calls), ""
            self._blocks[index] = {"toolUse": dict(use)}
            yield ToolCallDelta(self._calls[index], str(use.get("toolUseId") or ""), str(use.get("name") or ""))

    def _delta(self, index: int, delta: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if delta.get("text"):
            block = self._blocks.setdefault(index, {"text": ""})
            block["text"] = str(block.get("text") or "") + delta["text"]
            yield TextDelta(delta["text"])
        elif "toolUse" in delta:
            text = str(delta["toolUse"].get("input") or "")
            self._arguments[index] = self._arguments.get(index, "") + text
            if text and index in self._calls:
                yield ToolCallDelta(self._calls[index], arguments=text)
        elif "reasoningContent" in delta:
            yield from self._reasoning(self._blocks.setdefault(index, {"reasoningContent": {}})["reasoningContent"], delta["reasoningContent"])

    def _reasoning(self, block: dict[str, Any], delta: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if delta.get("redactedContent"):
            block["redactedContent"] = str(block.get("redactedContent") or "") + delta["redactedContent"]
            return
        inner = block.setdefault("reasoningText", {"text": ""})
        if delta.get("signature"):
            inner["signature"] = str(inner.get("signature") or "") + delta["signature"]
        if delta.get("text"):
            inner["text"] += delta["text"]
            yield ReasoningDelta(delta["text"])

    def _stop(self, index: int) -> Iterator[StreamEvent]:
        if index not in self._calls:
            return
        said = self._arguments[index]
        if not said:
            yield ToolCallDelta(self._calls[index], arguments="{}")
        try:
            value = json.loads(said or "{}")
        except ValueError:
            value = {"arguments": said}
        self._blocks[index]["toolUse"]["input"] = value if isinstance(value, dict) else {"arguments": value}

    def _plain(self, d: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if "output" not in d:
            if not any(k in d for k in ("__type", "code", "message", "Message")):
                raise KeyError("output")
            yield self._error(str(d.get("__type") or d.get("code") or "error"), message_of(d))
            return
        for index, block in enumerate(d["output"]["message"]["content"]):
            self._blocks[index] = dict(block)
            if block.get("text"):
                yield TextDelta(block["text"])
            elif "toolUse" in block:
                use = block["toolUse"]
                self._calls[index] = len(self._calls)
                arguments = json.dumps(use.get("input") or {}, ensure_ascii=False)
                yield ToolCallDelta(self._calls[index], str(use.get("toolUseId") or ""), str(use.get("name") or ""), arguments)
            elif (block.get("reasoningContent") or {}).get("reasoningText"):
                yield ReasoningDelta(str(block["reasoningContent"]["reasoningText"].get("text") or ""))
        yield from self._event("messageStop", d)
        yield from self._event("metadata", d)

    def _ended(self) -> Iterator[StreamEvent]:
        if self._frames.cut:
            yield ErrorInStream("The answer was cut in the middle of a message.", UNREADABLE)
        blocks, self._blocks = self._blocks, {}
        if any("reasoningContent" in b for b in blocks.values()):  # it is signed, and wanted back as it was
            yield Replay({"dialect": "bedrock_converse", "content": [b for _, b in sorted(blocks.items())]})


def _usage(d: Mapping[str, Any]) -> Usage:
    """Bedrock counts what the cache gave and took beside the input, not in it."""
    read, written = int(d.get("cacheReadInputTokens") or 0), int(d.get("cacheWriteInputTokens") or 0)
    return Usage(int(d.get("inputTokens") or 0) + read + written, int(d.get("outputTokens") or 0), cached_tokens=read, cache_write_tokens=written)


def error_from(endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> errors.EndpointError:
    """The error for a refused request; its kind stands in a header."""
    refusal = refusal_of(status, headers, body)
    kind = headers.get("x-amzn-errortype", "").split(":")[0].rsplit("#", 1)[-1]
    return error_of(replace(refusal, codes=(kind, *refusal.codes)) if kind else refusal, endpoint)
