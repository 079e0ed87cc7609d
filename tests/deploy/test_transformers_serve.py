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

import pytest

from workbench import deploy, pocket
from workbench.core.messages import ChatRequest, as_messages
from workbench.core.specs import DeploySpec
from workbench.errors import ArgumentError, AuthenticationFailed, EndpointError
from workbench.runtime import endpoints, jobs
from workbench.runtime.client import open_stream


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
    assert client.models.list().data == []

    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=endpoint.url, api_key="wrong").models.list()
    with pytest.raises(AuthenticationFailed):
        open_stream(replace(endpoint, key_file=""), ask("Hello!")).join()
    right = {"Authorization": f"Bearer {key}"}
    for path, open_to_all in (("/v1/models", False), ("/docs", False), ("/openapi.json", False), ("/reset", False), ("/health", True)):
        assert (status_of(address + path, {}) == 200) is open_to_all
    assert status_of(f"{address}/v1/models", right) == 200
    assert status_of(f"{address}/v1/models", {"Authorization": key}) == 401

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

    from workbench import envs
    from workbench.deploy.transformers_serve import ARGUMENTS

    code = "import inspect, json; from transformers.cli.serve import Serve; print(json.dumps(list(inspect.signature(Serve).parameters)))"
    out = subprocess.run([str(envs.ensure("transformers")), "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(ARGUMENTS) <= set(json.loads(out.splitlines()[-1]))
