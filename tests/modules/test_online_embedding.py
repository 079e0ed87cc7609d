"""Vectors and rankings of vendors, through the modules a user writes, against a server that answers as vendors document."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

import workbench as wb
from workbench import errors, providers, registry
from workbench.core.media import Media
from workbench.core.typed import DrawRequest, EmbedRequest, RerankRequest, SpeakRequest, TranscribeRequest
from workbench.modules.typed.typed_calls import CODECS

from ..support.scripted_http import Asked, Reply, scripted

PNG = b"\x89PNG\r\n\x1a\n..."


def vectors(asked: Asked) -> Reply:
    """Each text's length and its own number, in reversed order, as servers may send them."""
    rows = [{"index": i, "embedding": [float(len(t)), float(t.strip() or 0)]} for i, t in enumerate(asked.json["input"])]
    return Reply({"data": rows[::-1], "usage": {"prompt_tokens": len(rows), "total_tokens": len(rows)}, "model": asked.json["model"]})


def embedder(url: str, **more: Any) -> Any:
    return wb.OnlineModule("e", url=url, type="embed", skip_auth=True, **more)


def test_a_text_gives_a_vector_and_a_list_gives_a_list(home: Any) -> None:
    with scripted(vectors) as server:
        m = embedder(server.url)
        assert m("7") == [1.0, 7.0]
        assert m(["1", "22"]) == [[1.0, 1.0], [2.0, 22.0]]
        assert m([]) == []
        assert m(("1", "2")) == [[1.0, 1.0], [1.0, 2.0]]
        assert m.usage.prompt_tokens == 5
        assert isinstance(m, wb.OnlineEmbeddingModule)
        assert (m.type, m.model) == ("EMBED", "e")
        assert "Authorization".lower() not in server.last.headers


def test_ten_thousand_texts_keep_their_order_over_many_requests(home: Any) -> None:
    with scripted(vectors) as server:
        m = embedder(server.url, batch_size=1000, num_worker=3)
        found = m([str(i) for i in range(10_000)])
        assert [int(v[1]) for v in found] == list(range(10_000))
        assert len(server.asked) == 10
        assert m.usage.prompt_tokens == 10_000


def test_no_more_requests_are_under_way_than_workers(home: Any) -> None:
    under_way, most, lock = 0, 0, threading.Lock()
    ready = threading.Barrier(2, timeout=10)

    def answer(asked: Asked) -> Reply:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        ready.wait()  # two are under way together, or this never ends
        with lock:
            under_way -= 1
        return vectors(asked)

    with scripted(answer) as server:
        embedder(server.url, batch_size=1, num_worker=2)([str(i) for i in range(6)])
    assert most == 2


def test_a_batch_that_is_too_large_is_halved_until_it_fits(home: Any) -> None:
    def answer(asked: Asked) -> Reply:
        if len(asked.json["input"]) > 3:
            return Reply({"error": {"message": "batch size is invalid, it should not be larger than 3", "code": "InvalidParameter"}}, status=400)
        return vectors(asked)

    with scripted(answer) as server:
        m = embedder(server.url, batch_size=16, num_worker=1)
        assert [int(v[1]) for v in m([str(i) for i in range(16)])] == list(range(16))
        assert m.usage.prompt_tokens == 16


def test_a_single_input_that_is_refused_is_named(home: Any) -> None:
    def answer(asked: Asked) -> Reply:
        if "5" in asked.json["input"]:
            return Reply({"error": {"message": "input is too large to process"}}, status=500)
        return vectors(asked)

    with scripted(answer) as server, pytest.raises(errors.EndpointError, match="input 5 of the list"):
        embedder(server.url, batch_size=4)([str(i) for i in range(8)])


def test_a_refused_key_is_told_at_once_and_not_halved(home: Any) -> None:
    with scripted(lambda asked: Reply({"error": {"message": "Incorrect API key provided: sk-abcdef123456"}}, status=401)) as server:
        m = wb.OnlineEmbeddingModule("openai", server.url, "m", api_key="sk-marked-123456", num_worker=1)
        with pytest.raises(errors.AuthenticationFailed) as caught:
            m(["1", "2"])
        assert len(server.asked) == 1
        assert server.last.headers["authorization"] == "Bearer sk-marked-123456"
    assert "sk-" not in str(caught.value)
    assert "marked" not in repr(m)
    assert caught.value.source == "openai"
    assert caught.value.model == "m"


def test_fewer_vectors_than_inputs_is_an_error(home: Any) -> None:
    with scripted({"data": [{"index": 0, "embedding": [1]}]}) as server, pytest.raises(errors.EndpointError, match="1 vectors for 2 inputs"):
        embedder(server.url)(["1", "2"])


def test_an_unknown_parameter_is_refused_and_extra_goes_through(home: Any) -> None:
    with scripted(vectors) as server:
        m = embedder(server.url, static_params={"user": "u"})
        with pytest.raises(errors.ArgumentError, match="'dimensions'"):
            m("1", dimension=3)
        assert not server.asked
        m("1", dimensions=3, extra={"odd": 1}, model="other")
        assert server.last.json == {"model": "other", "input": ["1"], "user": "u", "odd": 1, "dimensions": 3}


def test_an_address_may_be_the_base_or_the_whole(home: Any) -> None:
    with scripted(vectors) as server:
        for address in (server.url, server.url + "/", server.url + "/embeddings"):
            embedder(address)("1")
            assert server.last.path == "/v1/embeddings"
        embedder(server.host + "/my/own")("1")
        assert server.last.path == "/my/own"
        embedder(server.host)("1")
        assert server.last.path == "/embeddings"


def test_the_peers_names_of_arguments_work(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSENOVA_API_KEY", "sk-x")
    with scripted(vectors) as server:
        m = wb.OnlineEmbeddingModule(source="openai", embed_url=f"{server.url}/embeddings", embed_model_name="ada", api_key="k")
        assert m("1") == [1.0, 1.0]
        assert server.last.json["model"] == "ada"
    with pytest.raises(errors.ArgumentError, match="Conflicting"):
        wb.OnlineEmbeddingModule(embed_model_name="a", model="b", url="http://127.0.0.1:1/v1")
    with pytest.raises(errors.ArgumentError, match="No source is given"):
        wb.OnlineEmbeddingModule(api_key="k")
    with pytest.raises(errors.ArgumentError, match="Unknown type"):
        wb.OnlineEmbeddingModule(source="openai", type="tts", api_key="k")
    with pytest.raises(errors.ArgumentError, match="'batch_size'"):
        wb.OnlineEmbeddingModule(source="openai", api_key="k", batchsize=3)


def test_a_subclass_for_a_vendor_of_the_users_own(home: Any) -> None:
    class Ours(wb.OnlineEmbeddingModuleBase):
        def __init__(self, embed_url: str, embed_model_name: str = "ours") -> None:
            super().__init__(embed_url, "key-1234567", embed_model_name)

        def _encapsulated_data(self, text: str, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
            return {"words": text, "name": self.model, **kwargs}

        def _parse_response(self, response: Any) -> Any:
            return response["numbers"]

    class Usual(wb.OnlineEmbeddingModuleBase):
        def __init__(self, embed_url: str) -> None:
            super().__init__("usual", embed_url, "key-1234567", "m")

    with scripted({"numbers": [1, 2], "data": [{"embedding": [3]}]}) as server:
        m = Ours(f"{server.host}/v3/embed")
        assert m("a", more=1) == [1, 2]
        assert asyncio.run(m.acall("a")) == [1, 2]
        assert server.last.json == {"words": "a", "name": "ours"}
        assert (server.last.path, server.last.headers["authorization"]) == ("/v3/embed", "Bearer key-1234567")
        usual = Usual(f"{server.host}/v1/embeddings")
        assert usual("a") == [3]
        assert usual.series == "usual"


def test_texts_and_pictures_together(home: Any) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply({"data": {"embedding": [len(asked.json["input"]), 0]}})

    with scripted(answer) as server:
        m = wb.OnlineModule("v", url=server.url, type="cross_modal_embed", skip_auth=True, options={"form": "doubao_multimodal"})
        assert m("text") == [1, 0]
        assert m({"text": "a", "image": PNG}) == [2, 0]
        assert m(["a", PNG, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]) == [[1, 0]] * 3
        assert m("https://x/y.png", modality="image") == [1, 0]
        assert server.last.json["input"] == [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]


def test_awaited_calls_and_many_threads_do_not_mix(home: Any) -> None:
    with scripted(vectors) as server:
        m = embedder(server.url)

        async def many() -> list[Any]:
            return await asyncio.gather(*(m.acall(str(i)) for i in range(20)))

        assert [int(v[1]) for v in asyncio.run(many())] == list(range(20))
        found: dict[int, Any] = {}
        threads = [threading.Thread(target=lambda i=i: found.__setitem__(i, m(str(i)))) for i in range(20)]  # type: ignore[misc]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert {i: int(v[1]) for i, v in found.items()} == {i: i for i in range(20)}
        assert m.usage.prompt_tokens == 40


# ---- rankings


def test_a_ranking_is_pairs_with_the_best_first(home: Any) -> None:
    def answer(asked: Asked) -> Reply:
        scores = [{"index": i, "relevance_score": len(d) / 10} for i, d in enumerate(asked.json["documents"])]
        return Reply({"results": scores, "usage": {"total_tokens": 9}})

    with scripted(answer) as server:
        m = wb.OnlineModule("r", url=server.url, type="rerank", skip_auth=True)
        documents = ["a", "aaa", "aa"]
        assert m("q", documents=documents) == [(1, 0.3), (2, 0.2), (0, 0.1)]
        assert m("q", documents=documents, top_n=2) == [(1, 0.3), (2, 0.2)]
        assert m("q", documents=documents, top_n=-1) == m("q", documents, 99)
        assert m("q", documents=[]) == []
        assert m.usage.prompt_tokens == 36
        with pytest.raises(errors.ArgumentError, match="needs documents"):
            m("q")
        with pytest.raises(errors.ArgumentError, match="top_n cannot be"):
            m("q", documents=documents, top_n="two")


def test_more_documents_than_one_request_takes_go_out_in_several(home: Any) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply({"results": [{"index": i, "relevance_score": float(d)} for i, d in enumerate(asked.json["documents"])][: asked.json["top_n"]]})

    with scripted(answer) as server:
        m = wb.OnlineModule("r", url=server.url, type="rerank", skip_auth=True, options={"batch_size": 3})
        assert m("q", documents=[str(i) for i in range(8)]) == [(i, float(i)) for i in range(7, -1, -1)]
        assert sorted(len(a.json["documents"]) for a in server.asked) == [2, 3, 3]


def test_a_call_may_name_its_own_address(home: Any) -> None:
    with scripted(vectors) as server:
        assert embedder("http://127.0.0.1:9/v1")("7", url=f"{server.url}/embeddings") == [1.0, 7.0]


def test_the_usual_first_cells_name_their_vendors(home: Any) -> None:
    embed = wb.OnlineModule(type="embed", source="qwen", model="text-embedding-v3", api_key="k")
    both = wb.OnlineModule(type="cross_modal_embed", source="qwen", model="qwen2.5-vl-embedding", api_key="k")
    ranks = wb.OnlineModule(type="rerank", source="glm", model="rerank", api_key="k")
    assert [m.model for m in (embed, both, ranks)] == ["text-embedding-v3", "qwen2.5-vl-embedding", "rerank"]
    assert embed.endpoint.options["batch_size"] == 10
    assert both.base_url.endswith("/api/v1")


SAMPLES: dict[str, Any] = {
    "embed": EmbedRequest(("a",), "m"),
    "cross_modal_embed": EmbedRequest((Media("image", "image/png", PNG),), "m"),
    "rerank": RerankRequest("q", ("a",), 1, "m"),
    "stt": TranscribeRequest(Media("audio", "audio/wav", b"RIFF", "https://x/y.wav"), "m"),
    "tts": SpeakRequest("Hi", "", "m"),
    "sd": DrawRequest("p", model="m"),
    "image_editing": DrawRequest("p", (Media("image", "image/png", PNG),), None, "m"),
}


@pytest.mark.parametrize(("source", "type_"), [(p.name, t) for p in providers.all() for t in SAMPLES if t in p.capabilities], ids=lambda v: str(v))
def test_every_vendors_data_makes_a_request(source: str, type_: str) -> None:
    capability = providers.provider(source).capabilities[type_]
    assert capability.codec == CODECS[type_]
    options = {**capability.options, **({"path": capability.path} if capability.path else {})}
    call = registry.get("codec", capability.codec)(options).encode(SAMPLES[type_])
    assert call.method == "POST"
    assert json.dumps(call.json) if call.json is not None else call.files or call.content
