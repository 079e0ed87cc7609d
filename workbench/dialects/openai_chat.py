"""The OpenAI chat completions format, as OpenAI, llama.cpp, vLLM, `transformers serve` and most vendors speak it.

Format: https://platform.openai.com/docs/api-reference/chat and its streaming page; framing:
https://html.spec.whatwg.org/multipage/server-sent-events.html. Knows nothing of connections, retries or bytes: it gets
decoded lines. It reads tolerantly, because the compatible servers differ: comments, missing ``[DONE]``, missing finish
reason, usage in a chunk of its own, errors in the middle, reasoning under two names, whole JSON instead of a stream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, cast

from ..core.endpoints import Endpoint
from ..core.events import ErrorInStream, Finish, Metadata, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from ..core.messages import ChatRequest, FinishReason, Message, Usage
from ..core.protocols import HttpRequest
from .openai_errors import error_from, message_of

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class OpenAIChat:
    """``POST …/chat/completions``."""

    name = "openai_chat"
    reads: Literal["lines", "bytes"] = "lines"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = options or {}

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The request's body; parameters go through as they are named, ``None`` means not given."""
        body: dict[str, Any] = {"model": request.model, "messages": [_message(m) for m in request.messages]}
        if request.tools:
            body["tools"] = list(request.tools)
        body.update((k, v) for k, v in request.parameters.items() if v is not None)
        body["stream"] = stream
        if stream:
            body.setdefault("stream_options", {"include_usage": True})
        return HttpRequest("POST", "/chat/completions", body)

    def decoder(self) -> OpenAIChatDecoder:
        """A decoder for one answer."""
        return OpenAIChatDecoder()

    def authorize(self, key: str) -> Mapping[str, str]:
        """The header that carries the key."""
        return {"Authorization": f"Bearer {key}"}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request, with the server's own words and never the key."""
        return error_from(endpoint, status, headers, body)


class OpenAIChatDecoder:
    """Lines of one answer → events. Fragments of a tool call keep their index; one without an index continues the last."""

    def __init__(self) -> None:
        self.done = False
        self._whole: list[str] | None = None  # the lines of a plain JSON answer
        self._began = False
        self._told: tuple[str, str] = ("", "")
        self._call = -1
        self._finished = False

    def feed(self, line: str) -> Iterable[StreamEvent]:
        """The events of one line (without its end)."""
        if line.startswith("data:"):
            if self._whole is None:
                self._began = True
                return self._data(line[5:].strip())
        elif not self._began and self._whole is None and line.lstrip()[:1] == "{":
            self._whole = []
        elif line.startswith("error:") and self._whole is None:  # older llama.cpp servers
            return self._data(f'{{"error": {line[6:]}}}')
        if self._whole is not None:
            self._whole.append(line)
        return ()

    def close(self) -> Iterable[StreamEvent]:
        """What is left when the connection has ended: a plain JSON answer."""
        if self._whole is None:
            return ()
        text, self._whole = "\n".join(self._whole), None
        return self._data(text)

    def _data(self, text: str) -> Iterable[StreamEvent]:
        if text == "[DONE]":
            self.done = True
            return () if self._finished else (Finish("unknown"),)
        if not text:
            return ()
        try:
            chunk = json.loads(text)
        except ValueError:
            return (ErrorInStream(f"The server sent something that is not JSON: {text[:200]}", "not_json"),)
        if not isinstance(chunk, dict):
            return (ErrorInStream(f"The server sent something that is not an object: {text[:200]}", "not_an_object"),)
        try:
            return list(self._chunk(chunk))
        except (AttributeError, TypeError, ValueError, KeyError):
            return (ErrorInStream(f"The server sent an object of another form: {text[:200]}", "other_form"),)

    def _chunk(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        told = (str(chunk.get("model") or ""), str(chunk.get("id") or ""))
        if told != self._told:
            self._told = told
            yield Metadata(*told)
        for choice in chunk.get("choices") or ():
            if choice.get("index"):
                continue  # only the first of several alternatives is an answer
            yield from self._delta(choice.get("delta") or choice.get("message") or {})
            reason = choice.get("finish_reason")
            if reason:
                self._finished = True
                yield Finish(_REASONS.get(str(reason), "unknown"))
        usage = _usage(chunk)
        if usage is not None:
            yield UsageReport(usage)
        error = chunk.get("error")
        if error:
            code = error.get("code") or error.get("type") if isinstance(error, dict) else ""
            yield ErrorInStream(message_of(chunk), str(code or ""), body=json.dumps(chunk))

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[StreamEvent]:
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if reasoning and isinstance(reasoning, str):
            yield ReasoningDelta(reasoning)
        content = delta.get("content")
        if isinstance(content, str):
            if content:
                yield TextDelta(content)
        elif content:
            yield from (TextDelta(p["text"]) for p in content if isinstance(p, dict) and isinstance(p.get("text"), str))
        if delta.get("refusal"):
            yield TextDelta(str(delta["refusal"]))
        for call in delta.get("tool_calls") or ():
            yield self._tool(call)

    def _tool(self, call: Mapping[str, Any]) -> ToolCallDelta:
        index = call.get("index")
        if index is None:  # servers that send whole calls leave it out: an id begins a new one
            index = self._call + 1 if call.get("id") or self._call < 0 else self._call
        self._call = int(index)
        function = call.get("function") or {}
        arguments = function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        return ToolCallDelta(self._call, str(call.get("id") or ""), str(function.get("name") or ""), arguments or "")


def _message(m: Message) -> dict[str, Any]:
    out: dict[str, Any] = {"role": m.role, "content": m.content if isinstance(m.content, str) else list(m.content)}
    if m.name:
        out["name"] = m.name
    if m.tool_calls:
        out["tool_calls"] = [{"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in m.tool_calls]
    if m.tool_call_id:
        out["tool_call_id"] = m.tool_call_id
    return out


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    usage = chunk.get("usage")
    if usage:
        return Usage(int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0))
    timings = cast("Mapping[str, Any] | None", chunk.get("timings"))  # llama.cpp's own count, where usage was not sent
    if timings and timings.get("predicted_n") is not None and any(c.get("finish_reason") for c in chunk.get("choices") or ()):
        return Usage(int(timings.get("prompt_n") or 0) + int(timings.get("cache_n") or 0), int(timings["predicted_n"]))
    return None
