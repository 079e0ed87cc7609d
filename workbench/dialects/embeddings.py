"""Embeddings: OpenAI's form, and the forms that differ from it only in names.

Format: https://platform.openai.com/docs/api-reference/embeddings. The ``form`` option chooses:

========================  ==========================================================================================
``openai``                ``/embeddings {model, input, dimensions}`` → ``data[{index, embedding}]``; the default
``sensenova``             the same request, ``embeddings[{index, embedding}]``
``minimax``               ``{model, texts, type}`` → ``vectors[]``
``ollama``                ``/api/embed {model, input, dimensions}`` → ``embeddings[]``
``cohere``                ``/embed {model, inputs or texts, input_type}`` → ``embeddings.float[]``
``tei``                   ``/embed {inputs}`` → a list of vectors
``titan``                 ``/model/{model}/invoke {inputText, dimensions}`` → ``embedding`` (one text a request)
``gemini``                ``/models/{model}:batchEmbedContents`` → ``embeddings[{values}]``
``dashscope``             ``{input: {texts}, parameters}`` → ``output.embeddings[{text_index, embedding}]``
``dashscope_multimodal``  ``{input: {contents}, parameters}`` → ``output.embeddings[{index, embedding}]``
``doubao_multimodal``     ``/embeddings/multimodal {model, input: [parts]}`` → ``data{embedding}`` (one input a request)
========================  ==========================================================================================

Other options: ``batch_size`` (inputs a request), ``encoding`` (``base64`` or ``float``, sent as ``encoding_format``),
``dimensions`` (another name for that parameter, empty where there is none), ``items`` (``objects``: each input is
``{text}`` or ``{image}``), ``path``, ``body``.
"""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.protocols import HttpRequest
from ..core.typed import EmbedRequest, Item, Vectors
from ..core.vectors import Vector
from .codec import JsonCodec, address_of, choose, model_of, parts_of, read, request_id_of, text_of, usage_of


class OpenAIEmbeddings(JsonCodec):
    """``POST …/embeddings``."""

    name = "embeddings"
    path = "/embeddings"
    known = frozenset({"dimensions", "encoding_format", "user", "input_type", "instruction", "instruct", "text_type", "task", "truncate"})
    batch_size = 16

    def encode(self, request: EmbedRequest) -> HttpRequest:
        parameters = dict(request.parameters)
        dimensions = parameters.pop("dimensions", None)
        body: dict[str, Any] = {"model": request.model, "input": [self._item(i) for i in request.inputs], **parameters}
        name = self.options.get("dimensions", "dimensions")
        if dimensions is not None and name:
            body[name] = dimensions
        if self.options.get("encoding"):
            body.setdefault("encoding_format", self.options["encoding"])
        return self.post(body, request.model)

    def _item(self, item: Item) -> Any:
        if self.options.get("items") == "objects":
            return {kind: address_of(value) for kind, value in parts_of(item)}
        return text_of(item, "This model")

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Vectors:
        found = read(body)
        return vectors(self._rows(found), headers, found)

    def _rows(self, found: Any) -> Sequence[Any]:
        return by_index(found["data"] if isinstance(found, Mapping) else found)


class SensenovaEmbeddings(OpenAIEmbeddings):
    """SenseNova's classic form."""

    path = "/embeddings"

    def _rows(self, found: Any) -> Sequence[Any]:
        return by_index(found["embeddings"])


class MinimaxEmbeddings(OpenAIEmbeddings):
    """MiniMax's form; ``type`` is ``db`` or ``query``."""

    known = frozenset({"type"})

    def encode(self, request: EmbedRequest) -> HttpRequest:
        texts = [text_of(i, "This model") for i in request.inputs]
        return self.post({"model": request.model, "texts": texts, "type": "db", **request.parameters}, request.model)

    def _rows(self, found: Any) -> Sequence[Any]:
        return list(found["vectors"])


class OllamaEmbeddings(OpenAIEmbeddings):
    """Ollama's own form (https://github.com/ollama/ollama/blob/main/docs/api.md)."""

    path = "/api/embed"
    known = frozenset({"dimensions", "truncate", "options", "keep_alive"})

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Vectors:
        found = read(body)
        return vectors(found["embeddings"], headers, {**found, "usage": {"prompt_tokens": found.get("prompt_eval_count") or 0}})


class CohereEmbeddings(OpenAIEmbeddings):
    """Cohere's second version (https://docs.cohere.com/reference/embed); ``input_type`` is ``search_document`` unless given."""

    path = "/embed"
    known = frozenset({"dimensions", "output_dimension", "input_type", "truncate", "max_tokens"})
    batch_size = 96

    def encode(self, request: EmbedRequest) -> HttpRequest:
        parameters = {"input_type": "search_document", **request.parameters}
        if "dimensions" in parameters:
            parameters["output_dimension"] = parameters.pop("dimensions")
        if all(isinstance(i, str) for i in request.inputs):
            given: dict[str, Any] = {"texts": list(request.inputs)}
        else:
            given = {"inputs": [{"content": [_cohere_part(k, v) for k, v in parts_of(i)]} for i in request.inputs]}
        model = {} if "{model}" in self.path else {"model": request.model}
        return self.post({**model, **given, "embedding_types": ["float"], **parameters}, request.model)

    def _rows(self, found: Any) -> Sequence[Any]:
        rows = found["embeddings"]
        return list(rows["float"] if isinstance(rows, Mapping) else rows)


class TeiEmbeddings(OpenAIEmbeddings):
    """Text Embeddings Inference's own form (https://huggingface.co/docs/text-embeddings-inference)."""

    path = "/embed"
    known = frozenset({"dimensions", "normalize", "truncate", "prompt_name", "truncation_direction"})
    batch_size = 32

    def encode(self, request: EmbedRequest) -> HttpRequest:
        return self.post({"inputs": [text_of(i, "This model") for i in request.inputs], **request.parameters}, request.model)

    def _rows(self, found: Any) -> Sequence[Any]:
        return list(found)


class TitanEmbeddings(OpenAIEmbeddings):
    """Amazon Titan through Bedrock: one text a request."""

    path = "/model/{model}/invoke"
    known = frozenset({"dimensions", "normalize"})
    batch_size = 1

    def encode(self, request: EmbedRequest) -> HttpRequest:
        return self.post({"inputText": text_of(request.inputs[0], "This model"), **request.parameters}, request.model)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Vectors:
        found = read(body)
        return vectors([found["embedding"]], headers, {"usage": {"prompt_tokens": found.get("inputTextTokenCount") or 0}})


def _cohere_part(kind: str, value: Any) -> dict[str, Any]:
    return {"type": "text", "text": value} if kind == "text" else {"type": "image_url", "image_url": {"url": address_of(value)}}


def by_index(rows: Any) -> list[Any]:
    """Rows ``{index, embedding}`` in the order of their indices; they come in any."""
    if rows and all(isinstance(r, Mapping) and isinstance(r.get("index"), int) for r in rows):
        rows = sorted(rows, key=lambda r: r["index"])
    return [r["embedding"] if isinstance(r, Mapping) else r for r in rows]


def vectors(rows: Sequence[Any], headers: Mapping[str, str], found: Any) -> Vectors:
    """The result of these rows, whether they are numbers or base64 of 32-bit little-endian floats."""
    return Vectors(tuple(floats(r) for r in rows), usage_of(found), model_of(found), request_id_of(headers, found))


def floats(row: Any) -> Any:
    """One vector: a list of numbers, or ``{token id: weight}`` of a sparse one."""
    if isinstance(row, Mapping):
        return {int(k): float(v) for k, v in row.items()}
    if isinstance(row, str):
        packed = array("f", base64.b64decode(row))
        if sys.byteorder == "big":
            packed.byteswap()
        return Vector(packed)
    if row and isinstance(row[0], list) and len(row) == 1:  # older llama.cpp servers nest once more
        row = row[0]
    return Vector(row)


def embeddings(options: Mapping[str, Any] | None = None) -> OpenAIEmbeddings:
    """The codec for the ``form`` in the options."""
    from . import embeddings_native as native

    forms: dict[str, type[OpenAIEmbeddings]] = {
        "openai": OpenAIEmbeddings,
        "sensenova": SensenovaEmbeddings,
        "minimax": MinimaxEmbeddings,
        "ollama": OllamaEmbeddings,
        "cohere": CohereEmbeddings,
        "tei": TeiEmbeddings,
        "titan": TitanEmbeddings,
        "gemini": native.GeminiEmbeddings,
        "dashscope": native.DashscopeEmbeddings,
        "dashscope_multimodal": native.DashscopeMultimodal,
        "doubao_multimodal": native.DoubaoMultimodal,
    }
    found: OpenAIEmbeddings = choose("embeddings", forms, options)
    return found
