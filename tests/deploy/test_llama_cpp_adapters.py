"""LoRA adapters of our own fine-tunes on the real llama.cpp: converted, chosen by name beside their model, loaded and forgotten while it runs."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

import workbench as wb
from workbench import envs, pocket
from workbench.core.specs import DeploySpec
from workbench.errors import ArgumentError, ModelNotFound
from workbench.runtime.deployments import adapters

from ..support.job_helpers import kill_engine
from ..support.tiny_models import tiny

MERGE = Path(__file__).parent.parent / "support" / "merge_lora.py"
HI: Any = [{"role": "user", "content": "Hi"}]
ASK: dict[str, Any] = {"max_tokens": 12, "temperature": 0}


@pytest.fixture(scope="module")
def chat(module_home: Path) -> Iterator[wb.TrainableModule]:
    module = wb.TrainableModule(str(tiny("chat"))).deploy_method(
        wb.deploy.llama_cpp, adapters={"first": str(tiny("lora"))}, outtype="f16", n_ctx=2048, restarts=1
    )
    yield module.start()
    module.stop()


def client(module: wb.TrainableModule) -> openai.OpenAI:
    assert module.endpoint is not None
    return openai.OpenAI(base_url=module.endpoint.url, api_key=Path(module.endpoint.key_file).read_text(), max_retries=0)


def test_an_adapter_answers_under_its_name_as_the_merged_model_does(chat: wb.TrainableModule, module_home: Path) -> None:
    merged = module_home.parent / "merged"
    subprocess.run([str(envs.ensure("gguf")), str(MERGE), str(tiny("chat")), str(tiny("lora")), str(merged)], check=True)
    whole = wb.TrainableModule(str(merged)).deploy_method(wb.deploy.llama_cpp, outtype="f16").start()
    mine, questions = chat.share(adapter="first"), ("Hello!", "What is two and two?", "Count.")
    assert [mine(q, **ASK) for q in questions] == [whole(q, **ASK) for q in questions]
    assert chat("Hello!", **ASK) == "Hello! I am a tiny model."
    whole.stop()
    said = client(chat).chat.completions.create(model="first", messages=[{"role": "user", "content": "Hello!"}], max_tokens=12, temperature=0)
    assert said.choices[0].message.content == mine("Hello!", **ASK)
    assert [m.id for m in client(chat).models.list()] == ["chat", "first"]
    assert chat.adapters == {"first": str(tiny("lora"))}
    assert chat.meta.served is not None
    assert chat.meta.served.adapters == ("first",)


def test_base_and_adapter_side_by_side_never_read_each_others_cache(chat: wb.TrainableModule) -> None:
    mine = chat.share(adapter="first")
    expected = {True: mine("Hello!", **ASK), False: chat("Hello!", **ASK)}
    assert expected[True] != expected[False]
    found: list[tuple[bool, str]] = []
    asking = [threading.Thread(target=lambda own=i % 2 == 0: found.append((own, (mine if own else chat)("Hello!", **ASK)))) for i in range(24)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert {(own, answer) for own, answer in found} == set(expected.items())
    assert len(found) == 24


def test_an_adapter_is_loaded_and_forgotten_while_answers_are_written(chat: wb.TrainableModule, tmp_path: Path) -> None:
    shutil.copytree(tiny("lora"), tmp_path / "mine")
    stream = client(chat).chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "Count."}], max_tokens=300, stream=True, extra_body={"ignore_eos": True}
    )
    next(iter(stream))
    mine = chat.share(adapter=str(tmp_path / "mine"))
    assert mine("Hello!", **ASK) == chat.share(adapter="first")("Hello!", **ASK)
    assert sum(1 for _ in stream) > 200
    assert set(chat.adapters) == {"first", "mine"}
    assert chat("Hello!", **ASK) == "Hello! I am a tiny model."
    chat.unload_adapter("mine")
    assert list(chat.adapters) == ["first"]
    assert chat.endpoint is not None
    with pytest.raises(ModelNotFound, match="first"):
        adapters.unload(chat.endpoint, "mine")
    with pytest.raises(ModelNotFound, match="adapter_config"):
        adapters.load(chat.endpoint, "none", tmp_path)


def test_the_door_asks_for_the_key_and_passes_everything_else_on(chat: wb.TrainableModule) -> None:
    assert chat.endpoint is not None
    stranger = openai.OpenAI(base_url=chat.endpoint.url, api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError) as unknown:
        stranger.models.list()
    assert unknown.value.type == "authentication_error"
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="chat", messages=HI)
    root = chat.endpoint.url.removesuffix("/v1")
    key = Path(chat.endpoint.key_file).read_text()
    asked = urllib.request.Request(f"{root}/tokenize", json.dumps({"content": "Hello!"}).encode(), {"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(asked) as answer:
        assert json.load(answer)["tokens"]
    refused = urllib.request.Request(f"{root}/v1/load_lora_adapter", b'{"lora_name": "x", "lora_path": "/a"}', {"Authorization": "Bearer wrong"})
    with pytest.raises(urllib.error.HTTPError, match="401") as told:
        urllib.request.urlopen(refused)
    assert told.value.headers["Access-Control-Allow-Origin"] == "*"  # a page in a browser can read why
    with pytest.raises(openai.NotFoundError, match="`gone` does not exist"):  # not the model itself, which nobody meant
        client(chat).chat.completions.create(model="gone", messages=HI)
    with pytest.raises(openai.BadRequestError):
        client(chat).chat.completions.create(model="chat", messages=HI, extra_body={"response_format": {"type": "nonsense"}})
    assert client(chat).chat.completions.create(model="first", messages=HI, max_tokens=2, n=2).choices[1]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer KEY\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"401"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"401"),
    ],
    ids=["no request", "no length", "a huge body without the key", "too long", "alive", "in pieces"],
)
def test_odd_requests_are_answered_too(chat: wb.TrainableModule, sent: bytes, status: bytes) -> None:
    assert chat.endpoint is not None
    address = urlsplit(chat.endpoint.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as caller:
        caller.sendall(sent.replace(b"KEY", Path(chat.endpoint.key_file).read_bytes()))
        assert caller.recv(64).split()[1] == status


def test_odd_values_do_not_hang_the_door(chat: wb.TrainableModule) -> None:
    for odd in ({"n": "two"}, {"model": ["chat"]}, {"lora": "x"}, {"id_slot": "a"}):
        with contextlib.suppress(openai.APIStatusError):
            client(chat).chat.completions.create(model="chat", messages=HI, max_tokens=2, extra_body=odd, timeout=20)
    assert chat("Hello!", **ASK) == "Hello! I am a tiny model."


def test_an_engine_that_died_is_told_of_its_adapters_again(home: Path) -> None:
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, enable_lora=True).start()
    mine = m.share(adapter=str(loud(home.parent / "loud.gguf")))
    first = mine("Hello!", **ASK)
    assert first != m("Hello!", **ASK)
    assert m.deployment is not None
    kill_engine(m.deployment.id)
    answers, end = [], time.monotonic() + 60
    while first not in answers and time.monotonic() < end:
        with contextlib.suppress(wb.errors.WorkbenchError):
            answers.append(mine("Hello!", **ASK))
    assert set(answers) == {first}  # an error meanwhile, and never the model's own answer
    (home.parent / "loud.gguf").unlink()
    kill_engine(m.deployment.id)
    with pytest.raises(ModelNotFound, match=r"loud(.|\n)*There is no file"):  # and not that nobody answers, once it does
        mine("Hello!", **ASK)
    assert m("Hello!", **ASK)


def loud(file: Path) -> Path:
    """An adapter for the shipped model, as a GGUF file, that changes every answer."""
    from .test_llama_cpp_arguments import MAKE_ADAPTER

    subprocess.run([str(envs.ensure("gguf")), "-c", MAKE_ADAPTER, str(file), "1"], check=True)
    return file


def test_what_cannot_be_loaded_is_refused_before_anything_starts(home: Path, tmp_path: Path) -> None:
    engine = wb.deploy.llama_cpp()
    with pytest.raises(ModelNotFound, match="adapter_config"):
        engine.check(DeploySpec(str(pocket.path()), adapters={"a": str(tmp_path)}).to_json())
    with pytest.raises(ArgumentError, match="name of the model itself"):
        engine.check(DeploySpec(str(pocket.path()), adapters={"pocket": str(tiny("lora"))}).to_json())
    file = tmp_path / "bare.gguf"
    shutil.copy(next(pocket.path().glob("*.gguf")), file)
    orphan = tmp_path / "orphan"
    shutil.copytree(tiny("lora"), orphan)
    config = json.loads((orphan / "adapter_config.json").read_text())
    (orphan / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "some/model"}))
    with pytest.raises(ArgumentError, match="safetensors folder of the model"):
        engine.check(DeploySpec(str(file), adapters={"a": str(orphan)}).to_json())
    (orphan / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))
    with pytest.raises(ArgumentError, match=r"(?s)llama\.cpp cannot load.*DoRA"):
        engine.check(DeploySpec(str(pocket.path()), adapters={"a": str(orphan)}).to_json())
    with pytest.raises(ArgumentError, match="type='embed'"):
        engine.check(DeploySpec(str(file), "embed", adapters={"a": str(tiny("lora"))}).to_json())
    bare = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp).start()
    with pytest.raises(ArgumentError, match=r"llama_cpp, enable_lora=True"):
        bare.share(adapter=str(tiny("lora")))
