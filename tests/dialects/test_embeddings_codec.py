"""Each form of embeddings and reranking: what is sent, and what is made of the documented answers."""

from __future__ import annotations

import base64
import json
from array import array
from typing import Any

import openai.types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.media import Media
from workbench.core.protocols import Refused
from workbench.core.typed import EmbedRequest, RerankRequest
from workbench.dialects.embeddings import embeddings, floats
from workbench.dialects.rerank import rerank
from workbench.errors import ArgumentError

from ..support.openai_types import check_params

CAT = Media("image", "image/png", b"\x89PNG", "", "cat.png")
URL = "data:image/png;base64,iVBORw=="
V = [[1.0, 2.0], [3.0, 4.0]]

FORMS: list[tuple[dict[str, Any], str, dict[str, Any], Any]] = [
    (
        {},
        "/embeddings",
        {"model": "m", "input": ["a", "b"], "dimensions": 2},
        {"data": [{"index": 1, "embedding": V[1]}, {"index": 0, "embedding": V[0]}], "usage": {"prompt_tokens": 7, "total_tokens": 7}},
    ),
    (
        {"form": "sensenova"},
        "/embeddings",
        {"model": "m", "input": ["a", "b"], "dimensions": 2},
        {"embeddings": [{"index": i, "embedding": v} for i, v in enumerate(V)], "usage": {"prompt_tokens": 7}},
    ),
    ({"form": "ollama"}, "/api/embed", {"model": "m", "input": ["a", "b"], "dimensions": 2}, {"embeddings": V, "prompt_eval_count": 7}),
    (
        {"form": "cohere"},
        "/embed",
        {"model": "m", "texts": ["a", "b"], "embedding_types": ["float"], "input_type": "search_document", "output_dimension": 2},
        {"embeddings": {"float": V}, "meta": {"billed_units": {"input_tokens": 7}}},
    ),
    ({"form": "tei"}, "/embed", {"inputs": ["a", "b"], "dimensions": 2}, V),
    (
        {"form": "gemini"},
        "/models/m:batchEmbedContents",
        {"requests": [{"model": "models/m", "content": {"parts": [{"text": t}]}, "outputDimensionality": 2} for t in "ab"]},
        {"embeddings": [{"values": v} for v in V]},
    ),
    (
        {"form": "dashscope"},
        "/services/embeddings/text-embedding/text-embedding",
        {"model": "m", "input": {"texts": ["a", "b"]}, "parameters": {"dimension": 2}},
        {"output": {"embeddings": [{"text_index": 1, "embedding": V[1]}, {"text_index": 0, "embedding": V[0]}]}, "usage": {"total_tokens": 7}},
    ),
    (
        {"form": "dashscope_multimodal"},
        "/services/embeddings/multimodal-embedding/multimodal-embedding",
        {"model": "m", "input": {"contents": [{"text": "a"}, {"text": "b"}]}, "parameters": {"dimension": 2}},
        {"output": {"embeddings": [{"index": i, "type": "text", "embedding": v} for i, v in enumerate(V)]}, "usage": {"input_tokens": 7}},
    ),
    (
        {"dimensions": "output_dimension", "encoding": "float"},
        "/embeddings",
        {"model": "m", "input": ["a", "b"], "output_dimension": 2, "encoding_format": "float"},
        {"data": [{"embedding": v} for v in V]},
    ),
]


@pytest.mark.parametrize(("options", "path", "body", "answer"), FORMS)
def test_a_form_sends_what_is_documented_and_keeps_the_order(options: dict[str, Any], path: str, body: dict[str, Any], answer: Any) -> None:
    codec = embeddings(options)
    call = codec.encode(EmbedRequest(("a", "b"), "m", {"dimensions": 2}))
    assert (call.method, call.path, call.json) == ("POST", path, body)
    found = codec.decode(200, {"x-request-id": "r1"}, json.dumps(answer).encode())
    assert list(found.vectors) == V
    assert found.usage.prompt_tokens in (0, 7)
    assert found.request_id == "r1"


def test_the_usual_request_is_what_the_openai_package_types() -> None:
    body = embeddings({"encoding": "base64"}).encode(EmbedRequest(("a",), "m", {"dimensions": 2, "user": "u"})).json
    assert isinstance(body, dict)
    check_params(body, openai.types.EmbeddingCreateParams)


@pytest.mark.parametrize(
    ("options", "item", "body"),
    [
        ({"form": "minimax"}, "a", {"model": "m", "texts": ["a"], "type": "db"}),
        ({"form": "titan"}, "a", {"inputText": "a"}),
        (
            {"form": "doubao_multimodal"},
            {"text": "a", "image": CAT},
            {"model": "m", "input": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": URL}}]},
        ),
        (
            {"form": "dashscope_multimodal"},
            {"text": "a", "image": CAT},
            {"model": "m", "input": {"contents": [{"text": "a"}, {"image": URL}]}, "parameters": {"enable_fusion": True}},
        ),
        (
            {"form": "dashscope_multimodal", "fusion": "object"},
            {"text": "a", "image": CAT},
            {"model": "m", "input": {"contents": [{"text": "a", "image": URL}]}},
        ),
        (
            {"form": "gemini"},
            CAT,
            {"requests": [{"model": "models/m", "content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}]}}]},
        ),
        (
            {"form": "cohere"},
            {"text": "a", "image": CAT},
            {
                "model": "m",
                "input_type": "search_document",
                "embedding_types": ["float"],
                "inputs": [{"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": URL}}]}],
            },
        ),
        ({"items": "objects"}, CAT, {"model": "m", "input": [{"image": URL}]}),
        ({"form": "cohere", "path": "/model/{model}/invoke"}, "a", {"texts": ["a"], "input_type": "search_document", "embedding_types": ["float"]}),
    ],
)
def test_one_input_of_several_parts_goes_as_the_vendor_wants_it(options: dict[str, Any], item: Any, body: dict[str, Any]) -> None:
    call = embeddings(options).encode(EmbedRequest((item,), "m"))
    assert call.json == body
    assert call.path != "/model/{model}/invoke"


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ("minimax", {"vectors": [[1, 2]], "base_resp": {"status_code": 0}}),
        ("titan", {"embedding": [1, 2], "inputTextTokenCount": 3}),
        ("doubao_multimodal", {"data": {"embedding": [1, 2], "object": "embedding"}, "usage": {"prompt_tokens": 3}}),
        ("doubao_multimodal", {"data": [{"embedding": [1, 2]}]}),
        ("dashscope_multimodal", {"output": {"embedding": [1, 2]}}),
    ],
)
def test_answers_with_one_vector_are_read(form: str, answer: Any) -> None:
    assert embeddings({"form": form}).decode(200, {}, json.dumps(answer).encode()).vectors == ([1, 2],)


def test_a_picture_is_refused_where_only_texts_are_taken() -> None:
    with pytest.raises(ArgumentError, match="cross_modal_embed"):
        embeddings().encode(EmbedRequest((CAT,), "m"))
    with pytest.raises(ArgumentError, match="called 'smell'"):
        embeddings({"form": "gemini"}).encode(EmbedRequest(({"smell": "a"},), "m"))


def test_a_form_nobody_knows_is_refused_with_the_nearest() -> None:
    with pytest.raises(ArgumentError, match="'dashscope'"):
        embeddings({"form": "dashscop"})


@pytest.mark.parametrize(
    "answer",
    [
        {"base_resp": {"status_code": 1004, "status_msg": "no"}, "vectors": []},
        {"error": {"message": "no", "code": "x"}},
        {"code": 20012, "message": "no", "data": None},
    ],
)
def test_a_good_status_with_a_refusal_in_the_body_is_a_refusal(answer: Any) -> None:
    with pytest.raises(Refused):
        embeddings().decode(200, {}, json.dumps(answer).encode())


@pytest.mark.parametrize("body", [b"", b"<html>gateway</html>", b'{"data": [', b"\xff\xfe"])
def test_an_answer_that_is_no_json_is_shown(body: bytes) -> None:
    with pytest.raises(Refused, match="no JSON but: "):
        embeddings().decode(200, {}, body)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_base64_vectors_are_the_same_numbers(row: list[float]) -> None:
    assert floats(base64.b64encode(array("f", row).tobytes()).decode()) == row


RANKINGS = [
    (
        {},
        "/rerank",
        {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 1},
        {"results": [{"index": 0, "relevance_score": 0.1}, {"index": 1, "relevance_score": 0.9, "document": {"text": "b"}}]},
    ),
    (
        {"form": "flat"},
        "/rerank",
        {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 1},
        {
            "object": "reranker_list",
            "results": [{"index": 1, "relevance_score": 0.9, "document": "b"}, {"index": 0, "relevance_score": 0.1, "document": "a"}],
        },
    ),
    (
        {"form": "nested"},
        "/services/rerank/text-rerank/text-rerank",
        {"model": "m", "input": {"query": "q", "documents": ["a", "b"]}, "parameters": {"top_n": 1}},
        {"output": {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]}, "request_id": "r"},
    ),
    ({"form": "tei"}, "/rerank", {"query": "q", "texts": ["a", "b"]}, [{"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}]),
    (
        {"top_n": False},
        "/rerank",
        {"model": "m", "query": "q", "documents": ["a", "b"]},
        {"data": [{"index": 0, "score": 0.1}, {"index": 1, "score": 0.9}]},
    ),
]


@pytest.mark.parametrize(("options", "path", "body", "answer"), RANKINGS)
def test_rankings_come_best_first_whatever_the_server_sends(options: dict[str, Any], path: str, body: dict[str, Any], answer: Any) -> None:
    codec = rerank(options)
    call = codec.encode(RerankRequest("q", ("a", "b"), 1, "m"))
    assert (call.path, call.json) == (path, body)
    assert codec.decode(200, {}, json.dumps(answer).encode()).pairs == ((1, 0.9), (0, 0.1))


def test_bedrocks_ranking_names_the_model_by_its_arn_and_follows_its_service_model() -> None:
    codec = rerank({"form": "bedrock", "region": "eu-west-1"})
    body = codec.encode(RerankRequest("q", ("a", "b"), 2, "amazon.rerank-v1:0")).json
    from botocore.session import Session
    from botocore.validate import ParamValidator

    shape = Session().get_service_model("bedrock-agent-runtime").operation_model("Rerank").input_shape
    assert not ParamValidator().validate(body, shape).has_errors()
    assert "arn:aws:bedrock:eu-west-1::foundation-model/amazon.rerank-v1:0" in json.dumps(body)
    assert codec.decode(200, {}, b'{"results":[{"index":1,"relevanceScore":0.5}]}').pairs == ((1, 0.5),)
