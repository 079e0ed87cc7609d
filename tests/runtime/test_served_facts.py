"""What a server tells of its model, in the forms of several engines' documents; and that silence is no error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scripted_http import Asked, Reply, scripted

import workbench as wb
from workbench.core.endpoints import Endpoint
from workbench.core.models import ModelMeta, Served
from workbench.runtime.deployments import served_facts

VLLM = {
    "/v1/models": {
        "data": [
            {"id": "base", "owned_by": "vllm", "root": "/m", "parent": None, "max_model_len": 4096},
            {"id": "polite", "owned_by": "vllm", "root": "/a", "parent": "base"},
        ]
    }
}
LLAMA = {
    "/v1/models": {"data": [{"id": "tiny", "owned_by": "llamacpp", "meta": {"n_ctx_train": 8192}}]},
    "/props": {"default_generation_settings": {"n_ctx": 2048}},
}
SILENT: dict[str, Any] = {"/v1/models": {"data": [{"id": "x"}]}}


@pytest.mark.parametrize(
    ("routes", "asked_as", "model", "engine", "context", "adapters"),
    [
        (VLLM, "base", "base", "vllm", 4096, ("polite",)),
        (VLLM, "polite", "polite", "vllm", 4096, ("polite",)),
        (LLAMA, "", "tiny", "llama_cpp", 2048, ()),
        (SILENT, "x", "x", "", 0, ()),
        ({"/v1/models": []}, "x", "x", "", 0, ()),
        ({"/v1/models": {"data": "no"}}, "x", "x", "", 0, ()),
        ({"/v1/models": {"data": [None, {"id": 5, "max_model_len": "many"}]}}, "x", "x", "", 0, ()),
        ({}, "x", "x", "", 0, ()),
    ],
)
def test_what_servers_tell(routes: Any, asked_as: str, model: str, engine: str, context: int, adapters: tuple[str, ...]) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(routes[asked.path]) if asked.path in routes else Reply({"detail": "Not Found"}, status=404)

    with scripted(answer) as server:
        meta = served_facts.of_address(Endpoint(server.url, asked_as), "")
        served = meta.served
        assert served is not None
        assert (served.model, served.engine, served.context_length, served.adapters) == (model, engine, context, adapters)
        m = wb.TrainableModule(asked_as).deploy_method(wb.deploy.vllm, url=server.url)
        assert m.meta is not None
        assert m.meta.max_model_len == context


def test_a_server_that_is_not_there_or_speaks_no_json_is_no_error(home: object) -> None:
    meta = wb.TrainableModule("some-embedding").deploy_method(wb.deploy.vllm, url="http://127.0.0.1:9/v1").meta
    assert meta is not None
    assert (meta.type, meta.max_model_len, meta.name) == ("embed", 0, "some-embedding")
    with scripted(lambda asked: Reply(body=b"<html>", mime="text/html")) as server:
        assert served_facts.of_address(Endpoint(server.url), "").served is not None


def test_a_model_on_this_machine_before_and_while_it_is_served(home: object) -> None:
    m = wb.TrainableModule("pocket")
    before = m.meta
    assert before is not None
    assert before.served is None
    m.start()
    during = m.meta
    assert during is not None
    assert during.served is not None
    assert (during.engine, during.served.state, during.max_model_len) == ("llama_cpp", "running", 2048)
    assert during.served.memory > 10_000_000
    assert during.served.need["total"] > during.served.need["weights"] > 0
    assert during.architectures == ["Qwen3ForCausalLM"]
    json.dumps(during.to_json())
    m.stop()
    after = m.meta
    assert after is not None
    assert after.path == before.path
    elsewhere = wb.TrainableModule("not/here").meta
    assert elsewhere is not None
    assert (elsewhere.path, elsewhere.type, elsewhere.told_by) == ("", "llm", "")


def test_a_description_reads_as_lines_and_as_a_table() -> None:
    meta = ModelMeta(
        "/m",
        "<name>",
        architecture="Qwen3ForCausalLM",
        parameters=7_600_000_000,
        size_bytes=15_200_000_000,
        dtype="bfloat16",
        context_length=40960,
        told_by="the architecture Qwen3ForCausalLM",
        served=Served("vllm", "a", "http://h/v1", "running", 8192, "the file /t.jinja", ("one", "two"), 17_000_000_000, 16_000_000_000),
    )
    text = str(meta)
    for piece in (
        "7.6 B parameters, bfloat16, 14.2 GiB",
        "8,192 tokens as served, 40,960 by its files",
        "the file /t.jinja",
        "one, two",
        "15.8 GiB held",
    ):
        assert piece in text
    assert "&lt;name&gt;" in meta._repr_html_()
    assert "<name>" not in meta._repr_html_()
    assert repr(meta) == "<ModelMeta <name>: a chat model, Qwen3ForCausalLM, 7.6 B parameters, bfloat16, 14.2 GiB, 8,192 tokens, vllm>"
