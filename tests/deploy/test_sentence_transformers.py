"""The real sentence-transformers server with tiny models: the same values as the library, many callers, long lists, refusals."""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import workbench as wb
from workbench.core.specs import DeploySpec
from workbench.deploy.sentence_transformers_server import ranks_texts
from workbench.errors import ArgumentError, EndpointError, WorkbenchError

from ..support.embed_helpers import post, reference
from ..support.guarded import assert_guarded
from ..support.tiny_models import tiny

TEXTS = ["The tall bridge crosses a silent forest.", "a", "", "Tokyo! What is the weather in Paris?", "window " * 100, "ü 你好 \x00"]
PAIRS = [("bridge", text) for text in TEXTS]
LONG = "window letter " * 1000


class Served(NamedTuple):
    """The models of this file, and what the library gives for them."""

    embed: Any
    rerank: Any
    expected: dict[str, Any]


def close(one: Any, other: Any) -> bool:
    return all(math.isclose(a, b, abs_tol=2e-6) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def lexical(module_home: Path) -> Path:
    """A model that `served` gives BGE-M3's head for sparse vectors."""
    return Path(shutil.copytree(tiny("bert"), module_home.parent / "lexical"))


@pytest.fixture(scope="module")
def served(module_home: Path, lexical: Path) -> Iterator[Served]:
    rerank = wb.TrainableModule(str(tiny("xlmr_rerank")))
    embed = wb.TrainableModule(str(tiny("embed"))).deploy_method(wb.deploy.sentence_transformers, batch_size=8)
    with ThreadPoolExecutor(2) as pool:  # the library and the servers load side by side
        started = pool.map(lambda module: module.start(), (embed, rerank))
        expected = reference(
            module_home.parent,
            head=("head", lexical, [], {}),
            embed=("dense", tiny("embed"), TEXTS, {}),
            query=("dense", tiny("embed"), TEXTS, {"prompt_name": "query"}),
            prompt=("dense", tiny("embed"), TEXTS, {"prompt": "Say: "}),
            short=("dense", tiny("embed"), TEXTS, {"truncate_dim": 16, "normalize_embeddings": True}),
            long=("dense", tiny("embed"), [LONG], {}),
            bert=("dense", tiny("bert"), TEXTS, {}),
            clip=("dense", tiny("clip"), TEXTS, {}),
            sparse=("sparse", tiny("sparse"), TEXTS, {}),
            lexical=("lexical", lexical, TEXTS, {}),
            scores=("scores", tiny("xlmr_rerank"), PAIRS, {}),
            logits=("logits", tiny("xlmr_rerank"), PAIRS, {}),
        )
        both = list(started)
    yield Served(both[0], both[1], expected)
    embed.stop()
    rerank.stop()


def test_vectors_are_those_of_the_library(served: Served) -> None:
    found = served.embed(TEXTS)
    assert all(map(close, found, served.expected["embed"]))
    assert served.embed.last_usage.prompt_tokens > len(TEXTS)
    assert close(served.embed("a"), served.expected["embed"][1])
    assert served.embed([]) == []


def test_prompts_and_dimensions(served: Served) -> None:
    m = served.embed
    assert all(map(close, m(TEXTS, prompt_name="query"), served.expected["query"]))
    assert all(map(close, m(TEXTS, input_type="query"), served.expected["query"]))
    assert all(map(close, m(TEXTS, input_type="document"), served.expected["embed"]))
    assert all(map(close, m(TEXTS, instruction="Say: "), served.expected["prompt"]))
    assert all(map(close, m(TEXTS, dimensions=16), served.expected["short"]))
    for arguments, says in (
        ({"prompt_name": "quary"}, "query, document"),
        ({"prompt_name": "query", "prompt": "x"}, "same in different ways"),
        ({"dimensions": 1000}, "from 1 to 128"),
        ({"input_type": "chorus"}, "query or document"),
    ):
        with pytest.raises(EndpointError, match=says):
            m("a", **arguments)


def test_what_is_too_long_is_cut_and_told_or_refused(served: Served) -> None:
    assert close(served.embed(LONG), served.expected["long"][0])
    assert served.embed.last_usage.prompt_tokens == 256
    assert post(served.embed.endpoint, "/embeddings", {"input": [LONG, "a"]})[1]["usage"]["truncated_inputs"] == 1
    with pytest.raises(EndpointError, match="2002 tokens; the model reads 256"):
        served.embed(["a", LONG], truncate=False)
    with pytest.raises(EndpointError, match=r"more than \d+ tokens"):
        served.embed("window letter " * 200_000, truncate=False)
    assert close(served.embed("window letter " * 200_000), served.expected["long"][0])
    assert len(served.embed(["a", "b"], truncate=False)) == 2


def test_a_hundred_callers_at_once_get_their_own_vectors(served: Served) -> None:
    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(served.embed, [TEXTS[i % len(TEXTS)] for i in range(100)]))
    assert all(close(v, served.expected["embed"][i % len(TEXTS)]) for i, v in enumerate(found))


def test_ten_thousand_inputs_stay_in_order_and_a_small_call_does_not_wait_for_them(served: Served) -> None:
    inputs = [TEXTS[i % 4] for i in range(10_000)]
    found: list[Any] = []
    big = threading.Thread(target=lambda: found.extend(served.embed(inputs)))
    big.start()
    assert close(served.embed("a"), served.expected["embed"][1])
    was_first = big.is_alive()
    big.join()
    assert was_first
    assert len(found) == 10_000
    assert all(close(found[i], served.expected["embed"][i % 4]) for i in range(0, 10_000, 7))


def test_the_official_client(served: Served) -> None:
    import openai

    endpoint = served.embed.endpoint
    client = openai.OpenAI(base_url=endpoint.url, api_key=Path(endpoint.key_file).read_text())
    numbers = client.embeddings.create(model="anything", input=TEXTS, encoding_format="float")
    assert [row.index for row in numbers.data] == list(range(len(TEXTS)))
    assert all(map(close, [row.embedding for row in numbers.data], served.expected["embed"]))
    default = client.embeddings.create(model="anything", input="a")  # it asks for base64 by itself
    assert close(default.data[0].embedding, served.expected["embed"][1])
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=endpoint.url, api_key="wrong").embeddings.create(model="x", input="a")
    assert_guarded(endpoint, pid=served.embed.deployment.record.pid)


def test_odd_requests_are_answered_or_refused_in_openais_form(served: Served) -> None:
    endpoint = served.embed.endpoint
    tokens = post(endpoint, "/embeddings", {"input": [5, 6, 7]})
    assert tokens[0] == 200
    assert len(tokens[1]["data"]) == 1
    assert post(endpoint, "/embeddings", {"input": []})[1]["data"] == []
    for body, param in (
        ({}, "input"),
        ({"input": 5}, "input"),
        ({"input": [True]}, "input"),
        ({"input": ["a", None]}, "input"),
        ({"input": [[99999999]]}, "input"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "a", "dimension": 5}, "dimension"),
        ({"input": [{"image": "data:image/png;base64,AAAA"}]}, "input"),
        ({"input": [{"image": "http://127.0.0.1/a.png"}]}, "input"),
    ):
        status, answer = post(endpoint, "/embeddings", body)
        assert (status, answer["error"]["param"]) == (400, param), answer
    assert post(endpoint, "/embeddings", b"{", None)[0] == 400
    assert post(endpoint, "/rerank", {"query": "a", "documents": ["b"]})[0] == 404
    assert post(endpoint, "/embeddings", {"input": "a"}, key="wrong")[0] == 401
    assert close(served.embed("a"), served.expected["embed"][1])


def test_rankings_and_scores(served: Served) -> None:
    m, scores, logits = served.rerank, served.expected["scores"], served.expected["logits"]
    found = m("bridge", documents=TEXTS)
    assert [i for i, _ in found] == sorted(range(len(TEXTS)), key=lambda i: -scores[i])
    assert close([s for _, s in found], sorted(scores, reverse=True))
    assert m("bridge", documents=TEXTS, top_n=2) == found[:2]
    assert m("bridge", documents=[]) == []
    assert close([s for _, s in m("bridge", documents=TEXTS, raw_scores=True)], sorted(logits, reverse=True))
    whole = post(m.endpoint, "/rerank", {"query": "bridge", "documents": [{"text": t} for t in TEXTS], "return_documents": True, "top_n": 1})
    assert whole[1]["results"][0]["document"]["text"] == TEXTS[found[0][0]]
    scored = post(m.endpoint, "/score", {"text_1": "bridge", "text_2": TEXTS})[1]["data"]
    assert close([row["score"] for row in scored], scores)
    assert post(m.endpoint, "/score", {"text_1": ["a", "b"], "text_2": ["a", "b", "c"]})[0] == 400
    assert post(m.endpoint, "/rerank", {"query": "", "documents": ["a"]})[0] == 400


def test_pictures_and_texts_in_one_space(served: Served, tmp_path: Path) -> None:
    from PIL import Image

    picture = tmp_path / "red.png"
    Image.new("RGB", (40, 30), "red").save(picture)
    m = wb.TrainableModule(str(tiny("clip"))).start()
    assert m.type == "CROSS_MODAL_EMBED"
    assert all(map(close, m(TEXTS), served.expected["clip"]))
    one, other, text = m([{"image": str(picture)}, {"image": str(picture)}, "a"])
    assert one == other
    assert len(one) == len(text)
    assert close(m(str(picture), modality="image"), one)
    assert close(m(files=str(picture)), one)
    assert all(close(vector, one) for vector in m(files=[str(picture), picture]))
    m.stop()


def test_sparse_vectors(served: Served, lexical: Path) -> None:
    for folder, name in ((tiny("sparse"), "sparse"), (lexical, "lexical")):
        m = wb.TrainableModule(str(folder)).deploy_method(wb.deploy.Embedding, embed_type="sparse").start()
        for found, expected in zip(m(TEXTS), served.expected[name], strict=True):
            wanted = {int(k): v for k, v in expected.items() if v > 1e-6}
            assert {k for k, v in found.items() if v > 1e-6} == set(wanted)
            assert all(math.isclose(found[k], v, abs_tol=2e-5) for k, v in wanted.items())
        m.stop()


def test_a_server_that_is_stopped_says_so_to_those_who_wait(module_home: Path) -> None:
    m = wb.TrainableModule(str(tiny("bert"))).start()
    inputs, said = ["window letter " * 500] * 5000, list[WorkbenchError]()

    def ask() -> None:
        try:
            m(inputs)
        except WorkbenchError as e:
            said.append(e)

    busy = threading.Thread(target=ask)
    busy.start()
    other = wb.TrainableModule(str(tiny("bert"))).start()
    assert len(other("a")) == 128
    other.stop()
    busy.join(30)
    assert len(said) == 1
    assert "stopped" in str(said[0]) or "ended" in str(said[0])


def test_wrong_pairings_and_arguments_are_refused_before_anything_loads(module_home: Path) -> None:
    engine = wb.deploy.sentence_transformers
    for kind, type_, arguments, says in (
        ("embed", "rerank", {}, "no reranker"),
        ("rerank", "embed", {}, "makes no vectors"),
        ("embed", "embed", {"embed_type": "denes"}, "dense, sparse"),
        ("embed", "embed", {"pooling": "median"}, "mean"),
        ("embed", "embed", {"batch_size": 0}, "whole number"),
        ("embed", "embed", {"max_seq_len": 5}, "max_seq_length"),
        ("embed", "embed", {"dtype": "float32", "torch_dtype": "float32"}, "same argument"),
        ("chat", "llm", {}, "does not serve"),
    ):
        with pytest.raises(ArgumentError, match=says):
            engine().check(DeploySpec(str(tiny(kind)), type_, arguments=arguments).to_json())
    settled = engine.settle({"max-length": 128, "torch_dtype": "auto", "normalize": True, "query_instruction_for_retrieval": "q: "})
    assert settled == {"max_seq_length": 128, "dtype": "auto", "normalize_embeddings": True, "query_instruction": "q: "}
    assert ranks_texts(tiny("chat")) is None
