"""One `TrainableModule` for every type of model: called as the type is, and clear about what it cannot do.

The servers here are scripted in OpenAI's forms; the engines' own tests call the real ones, and a vision model is really asked below.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.core.answers import Answer
from workbench.data.media import media, wav
from workbench.errors import ArgumentError, EndpointDown, NotStarted
from workbench.formatters import encode_query_with_filepaths
from workbench.modules.typed.results import Audio, Images

from ..support.scripted_http import Asked, Reply, Scripted, scripted
from ..support.tiny_models import tiny

PNG = media(np.zeros((4, 4, 3), dtype=np.uint8)).data
SECOND = wav(b"\x01\x00" * 24000, 1, 24000)
USAGE = {"prompt_tokens": 3, "total_tokens": 3}


def answer(asked: Asked) -> Reply:
    """A server that serves every type."""
    path = asked.path.removeprefix("/v1")
    if path == "/models":
        return Reply({"data": [{"id": "m"}]})
    if path == "/embeddings":
        given = asked.json["input"]
        rows = [{"index": i, "embedding": [float(len(t)), 1.0]} for i, t in enumerate([given] if isinstance(given, str) else given)]
        return Reply({"data": rows, "model": "m", "usage": USAGE})
    if path == "/rerank":
        scores = [(i, float(len(d))) for i, d in enumerate(asked.json["documents"])]
        rows = [{"index": i, "relevance_score": s} for i, s in sorted(scores, key=lambda p: -p[1])[: asked.json.get("top_n")]]
        return Reply({"results": rows, "usage": USAGE})
    if path == "/audio/transcriptions":
        return Reply({"text": "hello"})
    if path == "/audio/speech":
        return Reply(body=[SECOND[:1000], SECOND[1000:]] if asked.json.get("stream_format") else SECOND, mime="audio/wav")
    if path in ("/images/generations", "/images/edits"):
        return Reply({"data": [{"b64_json": base64.b64encode(PNG).decode()}]})
    return Reply({"detail": "Not Found"}, status=404)


@pytest.fixture
def server(home: Path) -> Iterator[Scripted]:
    with scripted(answer) as running:
        yield running


def attached(server: Scripted, type: str, **more: Any) -> wb.TrainableModule:
    return wb.TrainableModule("m", type=type, **more).deploy_method(wb.deploy.vllm, url=server.url)


# ---- every kind called alike


def test_vectors(server: Scripted) -> None:
    m = attached(server, "embed")
    assert m("abc") == [3.0, 1.0]
    assert m(["a", "bb"]) == [[1.0, 1.0], [2.0, 1.0]]
    assert m([]) == []
    assert len(m(["x"] * 100)) == 100
    assert m("abc", dimensions=2, extra={"any": 1}) == [3.0, 1.0]
    assert server.last.json["any"] == 1
    assert asyncio.run(m.acall(["a"])) == [[1.0, 1.0]]
    assert (m | len)("abc") == 2
    assert m.usage.prompt_tokens > m.last_usage.prompt_tokens == 3
    assert m.type == "EMBED"


def test_a_ranking(server: Scripted) -> None:
    m = attached(server, "rerank")
    assert m("q", documents=["a", "ccc", "bb"], top_n=2) == [(1, 3.0), (2, 2.0)]
    assert m("q", ["a", "bb"]) == m(query="q", documents=["a", "bb"]) == [(1, 2.0), (0, 1.0)]
    assert m("q", documents=[]) == []
    with pytest.raises(ArgumentError, match="needs documents"):
        m("q")


def test_speech_both_ways(server: Scripted, tmp_path: Path) -> None:
    stt, tts = attached(server, "stt"), attached(server, "tts")
    sound = tts("Good morning!", voice="alloy")
    assert isinstance(sound, Audio)
    assert (tmp_path / "a.wav").write_bytes(sound.data)
    said = stt(tmp_path / "a.wav")
    assert isinstance(said, Answer)
    assert said == stt(sound) == stt(files=[tmp_path / "a.wav"]) == stt((np.zeros(100), 16000)) == "hello"
    with tts.stream("Good morning!") as pieces:
        assert b"".join(pieces)[:4] == b"RIFF"
    assert tts.stream("Good morning!").join().data[:4] == b"RIFF"
    assert asyncio.run(_pieces(tts))[:4] == b"RIFF"


async def _pieces(tts: Any) -> bytes:
    return b"".join([piece async for piece in tts.astream("Good morning!")])


def test_pictures(server: Scripted) -> None:
    for type, more in (("sd", {}), ("text2image", {}), ("image_editing", {"files": [PNG]})):
        made = attached(server, type)("a cat", **more)
        assert isinstance(made, Images)
        assert made[0].data == PNG
    with pytest.raises(ArgumentError, match="no picture to change"):
        attached(server, "image_editing")("a cat")


def test_formatters_hooks_and_faces_are_those_of_every_module(server: Scripted) -> None:
    seen: list[Any] = []
    m = attached(server, "embed").formatter(lambda v: [round(x) for x in v])
    m.register_hook(lambda *a: seen.append(a) or (yield))
    face = m.share(format=len)
    assert (m("abc"), face("abc")) == ([3, 1], 2)
    assert len(seen) == 2
    m.set_default_parameters(dimensions=2)
    assert m.static_params == {"dimensions": 2}
    m("abc")
    assert server.last.json["dimensions"] == 2
    with pytest.raises(ArgumentError, match="'dimensions'"):
        m.set_default_parameters(dimension=2)


def test_an_evaluation_asks_every_row(server: Scripted) -> None:
    ranks = attached(server, "rerank").evalset([{"query": "q", "documents": ["a", "bb"]}, {"query": "r", "documents": ["a"]}], collect_f=list)
    assert ranks.eval().eval_result == [[(1, 2.0), (0, 1.0)], [(0, 1.0)]]
    hears = attached(server, "stt").evalset([{"input": SECOND, "output": "hello"}])
    assert hears.eval(show=False).eval_result.outputs == ["hello"]


def test_a_slow_call_says_that_it_is_at_work(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.modules import waiting
    from workbench.runtime.work import front_end

    said, seen = threading.Event(), []
    monkeypatch.setattr(waiting, "QUIET", 0.0)
    monkeypatch.setattr(waiting, "_TICK", 0.01)
    monkeypatch.setattr(front_end.StatusLine, "show", lambda self, text: (seen.append(text), said.set()))

    def slowly(asked: Asked) -> Reply:
        if asked.path.endswith("/generations"):
            said.wait(20)
        return answer(asked)

    with scripted(slowly) as server:
        attached(server, "sd")("a cat")
    assert seen[0].startswith("m · at work · ")


def test_in_a_flow_and_carried_to_a_server(server: Scripted) -> None:
    with wb.pipeline() as flow:
        flow.embed = attached(server, "embed")
        flow.count = len
    assert flow("abc") == 2
    served = wb.ServerModule(attached(server, "embed")).start()
    assert served("abc") == [3.0, 1.0]
    served.stop()


def test_the_address_or_the_name_tells_the_type(server: Scripted) -> None:
    assert wb.TrainableModule("BAAI/bge-reranker-v2-m3").deploy_method(wb.deploy.vllm, url=server.url).type == "RERANK"
    assert wb.TrainableModule("m").deploy_method(wb.deploy.vllm, url=server.url + "/embeddings")("abc") == [3.0, 1.0]


def test_a_chat_model_makes_vectors_when_it_is_told_to(home: Path) -> None:
    m = wb.TrainableModule("pocket", type="embed").deploy_method(wb.deploy.llama_cpp).start()
    one, same, other = m(["Hello there", "Hello there", "three plus four"])
    assert len(one) == 256
    assert one == same != other
    assert wb.deployment("pocket").module()("Hello there") == pytest.approx(one, abs=1e-5)
    assert (m.meta.type, m.type) == ("embed", "EMBED")
    for nothing in (None, 5, ["a", 5]):
        with pytest.raises(ArgumentError, match="neither a text nor a file"):
            m(nothing)
    m.stop()


# ---- what it is not


def test_what_only_a_chat_has_is_refused_with_a_call_that_works(server: Scripted) -> None:
    m = attached(server, "embed")
    for wrong in (
        lambda: m.prompt("Be nice."),
        lambda: m.share(prompt="Be nice."),
        lambda: m.chat(),
        lambda: m("a", tools=[{}]),
        lambda: m("a", llm_chat_history=[["a", "b"]]),
        lambda: m.stream("a"),
        lambda: m.request("a"),
    ):
        with pytest.raises(ArgumentError, match="m is an embedding model: it ") as caught:
            wrong()
        assert "m(['a text', 'another'])" in caught.value.fix
    assert m.prompt(None)("abc") == [3.0, 1.0]
    with pytest.raises(ArgumentError, match="'dimensions' is the nearest"):
        m("a", dimension=5)


def test_a_model_of_texts_does_not_take_the_path_of_a_picture_for_a_text(server: Scripted, tmp_path: Path) -> None:
    m, file = attached(server, "embed"), tmp_path / "a.png"
    file.write_bytes(PNG)
    before = [a.path for a in server.asked].count("/embeddings")
    for wrong in (lambda: m(files=[file]), lambda: m(files=str(file)), lambda: m("a text", files=[file])):
        with pytest.raises(ArgumentError, match=r"takes texts only|takes no files"):
            wrong()
    assert [a.path for a in server.asked].count("/embeddings") == before


def test_of_a_model_that_is_not_here_its_name_tells(home: Path) -> None:
    meta = wb.TrainableModule("SenseVoiceSmall").meta
    assert meta is not None
    assert (meta.type, meta.told_by, meta.path) == ("stt", "its name, SenseVoiceSmall", "")
    assert "not on this machine yet" in str(meta)
    assert wb.TrainableModule().meta is None


def test_types_are_named_in_any_way_people_know(home: Path) -> None:
    assert [wb.TrainableModule("x", type=t).type for t in ("LLM", "chat", "text2image", "reranker", "ocr")] == ["LLM", "LLM", "SD", "RERANK", "VLM"]
    with pytest.raises(ArgumentError, match="'embed' is the nearest"):
        wb.TrainableModule("x", type="embd")


def test_before_the_start_and_without_an_answer(home: Path) -> None:
    with pytest.raises(NotStarted):
        wb.TrainableModule("x", type="embed")("a")
    with pytest.raises(EndpointDown, match="Nobody answers"):
        wb.TrainableModule("x", type="embed").deploy_method(wb.deploy.vllm, url="http://127.0.0.1:9/v1")("a", max_retries=0)


def test_wrong_pairings_are_said_before_anything_loads(home: Path, tmp_path: Path) -> None:
    def model(name: str, config: dict[str, Any], modules: bool = False) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "model.safetensors").write_bytes(b"\2" + b"\0" * 7 + b"{}")
        if modules:
            (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Transformer"}]')
        return str(folder)

    embeds = model("embeds", {"architectures": ["BertModel"]}, modules=True)
    sorts = model("sorts", {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "a", "1": "b"}})
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    (adapter / "adapter_model.safetensors").write_bytes(b"\0" * 8)
    for module, what, fix in (
        (wb.TrainableModule(embeds, type="llm"), "embeds is an embedding model, not a chat model", "type='embed'"),
        (wb.TrainableModule("pocket", type="rerank"), "pocket is a chat model, not a reranker", "pipeline_tag: text-ranking"),
        (wb.TrainableModule(embeds).deploy_method(wb.deploy.transformers), "does not serve models of type 'embed'", "sentence_transformers"),
        (
            wb.TrainableModule("x", type="embed").deploy_method(wb.deploy.dummy),
            "dummy does not serve models of type 'embed'",
            "sentence_transformers",
        ),
        (wb.TrainableModule(embeds).prompt("Be nice."), "embeds is an embedding model: it takes no prompt", "vectors"),
        (wb.TrainableModule(str(adapter)), "adapter is a LoRA adapter", "TrainableModule('org/base')"),
        (wb.TrainableModule(sorts), "No engine serves sorts", "ServerModule"),
    ):
        with pytest.raises(ArgumentError, match=what) as caught:
            module.start()
        assert fix in caught.value.fix
    assert wb.deployments() == []


def test_files_that_the_model_cannot_take_are_not_sent(home: Path) -> None:
    m = wb.TrainableModule("pocket").start()
    with pytest.raises(ArgumentError, match="cannot be given a picture"):
        m("What is this?", files=[PNG])
    with pytest.raises(ArgumentError, match="cannot be given a sound") as caught:
        m("What is said?", files=[SECOND])
    assert "whisper" in caught.value.fix
    with pytest.raises(ArgumentError, match="cannot be given a file of this sort") as caught:
        m("What does it say?", files=[b"%PDF-1.7 x"])
    assert "text" in caught.value.fix
    with pytest.raises(ArgumentError, match="cannot be given a picture"):
        wb.deployment("pocket").module()("What is this?", files=[PNG])
    assert m("Hello!")
    m.stop()


# ---- a model that sees, for real


@pytest.fixture(scope="module")
def sees(module_home: Path) -> Iterator[wb.TrainableModule]:
    m = wb.TrainableModule(str(tiny("llava"))).start()
    m.set_default_parameters(max_tokens=4, temperature=0)
    yield m
    m.stop()


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    from PIL import Image

    for name, colour in (("red.png", "red"), ("blue.jpg", "blue")):
        Image.new("RGB", (40, 30), colour).save(tmp_path / name)
    return [str(tmp_path / "red.png"), str(tmp_path / "blue.jpg")]


def test_a_picture_in_any_form_is_seen(sees: wb.TrainableModule, pictures: list[str]) -> None:
    from PIL import Image

    red = pictures[0]
    known = sees("What is this?", files=[red])
    assert sees.type == "VLM"
    assert known.usage.prompt_tokens > sees("What is this?").usage.prompt_tokens
    for same in (Path(red).read_bytes(), Path(red), media(red).data_url, Image.open(red)):
        assert sees("What is this?", files=[same]) == known
    assert sees(encode_query_with_filepaths("What is this?", [red])) == known
    assert sees("What is this?", lazyllm_files=red) == known


def test_an_address_is_seen_by_the_server(sees: wb.TrainableModule, pictures: list[str]) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Quiet(*a, directory=str(Path(pictures[0]).parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/red.png"
        assert sees("What is this?", files=[url]) == sees("What is this?", files=[pictures[0]])
    finally:
        server.shutdown()
        server.server_close()


def test_several_pictures_streams_and_earlier_turns_with_pictures(sees: wb.TrainableModule, pictures: list[str]) -> None:
    one, two = sees("Which?", files=pictures[:1]), sees("Which?", files=pictures)
    assert two.usage.prompt_tokens > one.usage.prompt_tokens
    with sees.stream("Which?", files=pictures) as stream:
        assert "".join(str(piece) for piece in stream) == two
    assert asyncio.run(sees.acall("Which?", files=pictures)) == two
    turn = {"type": "image_url", "image_url": {"url": media(pictures[0]).data_url}}
    history = [{"role": "user", "content": [{"type": "text", "text": "See?"}, turn]}, {"role": "assistant", "content": "Yes."}]
    told = sees("And now?", llm_chat_history=history)
    assert told.usage.prompt_tokens > sees("And now?").usage.prompt_tokens
    with wb.session():
        sees("See?", files=pictures[:1])
        assert sees("And now?").usage.prompt_tokens > told.usage.prompt_tokens - 10
    with pytest.raises(ArgumentError, match="cannot be given a sound"):
        sees("Listen.", files=[SECOND])
