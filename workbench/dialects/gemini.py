"""Gemini's generateContent format: what is sent.

Format: https://ai.google.dev/api/generate-content. What is read is `workbench.dialects.gemini_stream`. Knows nothing of
connections or bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from ..core.endpoints import Endpoint
from ..core.messages import ChatRequest, Message
from ..core.protocols import HttpRequest
from . import parameters
from .gemini_stream import GeminiDecoder, error_from
from .parts import Part, arguments_of, functions_of, parts_of, schema_of, text_of

_NAMES = {  # OpenAI's name → that of the generation config
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "n": "candidateCount",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
_TOP = {"safetySettings", "cachedContent", "toolConfig", "systemInstruction", "store", "serviceTier", "labels"}
_MODES = {"auto": "AUTO", "required": "ANY", "any": "ANY", "none": "NONE"}
_BUDGETS = {"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768}


class Gemini:
    """``POST …/models/{model}:streamGenerateContent``.

    Parameters
    ----------
    options : Mapping, optional
        ``key_header`` (``x-goog-api-key``, the default, or ``bearer``), ``stream`` (False for one plain answer), ``effort``
        (``level``, the default, or ``budget``: what ``reasoning_effort`` becomes), and ``defaults``, ``rename``, ``drop``, ``clamp``,
        ``nest`` (`workbench.dialects.parameters`). Parameters in the format's own spelling go into the generation config.
    """

    name = "gemini"
    reads: Literal["lines", "bytes"] = "lines"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = options or {}

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The request's body; parameters under OpenAI's names become the format's, others go through as they are."""
        values = parameters.arrange(request.parameters, self.options)
        body: dict[str, Any] = {"contents": contents(request.messages)}
        system = "\n\n".join(t for m in request.messages if m.role == "system" and (t := text_of(m)))
        if system:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        if request.tools:
            body["tools"] = list(_tools(request))
        _choice(values, body)
        body.update({k: values.pop(k) for k in _TOP & values.keys()})
        config = _config(values, str(self.options.get("effort") or "level"))
        if config:
            body["generationConfig"] = config
        parameters.merge(body, parameters.extras(request.parameters))
        model = request.model if "/" in request.model else f"models/{request.model}"
        if stream and self.options.get("stream", True):
            return HttpRequest("POST", f"/{quote(model)}:streamGenerateContent", body, query={"alt": "sse"})
        return HttpRequest("POST", f"/{quote(model)}:generateContent", body)

    def decoder(self) -> GeminiDecoder:
        """A decoder for one answer."""
        return GeminiDecoder()

    def authorize(self, key: str) -> Mapping[str, str]:
        """The header that carries the key."""
        return {"Authorization": f"Bearer {key}"} if self.options.get("key_header") == "bearer" else {"x-goog-api-key": key}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request."""
        return error_from(endpoint, status, headers, body)

    def models_request(self) -> HttpRequest:
        """Asks which models are served."""
        return HttpRequest("GET", "/models", query={"pageSize": "1000"})


def contents(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Turns without the system's; results of tools are a user's, and turns of one role that follow each other are one."""
    out: list[dict[str, Any]] = []
    calls: dict[str, tuple[str, str]] = {}  # id of a call → its function's name, and its id when the vendor gave it
    for m in messages:
        if m.role == "system":
            continue
        theirs = _given_ids(m)
        calls.update({c.id: (c.name, c.id if c.id in theirs else "") for c in m.tool_calls})
        role, parts = ("model" if m.role == "assistant" else "user"), list(_parts(m, calls))
        if not parts:
            continue
        if out and out[-1]["role"] == role:
            out[-1]["parts"] += parts
        else:
            out.append({"role": role, "parts": parts})
    return out


def _given_ids(m: Message) -> set[str]:
    if m.replay.get("dialect") != Gemini.name:
        return set()
    return {str(p["functionCall"]["id"]) for p in m.replay["parts"] if (p.get("functionCall") or {}).get("id")}


def _parts(m: Message, calls: Mapping[str, tuple[str, str]]) -> Iterator[dict[str, Any]]:
    if m.role == "tool":
        name, given = calls.get(m.tool_call_id, (m.name, ""))
        response: dict[str, Any] = {"name": name or m.name or "tool", "response": _result(text_of(m))}
        if given:
            response["id"] = given
        yield {"functionResponse": response}
        yield from (_part(p) for p in parts_of(m) if p.kind != "text")  # pictures that a tool gives
    elif m.role == "assistant" and m.replay.get("dialect") == Gemini.name:
        yield from m.replay["parts"]
    else:
        yield from (_part(p) for p in parts_of(m) if p.kind != "text" or p.text)
        yield from ({"functionCall": {"name": c.name, "args": arguments_of(c)}} for c in m.tool_calls)


def _result(text: str) -> dict[str, Any]:
    """The format wants an object."""
    try:
        value = json.loads(text)
    except ValueError:
        return {"result": text}
    return value if isinstance(value, dict) else {"result": value}


def _part(p: Part) -> dict[str, Any]:
    if p.kind == "text":
        return {"text": p.text}
    if p.data:
        return {"inlineData": {"mimeType": p.mime or "application/octet-stream", "data": p.data}}
    if p.url:
        return {"fileData": {"fileUri": p.url, **({"mimeType": p.mime} if p.mime else {})}}
    return dict(p.raw or {})  # a part of the format itself


def _tools(request: ChatRequest) -> Iterator[dict[str, Any]]:
    declarations: list[dict[str, Any]] = []
    for f in functions_of(request):
        if "name" not in f:
            yield dict(f)  # one of the vendor's own, such as googleSearch
            continue
        own = {k: f[k] for k in ("name", "description", "parametersJsonSchema", "response", "behavior") if f.get(k)}
        if f.get("parameters") and (f["parameters"].get("properties") or f["parameters"].get("type") != "object"):
            own["parametersJsonSchema"] = f["parameters"]
        declarations.append(own)
    if declarations:
        yield {"functionDeclarations": declarations}


def _choice(values: dict[str, Any], body: dict[str, Any]) -> None:
    choice = values.pop("tool_choice", None)
    values.pop("parallel_tool_calls", None)  # the format has no such switch
    if isinstance(choice, str):
        body["toolConfig"] = {"functionCallingConfig": {"mode": _MODES.get(choice, choice.upper())}}
    elif isinstance(choice, Mapping):
        name = (choice.get("function") or choice).get("name")
        body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}}


def _config(values: dict[str, Any], form: str) -> dict[str, Any]:
    config: dict[str, Any] = {}
    schema = schema_of(values.pop("response_format", None))
    if schema is not None:
        config["responseMimeType"] = "application/json"
        if schema:
            config["responseJsonSchema"] = schema
    stop = values.pop("stop", None)
    if stop:
        config["stopSequences"] = [stop] if isinstance(stop, str) else list(stop)
    effort = values.pop("reasoning_effort", None)
    if effort:
        level = {"thinkingLevel": str(effort).upper()} if form == "level" and effort != "none" else {"thinkingBudget": _BUDGETS.get(str(effort), -1)}
        config["thinkingConfig"] = {**level, "includeThoughts": effort != "none"}
    own = values.pop("generationConfig", None) or {}
    config.update({_NAMES.get(k, k): v for k, v in values.items()})
    return parameters.merge(config, own)
