"""Amazon Bedrock's Converse format: what is sent.

Format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html. What is read is
`workbench.dialects.bedrock_stream`; signatures are `workbench.dialects.auth_aws`. Knows nothing of connections.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from ..core.endpoints import Endpoint
from ..core.messages import ChatRequest, Message
from ..core.protocols import HttpRequest
from ..errors import ArgumentError
from . import parameters
from .bedrock_stream import BedrockDecoder, error_from
from .parts import Part, arguments_of, functions_of, parts_of, schema_of, text_of

_NAMES = {"max_tokens": "maxTokens", "max_completion_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP"}
_TOP = {
    "guardrailConfig",
    "performanceConfig",
    "serviceTier",
    "requestMetadata",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "additionalModelRequestFields",
    "toolConfig",
    "outputConfig",
}
_FORMATS = {"jpg": "jpeg", "mpeg": "mp3", "x-wav": "wav", "quicktime": "mov", "x-matroska": "mkv", "3gpp": "three_gp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


class BedrockConverse:
    """``POST …/model/{model}/converse-stream``.

    Parameters
    ----------
    options : Mapping, optional
        ``stream`` (False for one plain answer), and ``defaults``, ``rename``, ``drop``, ``clamp``, ``nest``
        (`workbench.dialects.parameters`). Parameters that the format does not name go to the model as additional fields.
    """

    name = "bedrock_converse"
    reads: Literal["lines", "bytes"] = "bytes"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = options or {}

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The request's body; parameters under OpenAI's names become the format's."""
        values = parameters.arrange(request.parameters, self.options)
        body: dict[str, Any] = {"messages": turns(request.messages)}
        system = [{"text": t} for m in request.messages if m.role == "system" and (t := text_of(m))]
        hint = _output(values, body)
        if system or hint:
            body["system"] = [*system, *([{"text": hint}] if hint else [])]
        config = {_NAMES[k]: values.pop(k) for k in list(values) if k in _NAMES}
        stop = values.pop("stop", None)
        if stop:
            config["stopSequences"] = [stop] if isinstance(stop, str) else list(stop)
        config.update(values.pop("inferenceConfig", None) or {})
        if config:
            body["inferenceConfig"] = config
        _tools(request, values, body)
        if "user" in values:
            body["requestMetadata"] = {"user": str(values.pop("user"))}
        parameters.merge(body, {k: values.pop(k) for k in _TOP & values.keys()})
        if values:
            parameters.merge(body, {"additionalModelRequestFields": values})
        parameters.merge(body, parameters.extras(request.parameters))
        verb = "converse-stream" if stream and self.options.get("stream", True) else "converse"
        return HttpRequest("POST", f"/model/{quote(request.model, safe='')}/{verb}", body)

    def decoder(self) -> BedrockDecoder:
        """A decoder for one answer."""
        return BedrockDecoder()

    def authorize(self, key: str) -> Mapping[str, str]:
        """The header that carries a Bedrock API key."""
        return {"Authorization": f"Bearer {key}"}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request."""
        return error_from(endpoint, status, headers, body)


def turns(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Turns without the system's; results of tools are a user's, and turns of one role that follow each other are one."""
    out: list[dict[str, Any]] = []
    for m in messages:
        if m.role == "system":
            continue
        role, blocks = ("assistant" if m.role == "assistant" else "user"), list(_blocks(m))
        if not blocks:
            continue
        if out and out[-1]["role"] == role:
            out[-1]["content"] += blocks
        else:
            out.append({"role": role, "content": blocks})
    return out


def _blocks(m: Message) -> Iterator[dict[str, Any]]:
    if m.role == "tool":
        contents = [_block(p, i) for i, p in enumerate(parts_of(m)) if p.kind != "text" or p.text]
        yield {"toolResult": {"toolUseId": m.tool_call_id, "content": contents or [{"text": "(nothing)"}]}}
    elif m.role == "assistant" and m.replay.get("dialect") == BedrockConverse.name:
        yield from m.replay["content"]
    else:
        yield from (_block(p, i) for i, p in enumerate(parts_of(m)) if p.kind != "text" or p.text.strip())
        yield from ({"toolUse": {"toolUseId": c.id, "name": c.name, "input": arguments_of(c)}} for c in m.tool_calls)


def _block(p: Part, number: int) -> dict[str, Any]:
    if p.kind == "text":
        return {"text": p.text}
    if p.kind == "other":
        return dict(p.raw or {})  # a block of the format itself
    if p.data:
        source: dict[str, Any] = {"bytes": p.data}
    elif p.url.startswith("s3://"):
        source = {"s3Location": {"uri": p.url}}
    else:
        raise ArgumentError(f"Bedrock takes no {p.kind} by its address.", f"It is {p.url[:100]!r}.", "Give the file itself, or an s3:// address.")
    if p.kind == "file" and not p.mime.startswith(("image/", "audio/", "video/")):
        name = re.sub(r"[^A-Za-z0-9\s\-()\[\]]", " ", p.name.rsplit(".", 1)[0]).strip() or f"document {number + 1}"
        ending = p.name.rsplit(".", 1)[-1] if "." in p.name else "txt"
        return {"document": {"format": _DOCUMENTS.get(p.mime, ending), "name": re.sub(r"\s+", " ", name)[:200], "source": source}}
    kind, _, form = p.mime.partition("/") if p.mime else (p.kind, "", p.url.rsplit(".", 1)[-1])
    return {kind: {"format": _FORMATS.get(form, form), "source": source}}


def _tools(request: ChatRequest, values: dict[str, Any], body: dict[str, Any]) -> None:
    choice = values.pop("tool_choice", None)
    values.pop("parallel_tool_calls", None)  # the format has no such switch
    if not request.tools or (choice == "none" and not any(m.tool_calls for m in request.messages)):
        return
    tools = [_tool(f) for f in functions_of(request)]
    body["toolConfig"] = {"tools": tools}
    if isinstance(choice, Mapping):
        body["toolConfig"]["toolChoice"] = {"tool": {"name": (choice.get("function") or choice).get("name")}}
    elif choice in ("required", "any"):
        body["toolConfig"]["toolChoice"] = {"any": {}}
    elif choice == "auto":
        body["toolConfig"]["toolChoice"] = {"auto": {}}


def _tool(f: Mapping[str, Any]) -> dict[str, Any]:
    if "name" not in f:
        return dict(f)  # in the format's own form already
    spec: dict[str, Any] = {"name": f["name"], "inputSchema": {"json": f.get("parameters") or {"type": "object", "properties": {}}}}
    if f.get("description"):
        spec["description"] = f["description"]
    if "strict" in f:
        spec["strict"] = bool(f["strict"])
    return {"toolSpec": spec}


def _output(values: dict[str, Any], body: dict[str, Any]) -> str:
    """Schema and effort go where the format has them; any JSON object is asked for in words, which are returned."""
    effort, form = values.pop("reasoning_effort", None), values.pop("response_format", None)
    if effort and effort != "none":
        body["outputConfig"] = {"effort": "low" if effort == "minimal" else str(effort)}
    schema = schema_of(form)
    if schema:
        inner = form.get("json_schema") or form
        named = {k: str(inner[k]) for k in ("name", "description") if inner.get(k)}
        structure = {"jsonSchema": {"schema": json.dumps(schema, ensure_ascii=False), **named}}
        body.setdefault("outputConfig", {})["textFormat"] = {"type": "json_schema", "structure": structure}
    return "Answer with a JSON object. Write nothing but JSON." if schema is not None and not schema else ""
