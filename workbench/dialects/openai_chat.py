"""The OpenAI chat completions format, as OpenAI, llama.cpp, vLLM, `transformers serve` and most vendors speak it: what is sent.

Format: https://platform.openai.com/docs/api-reference/chat. Where servers differ, the endpoint's options say how; no vendor is
named here. What is read is `workbench.dialects.openai_stream`. Knows nothing of connections, retries or bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from ..core.endpoints import Endpoint
from ..core.messages import ChatRequest, Message
from ..core.protocols import HttpRequest
from . import constraints, parameters
from .openai_errors import error_from
from .openai_stream import OpenAIChatDecoder
from .parts import Part, parts_of, schema_of, text_of

_LIMITS = ("max_tokens", "max_completion_tokens")


class OpenAIChat:
    """``POST …/chat/completions``.

    Parameters
    ----------
    options : Mapping, optional
        How this server differs:

        ``path``
            Instead of ``/chat/completions``; ``{model}`` in it is the model's name. ``query``: what is joined to the address.
        ``max_tokens``
            The server's name of that parameter, whichever of OpenAI's two names is given.
        ``stream``, ``stream_options``
            False where the server knows no streams, or refuses to be asked for usage in one.
        ``system_role``
            Instead of ``system``, such as ``developer``; ``user`` where there is none.
        ``defaults``, ``rename``, ``drop``, ``clamp``, ``nest``
            What `workbench.dialects.parameters` does with parameters.
        ``response_format``
            ``json_object`` where schemas are not known: the schema is told in words. ``none`` where the parameter is refused.
        ``content``
            ``text`` where lists of parts are refused.
        ``image_url``
            ``text`` where it is a bare text instead of an object; ``base64`` where an image has no ``data:`` before it.
        ``reasoning``
            The name under which an assistant's reasoning is sent back; ``reasoning_on`` is ``tools`` (the default: in turns with tool
            calls) or ``always``.
        ``constraints``
            How the server is told what an answer may be; see `workbench.dialects.constraints`.
        ``strict_tools``
            False where ``strict`` in a tool is refused.
        ``tool_choice``
            The values that are known; another one becomes the first of them.
        ``model``
            False where the body names no model.
    """

    name = "openai_chat"
    reads: Literal["lines", "bytes"] = "lines"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = options or {}

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The request's body; parameters that no option names go through as they are, ``None`` means not given."""
        options = self.options
        stream = stream and options.get("stream", True)
        values = self._parameters(request)
        hint = _hint(values, options)
        body: dict[str, Any] = {"model": request.model} if options.get("model", True) else {}
        body["messages"] = list(self._messages(request.messages, hint))
        if request.tools:
            body["tools"] = [_tool(t, options.get("strict_tools", True)) for t in request.tools]
        body.update(values)
        body["stream"] = stream
        if stream and options.get("stream_options", True):
            body.setdefault("stream_options", {"include_usage": True})
        parameters.merge(body, parameters.extras(request.parameters))
        path = str(options.get("path") or "/chat/completions").replace("{model}", quote(request.model, safe=""))
        return HttpRequest("POST", path, body, query=options.get("query") or {})

    def decoder(self) -> OpenAIChatDecoder:
        """A decoder for one answer."""
        return OpenAIChatDecoder()

    def authorize(self, key: str) -> Mapping[str, str]:
        """The header that carries the key."""
        return {"Authorization": f"Bearer {key}"}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request, with the server's own words and never the key."""
        return error_from(endpoint, status, headers, body)

    def models_request(self) -> HttpRequest:
        """Asks which models are served."""
        return HttpRequest("GET", str(self.options.get("models_path") or "/models"), query=self.options.get("query") or {})

    def _parameters(self, request: ChatRequest) -> dict[str, Any]:
        values = dict(request.parameters)
        limit = self.options.get("max_tokens")
        if limit:
            found = [v for n in _LIMITS if (v := values.pop(n, None)) is not None]
            if found:
                values[limit] = found[0]
        values = constraints.arranged(parameters.arrange(values, self.options), str(self.options.get("constraints") or ""))
        known = self.options.get("tool_choice")
        if known and isinstance(values.get("tool_choice"), str) and values["tool_choice"] not in known:
            values["tool_choice"] = known[0]
        return values

    def _messages(self, messages: tuple[Message, ...], hint: str) -> Iterator[dict[str, Any]]:
        role = str(self.options.get("system_role") or "system")
        if hint and not any(m.role == "system" for m in messages):
            yield {"role": role, "content": hint}
            hint = ""
        for m in messages:
            out = self._message(m)
            if m.role == "system":
                out["role"] = role
                if hint:
                    out["content"], hint = f"{text_of(m)}\n\n{hint}", ""
            yield out

    def _message(self, m: Message) -> dict[str, Any]:
        out: dict[str, Any] = {"role": m.role, "content": self._content(m)}
        if m.name:
            out["name"] = m.name
        if m.tool_calls:
            out["tool_calls"] = [{"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in m.tool_calls]
        if m.tool_call_id:
            out["tool_call_id"] = m.tool_call_id
        if m.role == "assistant":
            out.update(self._thoughts(m))
        return out

    def _thoughts(self, m: Message) -> dict[str, Any]:
        """What the server wants back of the assistant's reasoning."""
        if m.replay.get("dialect") == self.name:
            return {k: v for k, v in m.replay.items() if k != "dialect"}
        field = self.options.get("reasoning")
        if field and (m.tool_calls or self.options.get("reasoning_on") == "always") and (m.reasoning or m.tool_calls):
            return {field: m.reasoning}
        return {}

    def _content(self, m: Message) -> str | list[Any]:
        if isinstance(m.content, str):
            return m.content
        if self.options.get("content") == "text" or m.role == "system":
            return text_of(m) if all(p.kind == "text" for p in parts_of(m)) else list(m.content)
        form = self.options.get("image_url")
        return [_image(p, form) if form and p.kind == "image" else dict(p.raw or {}) for p in parts_of(m)]


def _image(part: Part, form: str) -> dict[str, Any]:
    raw = dict(part.raw or {})
    address = part.url or (part.data if form == "base64" else f"data:{part.mime};base64,{part.data}")
    inner = raw.get("image_url")
    raw["image_url"] = address if form == "text" else {**(inner if isinstance(inner, Mapping) else {}), "url": address}
    return raw


def _tool(tool: Mapping[str, Any], strict: bool) -> Mapping[str, Any]:
    function = tool.get("function")
    if strict or not isinstance(function, Mapping) or "strict" not in function:
        return tool
    return {**tool, "function": {k: v for k, v in function.items() if k != "strict"}}


def _hint(values: dict[str, Any], options: Mapping[str, Any]) -> str:
    """Words that tell a schema to a server that knows none; the parameter becomes what it does know."""
    known, schema = options.get("response_format"), schema_of(values.get("response_format"))
    if known not in ("json_object", "none") or schema is None:
        return ""
    if known == "none":
        del values["response_format"]
    elif values["response_format"].get("type") == "json_object":
        return ""
    else:
        values["response_format"] = {"type": "json_object"}
    said = f" that fits this JSON schema: {json.dumps(schema, ensure_ascii=False)}" if schema else ""
    return f"Answer with a JSON object{said}. Write nothing but JSON."
