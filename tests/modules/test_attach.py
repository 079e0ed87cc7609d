"""Attaching to servers that run already: every form of an address, the model's name, keys, and what is said when something is wrong.

The real one is llama.cpp's server, as a stranger's would be: from a home that does not know it. vLLM's and LightLLM's own forms are scripted
after their sources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_http import Asked, Reply, scripted

import workbench as wb
from workbench.errors import ArgumentError, AuthenticationFailed, BadRequest, EndpointDown, EndpointError, ModelUnknown
from workbench.modules.local import attaching
from workbench.runtime.work import jobs


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shared_envs: Path) -> Iterator[tuple[str, str]]:
    """The address without ``/v1`` and the key of a real llama.cpp server."""
    folder = tmp_path_factory.mktemp("attach")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("WORKBENCH_HOME", folder / "theirs"), ("WORKBENCH_ENV_DIR", shared_envs), ("OMP_NUM_THREADS", "1")):
            patch.setenv(name, str(value))
        theirs = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp).start()
        yield theirs.endpoint.url.removesuffix("/v1"), Path(theirs.endpoint.key_file).read_text()
        jobs.end_all()


def to(url: str, model: str = "", engine: Any = wb.deploy.vllm, **more: Any) -> wb.TrainableModule:
    return wb.TrainableModule(model).deploy_method(engine, url=url, **more)


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/chat/completions", "/v1/completions", "/v1/models"])
def test_every_form_of_the_address_reaches_a_real_server(home: Path, server: tuple[str, str], tail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url, key = server
    monkeypatch.setenv("THEIR_KEY", key)
    m = to(url + tail, key_env="THEIR_KEY")
    assert m.endpoint.model == "pocket"
    assert m("Hello!", max_tokens=3) == "Hello! I"
    assert m.state == "running"


def test_a_key_may_be_given_and_is_nowhere_to_be_seen(home: Path, server: tuple[str, str]) -> None:
    url, key = server
    m = to(f"{url}/v1/", api_key=key)
    assert m("Hello!", max_tokens=3) == "Hello! I"
    assert m.start().share().render("Hi") == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert m.count_tokens("Hi there") == 3
    assert key not in f"{m!r}{m.endpoint!r}{m._methods!r}{vars(m)!r}{json.dumps(m.endpoint.to_json())}"
    in_a_tuple = wb.TrainableModule().deploy_method((wb.deploy.vllm, {"url": url, "api_key": key}))
    assert key not in repr(in_a_tuple._methods)
    assert in_a_tuple("Hello!", max_tokens=3) == "Hello! I"
    with pytest.raises(ArgumentError, match=r"api_key= goes with url="):
        wb.TrainableModule("pocket").deploy_method(wb.deploy.vllm, api_key=key)


def test_a_key_that_is_missing_or_wrong_is_told_at_once(home: Path, server: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    url, _ = server
    with pytest.raises(AuthenticationFailed, match=r"(?s)asks for a key.*key_env='ITS_NAME'.*api_key="):
        to(f"{url}/v1/")("Hi")  # llama.cpp lists its models to everybody
    with pytest.raises(AuthenticationFailed, match="Give a valid api_key="):
        to(f"{url}/v1/", api_key="wrong")("Hi")
    monkeypatch.setenv("WRONG_KEY", "nonsense")
    with pytest.raises(AuthenticationFailed, match="Set the variable WRONG_KEY"):
        to(f"{url}/v1/", key_env="WRONG_KEY")("Hi")


def test_a_wrong_address_is_told_with_the_right_form(home: Path, server: tuple[str, str]) -> None:
    url, key = server
    with pytest.raises(BadRequest, match=r"(?s)nothing at that address.*OpenAI's form ends in …/v1/"):
        to(f"{url}/v2/", "pocket", api_key=key)("Hi")
    with pytest.raises(BadRequest, match=r"(?s)nothing at that address.*up to version 0\.24.*url='http://[\d.:]+/v1/'\)"):
        to(f"{url}/generate", api_key=key)("Hi")
    for wrong in ("localhost:80", "ftp://x/v1/", "", "http://"):
        with pytest.raises(ArgumentError, match="no address"):
            to(wrong)
    with pytest.raises(ArgumentError, match="tensor_parallel_size cannot be set there"):
        to(f"{url}/v1/", tensor_parallel_size=2)


def test_a_server_that_is_not_up_yet_is_asked_at_the_first_call(home: Path) -> None:
    with scripted(gateway) as running:
        host = running.host
    m = to(f"{host}/v1/")  # nobody is there any more
    with pytest.raises(EndpointDown, match="Nobody answers"):
        m("Hi")
    named = to(f"{host}/v1/", "some")
    with pytest.raises(EndpointDown, match="Nobody answers"):
        named("Hi")


# ---- which model


def gateway(asked: Asked) -> Reply:
    """A server of several models that asks for a key, as vLLM with ``--api-key`` does."""
    if asked.headers.get("authorization") != "Bearer sk-1":
        return Reply({"error": "Unauthorized"}, status=401)
    if asked.path == "/v1/models":
        return Reply({"object": "list", "data": [{"id": "Qwen/Qwen3-8B"}, {"id": "my-lora"}]})
    if asked.path == "/v1/chat/completions":
        model = asked.json["model"]
        if model not in ("Qwen/Qwen3-8B", "my-lora"):
            return Reply({"error": {"message": f"The model `{model}` does not exist.", "type": "NotFoundError", "code": 404}}, status=404)
        chunk = {"id": "c", "model": model, "choices": [{"index": 0, "delta": {"content": model}, "finish_reason": "stop"}]}
        return Reply(body=[f"data: {json.dumps(chunk)}\n\n".encode(), b"data: [DONE]\n\n"], mime="text/event-stream")
    return Reply({"detail": "Not Found"}, status=404)


def test_of_several_models_one_has_to_be_named(home: Path) -> None:
    with scripted(gateway) as running:
        with pytest.raises(ArgumentError, match=r"(?s)serves 2 models.*Qwen/Qwen3-8B, my-lora.*TrainableModule\('Qwen/Qwen3-8B'\)"):
            to(f"{running.host}/v1/", api_key="sk-1")
        assert to(f"{running.host}/v1/", "my-lora", api_key="sk-1")("Hi") == "my-lora"
        assert to(running.host, "Qwen3-8B", api_key="sk-1").endpoint.model == "Qwen/Qwen3-8B"
        with pytest.raises(ModelUnknown, match=r"(?s)my-lara.*'my-lora' is the nearest"):
            to(f"{running.host}/v1/", "my-lara", api_key="sk-1")("Hi")
        with pytest.raises(AuthenticationFailed, match="asks for a key"):
            to(f"{running.host}/v1/")


def test_a_model_with_its_adapters_is_one_model(home: Path) -> None:
    rows = [{"id": "Qwen/Qwen3-8B", "parent": None}, {"id": "polite", "root": "/loras/polite", "parent": "Qwen/Qwen3-8B"}]
    with scripted(lambda asked: Reply({"object": "list", "data": rows})) as running:
        assert to(f"{running.host}/v1/").endpoint.model == "Qwen/Qwen3-8B"
        assert to(f"{running.host}/v1/", "polite").endpoint.model == "polite"


def test_the_name_that_is_meant() -> None:
    served = ["/models/Qwen3-8B", "lora-a"]
    assert attaching._meant("Qwen/Qwen3-8B", served) == "/models/Qwen3-8B"
    assert attaching._meant("qwen3-8b/", served) == "/models/Qwen3-8B"
    assert attaching._meant("lora-a", served) == "lora-a"
    assert attaching._meant("other", served) == "other"
    assert attaching._meant("whatever", ["only"]) == "only"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://h:1/v1/embeddings", ("http://h:1/v1", "openai_chat", "embed")),
        ("http://h:1/v1/rerank/", ("http://h:1/v1", "openai_chat", "rerank")),
        ("http://h:1/v1/audio/speech", ("http://h:1/v1", "openai_chat", "tts")),
        ("http://h:1/v1/audio/transcriptions", ("http://h:1/v1", "openai_chat", "stt")),
        ("https://h/api/openai/v1/images/generations", ("https://h/api/openai/v1", "openai_chat", "sd")),
        ("http://h:1/generate", ("http://h:1", "vllm_generate", "")),
        ("http://h:1/generate_stream", ("http://h:1", "lightllm_generate", "")),
        ("http://h:1/v1?x=1", ("http://h:1/v1?x=1", "openai_chat", "")),
    ],
)
def test_an_address_tells_form_and_type(url: str, found: tuple[str, str, str]) -> None:
    assert attaching.form_of(url) == found


@pytest.mark.parametrize("engine", ["lightllm", "lmdeploy", "sglang"])
def test_an_engine_that_was_named_has_a_form_of_its_own(engine: str) -> None:
    assert attaching.form_of("http://h:1/generate/", engine) == ("http://h:1", f"{engine}_generate", "")


def test_an_embedding_address_gives_vectors(home: Path) -> None:
    def vectors(asked: Asked) -> Reply:
        if asked.path == "/v1/models":
            return Reply({"data": [{"id": "bge"}]})
        rows = [{"index": i, "embedding": [float(i), 1.0]} for i, _ in enumerate(asked.json["input"])]
        return Reply({"data": rows, "model": asked.json["model"], "usage": {"prompt_tokens": 2}})

    with scripted(vectors) as running:
        m = to(f"{running.host}/v1/embeddings")
        assert m.type == "EMBED"
        assert [list(v) for v in m(["a", "b"])] == [[0.0, 1.0], [1.0, 1.0]]
        assert running.last.json["model"] == "bge"


# ---- forms without roles


def test_lightllms_own_form(home: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path != "/generate_stream":
            return Reply({"detail": "Not Found"}, status=404)
        if "busy" in asked.json["inputs"]:
            return Reply(body=b'data:{"error": {"message": "out of tokens"}}\n\n', mime="text/event-stream")
        lines = []
        for i, text in enumerate(["He", "l", "lo"], 1):
            token = {"id": i, "text": text, "logprob": -0.1, "special": False, "count_output_tokens": i, "prompt_tokens": 4}
            end = {"finished": i == 3, "finish_reason": "length" if i == 3 else None}
            lines.append(b"data:" + json.dumps({"token": token, "generated_text": None, "details": None, **end}).encode() + b"\n\n")
        return Reply(body=lines, mime="text/event-stream")

    with scripted(answer) as running:
        m = to(f"{running.host}/generate", engine=wb.deploy.lightllm)
        assert list(m.stream("Hi", max_tokens=3, temperature=0.5, stop=["x"])) == ["He", "l", "lo"]
        sent = {"inputs": "Hi", "parameters": {"max_new_tokens": 3, "temperature": 0.5, "stop_sequences": ["x"], "do_sample": True}}
        assert running.last.json == sent
        answered = to(f"{running.host}/generate_stream")("Hi", temperature=0)
        assert (answered, answered.finish_reason, answered.usage.prompt_tokens, answered.usage.completion_tokens) == ("Hello", "length", 4, 3)
        assert running.last.json["parameters"] == {"do_sample": False}
        with pytest.raises(EndpointError, match="out of tokens"):
            m("busy")
        with pytest.raises(ArgumentError, match="LightLLM's /generate form knows no tools"):
            m("Hi", tools=[{"type": "function", "function": {"name": "f"}}])


@pytest.mark.parametrize("engine", ["sglang", "lmdeploy"])
def test_the_own_form_of_sglang_and_that_of_lmdeploy(engine: str, home: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if "prompt" in asked.json and engine == "sglang":
            return Reply({"error": {"message": "Either text, input_ids or input_embeds should be provided."}}, status=400)
        if "busy" in json.dumps(asked.json):
            return Reply(body=b'data: {"error": {"message": "The queue is full."}}\n\n', mime="text/event-stream")
        lines, said = [], ""
        for i, piece in enumerate(["He", "l", "lo"], 1):
            said = said + piece if engine == "sglang" else piece
            meta = {"prompt_tokens": 4, "completion_tokens": i, "finish_reason": {"type": "length", "length": 3} if i == 3 else None}
            lines.append(b"data: " + json.dumps({"text": said, "output_ids": [i], "meta_info": meta}).encode() + b"\n\n")
        return Reply(body=[*lines, b"data: [DONE]\n\n"], mime="text/event-stream")

    with scripted(answer) as running:
        m = to(f"{running.host}/generate", engine=engine)
        assert list(m.stream("Hi", max_tokens=3, temperature=0.5, stop=["x"])) == ["He", "l", "lo"]
        values = {"temperature": 0.5, "stop": ["x"], "stream": True}
        if engine == "sglang":
            del values["stream"]
            assert running.last.json == {"text": "Hi", "stream": True, "sampling_params": {**values, "max_new_tokens": 3}}
        else:
            assert running.last.json == {"prompt": "Hi", "max_tokens": 3, **values}
        answered = m("Hi")
        assert (answered, answered.finish_reason, answered.usage.prompt_tokens, answered.usage.completion_tokens) == ("Hello", "length", 4, 3)
        with pytest.raises(EndpointError, match="The queue is full"):
            m("busy")
        with pytest.raises(ArgumentError, match="/generate form knows no tools"):
            m("Hi", tools=[{"type": "function", "function": {"name": "f"}}])
