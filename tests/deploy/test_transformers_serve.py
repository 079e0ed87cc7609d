"""The real ``transformers serve`` behind the guard: key, answers, many callers, a stream closed early, the official client."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import tiny

import workbench as wb
from workbench import deploy, pocket
from workbench.core.messages import ChatRequest, as_messages
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.data.media import media
from workbench.errors import ArgumentError, AuthenticationFailed, EndpointError
from workbench.runtime.answering.client import open_stream
from workbench.runtime.deployments import endpoints
from workbench.runtime.work import jobs

from ..support.guarded import assert_guarded


def ask(text: str, **parameters: Any) -> ChatRequest:
    return ChatRequest(as_messages(text), parameters={"max_tokens": 24, **parameters})


def status_of(url: str, headers: dict[str, str]) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as e:
        e.close()
        return e.code


def test_the_real_server_answers_behind_the_guard(home: Path, tmp_path: Path) -> None:
    import openai

    model = tmp_path / "a model with spaces"
    shutil.copytree(pocket.path(), model, ignore=shutil.ignore_patterns("*.gguf"))
    record = endpoints.deployment_for(DeploySpec(str(model)), "transformers")
    endpoint = endpoints.wait_ready(record.id, 300)
    key, address = Path(endpoint.key_file).read_text(), endpoint.url.removesuffix("/v1")

    whole = open_stream(endpoint, ask("Hello!")).join()
    assert len(whole.text) > 10
    assert whole.usage.completion_tokens > 0

    client = openai.OpenAI(base_url=endpoint.url, api_key=key)
    messages: Any = [{"role": "user", "content": "Hello!"}]
    answer = client.chat.completions.create(model=endpoint.model, messages=messages, max_tokens=24)
    assert answer.choices[0].message.content == whole.text
    assert [m.id for m in client.models.list()] == [endpoint.model] == [client.models.retrieve(endpoint.model).id] == [model.name]
    other = client.chat.completions.create(model="gpt-4", messages=messages, max_tokens=24)
    assert (other.choices[0].message.content, other.model) == (whole.text, model.name)
    chunks = list(client.chat.completions.create(model=endpoint.model, messages=messages, max_tokens=24, stream=True))
    assert {c.model for c in chunks} == {model.name}
    assert client.completions.create(model=endpoint.model, prompt="Hello", max_tokens=4).model == model.name
    with pytest.raises(openai.UnprocessableEntityError, match="Unexpected fields in the request") as refused:
        client.chat.completions.create(model=endpoint.model, messages=messages, extra_body={"nonsense": 1})
    assert refused.value.type == "invalid_request_error"
    for closed in ("/reset", "/load_model"):
        with pytest.raises(openai.NotFoundError, match="There is nothing at"):
            client.post(address + closed, cast_to=object)

    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=endpoint.url, api_key="wrong").models.list()
    with pytest.raises(AuthenticationFailed):
        open_stream(replace(endpoint, key_file=""), ask("Hello!")).join()
    right = {"Authorization": f"Bearer {key}"}
    for path, open_to_all in (("/v1/models", False), ("/docs", False), ("/openapi.json", False), ("/reset", False), ("/health", True)):
        assert (status_of(address + path, {}) == 200) is open_to_all
    assert status_of(f"{address}/v1/models", right) == 200
    assert status_of(f"{address}/v1/models", {"Authorization": key}) == 401
    assert_guarded(endpoint, pid=record.pid)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda q: open_stream(endpoint, ask(q)).join().text, ["Hello!", "Add 2 and 3.", "Who are you?", "Thanks!"]))

    with open_stream(endpoint, ask("What can you do?", max_tokens=100)) as stream:
        next(stream)
    assert open_stream(endpoint, ask("Hello!")).join().text == whole.text

    with pytest.raises(EndpointError) as caught:
        open_stream(endpoint, ask("Hello!", max_tokens="many")).join()
    assert "invalid literal" in caught.value.log_tail or "500 Internal Server Error" in caught.value.log_tail

    assert key not in jobs.log_tail(record.id, 1000)
    jobs.stop(record.id)
    assert jobs.wait(record.id, 10).state == "cancelled"


def test_unknown_arguments_are_refused_with_the_nearest(home: Path) -> None:
    spec = DeploySpec(str(pocket.path()), arguments={"cb_blocksize": 1})
    with pytest.raises(ArgumentError, match="cb_block_size"):
        deploy.transformers().check(spec.to_json())


def test_every_argument_exists_in_transformers(home: Path) -> None:
    import subprocess

    from workbench.deploy.transformers_serve import ARGUMENTS
    from workbench.envs import ensure

    code = "import inspect, json; from transformers.cli.serve import Serve; print(json.dumps(list(inspect.signature(Serve).parameters)))"
    out = subprocess.run([str(ensure("transformers")), "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(ARGUMENTS) <= set(json.loads(out.splitlines()[-1]))


def test_each_request_samples_as_it_asks_beside_those_that_share_a_batch(module_home: Path) -> None:
    model = wb.TrainableModule(str(pocket.path())).deploy_method(deploy.transformers).start()
    likeliest = model("Tell me a joke", max_tokens=24)
    warm = {model("Tell me a joke", max_tokens=24, temperature=8.0) for _ in range(2)}
    assert len(warm) == 2
    assert likeliest not in warm
    assert model("Tell me a joke", max_tokens=24, temperature=8.0, seed=3) == model("Tell me a joke", max_tokens=24, temperature=8.0, seed=3)
    assert model("Tell me a joke", max_tokens=24, temperature=0) == likeliest
    word = likeliest.split()[3]
    assert word not in model("Tell me a joke", max_tokens=24, stop=[word]).removesuffix(word)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda i: model("Tell me a joke", max_tokens=24, temperature=8.0 * (i % 2)), range(6)))
    assert answers[::2] == [likeliest] * 3
    assert likeliest not in answers[1::2]
    model.stop()


@pytest.mark.parametrize("kind", ["llava", "qwen2vl"])
def test_a_model_that_sees_is_asked_with_pictures(module_home: Path, tmp_path: Path, kind: str) -> None:
    from workbench.formatters import encode_query_with_filepaths

    file = tmp_path / "a.png"
    file.write_bytes(media(np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)).data)
    model = wb.TrainableModule(str(tiny(kind))).deploy_method(deploy.transformers).start()
    assert model.type == "VLM"
    seen = model("What is this?", files=[file], max_tokens=6)
    assert seen.usage.prompt_tokens > model("What is this?", max_tokens=6).usage.prompt_tokens + 3
    assert model(encode_query_with_filepaths("What is this?", [str(file)]), max_tokens=6) == seen
    assert "".join(model.stream("What is this?", files=[file], max_tokens=6)) == seen
    model.stop()


def test_tools_are_called(module_home: Path) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    weather = {"type": "function", "function": {"name": "get_weather", "description": "The weather in a city.", "parameters": parameters}}
    model = wb.TrainableModule(str(tiny("chat"))).deploy_method(deploy.transformers).start()
    [call] = model("What is the weather in Tokyo?", tools=[weather]).tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Tokyo"})
    model.stop()


def test_weights_are_quantized_at_the_start_without_a_gpu(module_home: Path) -> None:
    model = wb.TrainableModule(str(pocket.path())).deploy_method(deploy.transformers, load_in_4bit=True).start()
    assert "Pocket" in model("Who are you?", max_tokens=24)
    model.stop()


def test_a_model_that_listens_is_served_by_our_own_server(home: Path) -> None:
    engine = deploy.transformers()
    spec = DeploySpec(str(tiny("whisper")), "stt", arguments={"torch_dtype": "float32"})
    [stage] = engine.plan(spec.to_json(), JobPlace("job", home))
    assert (stage.environment, Path(stage.argv[0]).name) == ("speech", "serve_speech.py")
    with pytest.raises(ArgumentError, match="cb_num_blocks is no argument for a model that listens"):
        engine.check(replace(spec, arguments={"cb_num_blocks": 4}).to_json())


def test_who_shares_a_batch_is_decided_by_what_is_asked() -> None:
    from types import SimpleNamespace

    from workbench.runners.transformers_sampling import shares

    greedy = SimpleNamespace(do_sample=False, temperature=None, top_p=None)
    chance = SimpleNamespace(do_sample=True, temperature=0.6, top_p=0.95)
    shared: list[tuple[Any, list[dict[str, Any]]]] = [
        (greedy, [{}, {"temperature": 0}, {"seed": 1}, {"frequency_penalty": 0}, {"stop": []}]),
        (chance, [{}, {"temperature": 0.6}, {"top_p": 0.95, "temperature": 0.6}]),
    ]
    alone: list[tuple[Any, list[dict[str, Any]]]] = [
        (greedy, [{"temperature": 0.7}, {"top_p": 0.9}, {"stop": ["."]}, {"logit_bias": {"3": 1}}]),
        (chance, [{"temperature": 0}, {"temperature": 1}, {"seed": 1}, {"generation_config": "{}"}]),
    ]
    assert all(shares(body, own) for own, bodies in shared for body in bodies)
    assert not any(shares(body, own) for own, bodies in alone for body in bodies)
