"""Anthropic's Messages format, as Anthropic, llama.cpp, vLLM, Ollama and many vendors speak it beside OpenAI's: what is sent.

Format: https://docs.anthropic.com/en/api/messages. What is read is `workbench.dialects.anthropic_stream`. Where servers differ,
the endpoint's options say how; no vendor is named here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ..core.endpoints import Endpoint
from ..core.messages import ChatRequest, Message
from ..core.protocols import HttpRequest
from . import parameters
from .anthropic_stream import AnthropicDecoder, error_from
from .parts import Part, arguments_of, functions_of, parts_of, schema_of, text_of

VERSION = "2023-06-01"
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 65536}
_CHOICES = {"auto": {"type": "auto"}, "required": {"type": "any"}, "any": {"type": "any"}, "none": {"type": "none"}}


class AnthropicMessages:
    """``POST …/v1/messages``.

    Parameters
    ----------
    options : Mapping, optional
        How this server differs:

        ``path``
            Instead of ``/v1/messages``. ``version``: instead of ``2023-06-01``. ``betas``: names for ``anthropic-beta``.
        ``key_header``
            ``x-api-key`` (the default) or ``bearer``.
        ``max_tokens``
            Sent where none is given, because the format wants one; 4096.
        ``effort``
            ``output_config`` (the default) or ``budget``: what ``reasoning_effort`` becomes.
        ``response_format``
            ``none`` where schemas are not known: the schema is told in words.
        ``defaults``, ``rename``, ``drop``, ``clamp``, ``nest``
            What `workbench.dialects.parameters` does with parameters.
    """

    name = "anthropic_messages"
    reads: Literal["lines", "bytes"] = "lines"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = options or {}

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The request's body; parameters under OpenAI's names become the format's, others go through as they are."""
        values = parameters.arrange(request.parameters, self.options)
        limit = values.pop("max_completion_tokens", None)
        body: dict[str, Any] = {"model": request.model, "max_tokens": values.pop("max_tokens", None) or limit or self.options.get("max_tokens", 4096)}
        system, hint = "\n\n".join(t for m in request.messages if m.role in ("system",) and (t := text_of(m))), _schema(values, body, self.options)
        if system or hint:
            body["system"] = "\n\n".join(t for t in (system, hint) if t)
        body["messages"] = turns(request.messages)
        if request.tools:
            body["tools"] = [_tool(f) for f in functions_of(request)]
        _choice(values, body)
        _effort(values, body, self.options.get("effort", "output_config"))
        stop = values.pop("stop", None)
        if stop:
            body["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
        if "user" in values:
            body["metadata"] = {"user_id": str(values.pop("user"))}
        parameters.merge(body, values)
        body["stream"] = stream and self.options.get("stream", True)
        parameters.merge(body, parameters.extras(request.parameters))
        return HttpRequest("POST", str(self.options.get("path") or "/v1/messages"), body, headers=self._headers())

    def decoder(self) -> AnthropicDecoder:
        """A decoder for one answer."""
        return AnthropicDecoder()

    def authorize(self, key: str) -> Mapping[str, str]:
        """The header that carries the key."""
        return {"Authorization": f"Bearer {key}"} if self.options.get("key_header") == "bearer" else {"x-api-key": key}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request."""
        return error_from(endpoint, status, headers, body)

    def models_request(self) -> HttpRequest:
        """Asks which models are served."""
        return HttpRequest("GET", str(self.options.get("models_path") or "/v1/models"), headers=self._headers(), query={"limit": "1000"})

    def _headers(self) -> dict[str, str]:
        headers = {"anthropic-version": str(self.options.get("version") or VERSION)}
        if self.options.get("betas"):
            headers["anthropic-beta"] = ",".join(self.options["betas"])
        return headers


def turns(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Turns without the system's; results of tools are a user's, and turns of one role that follow each other are one."""
    out: list[dict[str, Any]] = []
    for m in messages:
        if m.role == "system":
            continue
        role = "assistant" if m.role == "assistant" else "user"
        blocks = list(_blocks(m))
        if not blocks:
            continue
        if out and out[-1]["role"] == role:
            out[-1]["content"] += blocks
        else:
            out.append({"role": role, "content": blocks})
    for turn in out:  # a single text is written as one, which every compatible server reads
        if len(turn["content"]) == 1 and turn["content"][0].keys() == {"type", "text"}:
            turn["content"] = turn["content"][0]["text"]
    return out


def _blocks(m: Message) -> Iterator[dict[str, Any]]:
    if m.role == "tool":
        yield {"type": "tool_result", "tool_use_id": m.tool_call_id, "content": m.content if isinstance(m.content, str) else _contents(m)}
    elif m.role == "assistant" and m.replay.get("dialect") == AnthropicMessages.name:
        yield from m.replay["content"]
    else:
        yield from _contents(m)
        yield from ({"type": "tool_use", "id": c.id, "name": c.name, "input": arguments_of(c)} for c in m.tool_calls)


def _contents(m: Message) -> list[dict[str, Any]]:
    return [_block(p) for p in parts_of(m) if p.kind != "text" or p.text]


def _block(p: Part) -> dict[str, Any]:
    if p.kind == "text":
        cache = (p.raw or {}).get("cache_control")
        return {"type": "text", "text": p.text, **({"cache_control": cache} if cache else {})}
    if p.kind in ("image", "file"):
        source = {"type": "url", "url": p.url} if p.url else {"type": "base64", "media_type": p.mime or "application/pdf", "data": p.data}
        block: dict[str, Any] = {"type": "image" if p.kind == "image" or p.mime.startswith("image/") else "document", "source": source}
        if p.name and block["type"] == "document":
            block["title"] = p.name
        return block
    return dict(p.raw or {})  # a block of the format itself, or one that the server refuses in its own words


def _tool(f: Mapping[str, Any]) -> dict[str, Any]:
    if "input_schema" in f or ("parameters" not in f and f.get("type", "function") != "function"):
        return dict(f)  # in the format's own form already, or one of the vendor's tools
    tool = {"name": f["name"], "input_schema": f.get("parameters") or {"type": "object", "properties": {}}}
    if f.get("description"):
        tool["description"] = f["description"]
    if "strict" in f:
        tool["strict"] = f["strict"]
    return tool


def _choice(values: dict[str, Any], body: dict[str, Any]) -> None:
    choice, parallel = values.pop("tool_choice", None), values.pop("parallel_tool_calls", None)
    if isinstance(choice, str):
        choice = dict(_CHOICES.get(choice, {"type": choice}))
    elif isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        choice = {"type": "tool", "name": choice["function"].get("name")}
    if parallel is False and body.get("tools"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    if choice:
        body["tool_choice"] = choice


def _effort(values: dict[str, Any], body: dict[str, Any], form: str) -> None:
    effort = values.pop("reasoning_effort", None)
    if effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif effort and form == "budget":
        budget = _BUDGETS.get(str(effort), 8192)
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
        body["max_tokens"] = max(body["max_tokens"], budget + 1024)  # the answer's tokens come on top
    elif effort:
        body.setdefault("output_config", {})["effort"] = "low" if effort == "minimal" else effort


def _schema(values: dict[str, Any], body: dict[str, Any], options: Mapping[str, Any]) -> str:
    """A schema goes where the format has it; what it has not is asked for in words, which are returned."""
    schema = schema_of(values.pop("response_format", None))
    if schema is None:
        return ""
    if schema and options.get("response_format") != "none":
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return ""
    said = f" that fits this JSON schema: {json.dumps(schema, ensure_ascii=False)}" if schema else ""
    return f"Answer with a JSON object{said}. Write nothing but JSON."
