"""Embeddings in the forms of Gemini, DashScope and Doubao, which also take pictures, sounds and videos.

Formats: https://ai.google.dev/api/embeddings, https://help.aliyun.com/zh/model-studio/multimodal-embedding-api-reference,
https://www.volcengine.com/docs/82379/1409291. See `workbench.dialects.embeddings` for the table of forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.media import Media
from ..core.protocols import HttpRequest
from ..core.typed import EmbedRequest, Item, Vectors
from .codec import address_of, parts_of, read, text_of
from .embeddings import OpenAIEmbeddings, vectors


class GeminiEmbeddings(OpenAIEmbeddings):
    """``models/…:batchEmbedContents``; ``task`` is sent as ``taskType``."""

    path = "/models/{model}:batchEmbedContents"
    known = frozenset({"dimensions", "task", "taskType", "title"})
    batch_size = 100

    def encode(self, request: EmbedRequest) -> HttpRequest:
        parameters = dict(request.parameters)
        settings = {
            "outputDimensionality": parameters.pop("dimensions", None),
            "taskType": parameters.pop("task", None) or parameters.pop("taskType", None),
            "title": parameters.pop("title", None),
        }
        settings = {k: v for k, v in settings.items() if v is not None}
        model = f"models/{request.model.removeprefix('models/')}"
        asked = [{"model": model, "content": {"parts": [gemini_part(k, v) for k, v in parts_of(i)]}, **settings} for i in request.inputs]
        return self.post({"requests": asked, **parameters}, request.model)

    def _rows(self, found: Any) -> Sequence[Any]:
        return [r["values"] for r in found["embeddings"]]


def gemini_part(kind: str, value: str | Media) -> dict[str, Any]:
    """A text or a file as one of Gemini's parts."""
    if not isinstance(value, Media):
        return {"text": value} if kind == "text" else {"fileData": {"fileUri": value}}
    if value.data:
        return {"inlineData": {"mimeType": value.mime, "data": value.base64}}
    return {"fileData": {"mimeType": value.mime, "fileUri": value.url}}


class DashscopeEmbeddings(OpenAIEmbeddings):
    """Text vectors in DashScope's own form; ``text_type`` is ``query`` or ``document``."""

    path = "/services/embeddings/text-embedding/text-embedding"
    known = frozenset({"dimensions", "text_type", "output_type", "instruct"})
    batch_size = 10

    def encode(self, request: EmbedRequest) -> HttpRequest:
        body = {"model": request.model, "input": self._input(request.inputs), "parameters": self._parameters(request.parameters)}
        return self.post(body, request.model)

    def _input(self, inputs: Sequence[Item]) -> dict[str, Any]:
        return {"texts": [text_of(i, "This model") for i in inputs]}

    def _parameters(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        parameters = {("dimension" if k == "dimensions" else k): v for k, v in given.items()}
        return parameters or None

    def _rows(self, found: Any) -> Sequence[Any]:
        output = found["output"]
        if "embeddings" not in output:
            return [output["embedding"]]
        rows = output["embeddings"]
        return [r["embedding"] for r in sorted(rows, key=lambda r: r.get("text_index", r.get("index", 0)))]


class DashscopeMultimodal(DashscopeEmbeddings):
    """A vector for each text, picture or video. An input with several parts is fused into one vector, in a request of its own.

    The option ``fusion`` says how the model is told to: ``parameter`` (``enable_fusion``, as qwen3-vl-embedding wants it, the
    default) or ``object`` (all parts in one object, as the tongyi models want it).
    """

    path = "/services/embeddings/multimodal-embedding/multimodal-embedding"
    known = frozenset({"dimensions", "enable_fusion", "fps", "output_type", "instruct"})
    batch_size = 1

    def encode(self, request: EmbedRequest) -> HttpRequest:
        parameters = dict(self._parameters(request.parameters) or {})
        contents = [{kind: address_of(value) for kind, value in parts_of(item)} for item in request.inputs]
        if len(contents) == 1 and len(contents[0]) > 1 and self.options.get("fusion", "parameter") == "parameter":
            contents = [{kind: value} for kind, value in contents[0].items()]
            parameters.setdefault("enable_fusion", True)
        return self.post({"model": request.model, "input": {"contents": contents}, "parameters": parameters or None}, request.model)


class DoubaoMultimodal(OpenAIEmbeddings):
    """One vector for all parts of one input."""

    path = "/embeddings/multimodal"
    known = frozenset({"dimensions", "instructions", "encoding_format", "sparse_embedding"})
    batch_size = 1

    def encode(self, request: EmbedRequest) -> HttpRequest:
        parts = [_doubao_part(k, v) for item in request.inputs for k, v in parts_of(item)]
        return self.post({"model": request.model, "input": parts, **request.parameters}, request.model)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Vectors:
        found = read(body)
        row = found["data"]
        return vectors([(row[0] if isinstance(row, list) else row)["embedding"]], headers, found)


def _doubao_part(kind: str, value: str | Media) -> dict[str, Any]:
    if kind == "text":
        return {"type": "text", "text": value}
    return {"type": f"{kind}_url", f"{kind}_url": {"url": address_of(value)}}
