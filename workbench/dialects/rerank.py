"""Reranking: a query and documents become (index, score), the best first.

The ``form`` option chooses:

============  ====================================================================================================
``flat``      ``/rerank {model, query, documents, top_n}`` → ``results[{index, relevance_score}]``: Jina, Cohere v2,
              GLM, SiliconFlow, PPIO, Qianfan, OpenRouter, vLLM, llama.cpp, Infinity …; the default (also ``openai``)
``nested``    ``{model, input: {query, documents}, parameters: {top_n}}`` → ``output.results[…]``: DashScope
``tei``       ``/rerank {query, texts}`` → ``[{index, score}]``: Text Embeddings Inference
``bedrock``   Amazon Bedrock's agent runtime; ``model`` is an ARN, or a name together with the option ``region``
============  ====================================================================================================

Other options: ``batch_size`` (the most documents of one request; more go out in several), ``top_n`` (``false`` where the server
has no such field), ``items`` (``objects`` for documents
``{text}``/``{image}``), ``path``, ``body``. Whatever a server sends, the answer is sorted here and cut to ``top_n``.
Formats: https://docs.cohere.com/reference/rerank, https://jina.ai/reranker, https://huggingface.github.io/text-embeddings-inference,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.protocols import HttpRequest
from ..core.typed import Item, Ranking, RerankRequest
from .codec import JsonCodec, address_of, choose, first_of, model_of, parts_of, read, request_id_of, text_of, usage_of


class FlatRerank(JsonCodec):
    """``POST …/rerank``."""

    name = "rerank"
    path = "/rerank"
    batch_size = 1 << 30  # no limit that is known
    known = frozenset(
        {"return_documents", "max_tokens_per_doc", "max_chunks_per_doc", "overlap_tokens", "instruction", "instruct", "priority", "user"}
        | {"truncate", "truncation", "rank_fields", "return_raw_scores", "raw_scores", "request_id", "user_id"}
    )

    def encode(self, request: RerankRequest) -> HttpRequest:
        body: dict[str, Any] = {"model": request.model, "query": self._item(request.query), "documents": [self._item(d) for d in request.documents]}
        if request.top_n is not None and self.options.get("top_n", True):
            body["top_n"] = request.top_n
        return self.post({**body, **request.parameters}, request.model)

    def _item(self, item: Item) -> Any:
        if isinstance(item, str):
            return item
        if self.options.get("items") == "objects":
            return {kind: address_of(value) for kind, value in parts_of(item)}
        return text_of(item, "This reranker")

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Ranking:
        found = read(body)
        rows = self._rows(found)
        pairs = [(int(first_of(r, "index", "corpus_id")), float(first_of(r, "relevance_score", "score", "relevanceScore"))) for r in rows]
        pairs.sort(key=lambda p: (-p[1], p[0]))
        return Ranking(tuple(pairs), usage_of(found), model_of(found), request_id_of(headers, found))

    def _rows(self, found: Any) -> Any:
        if isinstance(found, list):
            return found
        return first_of(found.get("output") or found, "results", "data", "scores") or ()


class NestedRerank(FlatRerank):
    """DashScope's form (https://help.aliyun.com/zh/model-studio/text-rerank-api)."""

    path = "/services/rerank/text-rerank/text-rerank"
    known = frozenset({"return_documents", "instruct"})

    def encode(self, request: RerankRequest) -> HttpRequest:
        parameters = {**({} if request.top_n is None else {"top_n": request.top_n}), **request.parameters}
        given = {"query": self._item(request.query), "documents": [self._item(d) for d in request.documents]}
        return self.post({"model": request.model, "input": given, "parameters": parameters or None}, request.model)


class TeiRerank(FlatRerank):
    """Text Embeddings Inference's form."""

    known = frozenset({"raw_scores", "return_text", "truncate", "truncation_direction"})

    def encode(self, request: RerankRequest) -> HttpRequest:
        texts = [text_of(d, "This reranker") for d in request.documents]
        return self.post({"query": text_of(request.query, "This reranker"), "texts": texts, **request.parameters}, request.model)


class BedrockRerank(FlatRerank):
    """Amazon Bedrock's form; its addresses accept signed requests only."""

    known = frozenset()

    def encode(self, request: RerankRequest) -> HttpRequest:
        model = request.model
        if not model.startswith("arn:"):
            model = f"arn:aws:bedrock:{self.options.get('region', 'us-east-1')}::foundation-model/{model}"
        settings: dict[str, Any] = {"modelConfiguration": {"modelArn": model}}
        if request.top_n is not None:
            settings["numberOfResults"] = request.top_n
        body = {
            "queries": [{"type": "TEXT", "textQuery": {"text": text_of(request.query, "This reranker")}}],
            "sources": [_source(text_of(d, "This reranker")) for d in request.documents],
            "rerankingConfiguration": {"type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": settings},
        }
        return self.post({**body, **request.parameters}, request.model)


def _source(text: str) -> dict[str, Any]:
    return {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}


def rerank(options: Mapping[str, Any] | None = None) -> FlatRerank:
    """The codec for the ``form`` in the options."""
    forms = {"flat": FlatRerank, "openai": FlatRerank, "nested": NestedRerank, "dashscope": NestedRerank, "tei": TeiRerank, "bedrock": BedrockRerank}
    found: FlatRerank = choose("rerank", forms, options)
    return found
