"""The OpenAI chat completions format: what is made of an answer's lines.

It reads tolerantly, because the compatible servers differ: missing ``[DONE]``, missing finish reason, usage in a chunk of its
own or in places of its own, errors in the middle or under a successful status, reasoning under several names, whole JSON instead
of a stream (`workbench.dialects.sse_json`). Gets decoded lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.events import Details, ErrorInStream, Finish, Metadata, ReasoningDelta, Replay, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from ..core.messages import FinishReason, Usage
from .openai_errors import message_of
from .sse_json import SseJson

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "normal": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
}
_RARE = {"error", "timings", "x_groq", "base_resp", "header", "code"}  # with which a piece of text is not all
_BROKEN = {"error", "insufficient_system_resource", "network_error", "abort"}  # the server says that it could not go on


class OpenAIChatDecoder(SseJson):
    """Lines of one answer → events. Fragments of a tool call keep their index; one without an index continues the last."""

    def __init__(self) -> None:
        super().__init__()
        self._told: tuple[str, str] = ("", "")
        self._call = -1
        self._finished = False
        self._details: list[dict[str, Any]] = []
        self._parts: list[dict[str, Any]] = []  # of an answer whose reasoning stands in its content
        self._logprobs: list[dict[str, Any]] = []
        self._others: dict[int, list[str]] = {}  # texts of further answers to the same question

    def _quick(self, d: dict[str, Any]) -> Iterable[StreamEvent] | None:
        """Some text and nothing else."""
        choices = d.get("choices")
        if type(choices) is not list or len(choices) != 1 or self._parts or not d.keys().isdisjoint(_RARE) or d.get("usage"):
            return None
        choice = choices[0]
        if type(choice) is not dict or choice.get("finish_reason") or choice.get("index") or choice.get("usage") or choice.get("logprobs"):
            return None
        delta = choice.get("delta")
        if type(delta) is not dict or len(delta) != 1 or (d.get("model") or "", d.get("id") or "") != self._told:
            return None
        text = delta.get("content")
        return (TextDelta(text),) if type(text) is str and text else None

    def _object(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        told = (str(chunk.get("model") or ""), str(chunk.get("id") or ""))
        if told != self._told:
            self._told = told
            yield Metadata(*told)
        for choice in chunk.get("choices") or ():
            if choice.get("index"):
                self._another(choice)
                continue
            self._logprobs += (choice.get("logprobs") or {}).get("content") or ()
            yield from self._delta(choice.get("delta") or choice.get("message") or {})
            reason = choice.get("finish_reason")
            if reason in _BROKEN and not chunk.get("error"):
                yield ErrorInStream(f"The server ended the answer with {reason!r}.", str(reason))
            elif reason and reason not in _BROKEN:
                self._finished = True
                yield Finish(_REASONS.get(str(reason), "unknown"))
        usage = _usage(chunk)
        if usage is not None:
            yield UsageReport(usage)
        yield from _error(chunk)

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[StreamEvent]:
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        details = delta.get("reasoning_details")
        if details and isinstance(details, list):
            self._keep(details)
            if not reasoning:
                reasoning = "".join(str(d.get("text") or d.get("summary") or "") for d in details)
        if reasoning and isinstance(reasoning, str):
            yield ReasoningDelta(reasoning)
        content = delta.get("content")
        if isinstance(content, str):
            if content:
                if self._parts:
                    self._collect({"type": "text", "text": content})
                yield TextDelta(content)
        elif content:
            for p in content:
                if isinstance(p, dict):
                    self._collect(p)
                    yield from _part(p)
        if delta.get("refusal"):
            yield TextDelta(str(delta["refusal"]))
        for call in delta.get("tool_calls") or ():
            yield self._tool(call)
        if delta.get("function_call"):  # the form before tools
            yield self._tool({"index": 0, "function": delta["function_call"]})

    def _another(self, choice: Mapping[str, Any]) -> None:
        """One of several answers that were asked for with ``n``: the first is the answer, the others are kept beside it."""
        content = (choice.get("delta") or choice.get("message") or {}).get("content")
        self._others.setdefault(int(choice["index"]), []).append(content if isinstance(content, str) else "")

    def _keep(self, details: list[dict[str, Any]]) -> None:
        """Fragments of one block of reasoning are put together, because the whole block is wanted back."""
        for d in details:
            last = self._details[-1] if self._details else {}
            if last and (d.get("index"), d.get("type")) == (last.get("index"), last.get("type")) and "index" in d:
                for field in ("text", "summary", "data"):
                    if d.get(field):
                        last[field] = str(last.get(field) or "") + str(d[field])
                last.update({k: v for k, v in d.items() if k not in ("text", "summary", "data") and v is not None})
            else:
                self._details.append(dict(d))

    def _collect(self, part: dict[str, Any]) -> None:
        """An answer with reasoning among its parts is wanted back with the same parts; fragments of one are put together."""
        last = self._parts[-1] if self._parts else {}
        if part.get("type") == "text" and last.get("type") == "text":
            last["text"] += part.get("text") or ""
        elif part.get("type") == "thinking" and last.get("type") == "thinking" and isinstance(part.get("thinking"), list):
            last["thinking"] = [{"type": "text", "text": "".join(str(t.get("text") or "") for t in [*last["thinking"], *part["thinking"]])}]
            last.update({k: v for k, v in part.items() if k not in ("type", "thinking")})
        else:
            self._parts.append(dict(part))

    def _ended(self) -> Iterator[StreamEvent]:
        details, self._details = self._details, []
        parts, self._parts = self._parts, []
        kept: dict[str, Any] = {"reasoning_details": details} if details else {}
        if any(p.get("type") == "thinking" for p in parts):
            kept["content"] = parts
        if kept:
            yield Replay({"dialect": "openai_chat", **kept})
        logprobs, self._logprobs = self._logprobs, []
        others, self._others = self._others, {}
        told: dict[str, Any] = {"logprobs": logprobs} if logprobs else {}
        if others:
            told["others"] = ["".join(texts) for _, texts in sorted(others.items())]
        if told:
            yield Details(told)
        if self.done and not self._finished:
            self._finished = True
            yield Finish("unknown")

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


def _part(part: Mapping[str, Any]) -> Iterator[StreamEvent]:
    """One part of a content list: text, or reasoning that is a list of texts."""
    thinking = part.get("thinking")
    if thinking:
        texts = [thinking] if isinstance(thinking, str) else [str(t.get("text") or "") for t in thinking]
        yield from (ReasoningDelta(t) for t in texts if t)
    elif isinstance(part.get("text"), str) and part["text"]:
        yield TextDelta(part["text"])


def _error(chunk: Mapping[str, Any]) -> Iterator[StreamEvent]:
    error = chunk.get("error") or (chunk.get("object") == "error" and chunk)
    if error:
        code = (error.get("code") or error.get("type")) if isinstance(error, dict) else ""
        status = code if isinstance(code, int) and 400 <= code < 600 else 0
        yield ErrorInStream(message_of(chunk), str(code or ""), status, json.dumps(chunk, ensure_ascii=False))
        return
    outer: Any = chunk.get("base_resp") or chunk.get("header") or {}
    code = outer.get("status_code") or outer.get("code")
    if not code and not chunk.get("choices") and chunk.get("message") and isinstance(chunk.get("code"), int | str):
        code = chunk["code"] if str(chunk["code"]) not in ("", "0", "200") else 0
    if code:
        yield ErrorInStream(message_of(chunk), str(code), 0, json.dumps(chunk, ensure_ascii=False))


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
    if not usage:  # some put it into the choice
        usage = next((c["usage"] for c in chunk.get("choices") or () if c.get("usage")), None)
    if usage:
        prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
        cached = prompt.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or usage.get("cached_tokens")
        return Usage(
            int(usage.get("prompt_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
            cached_tokens=int(cached or 0),
            cache_write_tokens=int(prompt.get("cache_write_tokens") or 0),
            reasoning_tokens=int(completion.get("reasoning_tokens") or usage.get("reasoning_tokens") or 0),
        )
    timings = chunk.get("timings")  # llama.cpp's own count, where usage was not sent
    if timings and timings.get("predicted_n") is not None and any(c.get("finish_reason") for c in chunk.get("choices") or ()):
        return Usage(int(timings.get("prompt_n") or 0) + int(timings.get("cache_n") or 0), int(timings["predicted_n"]))
    return None
