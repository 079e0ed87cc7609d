"""The llama.cpp engine as jobs run it: the shipped model, a model converted first, arguments, ports, and an engine that dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench import deploy, pocket
from workbench.core.messages import ChatRequest, as_messages
from workbench.core.specs import DeploySpec
from workbench.deploy import gguf_cache
from workbench.errors import ArgumentError, EndpointDown, JobFailed, ModelNotFound, StreamBroken
from workbench.runtime.answering.client import open_stream
from workbench.runtime.deployments import endpoints
from workbench.runtime.work import jobs
from workbench.settings import settings

from ..support.guarded import assert_guarded

POCKET = str(pocket.path())


def ask(text: str, **parameters: Any) -> ChatRequest:
    return ChatRequest(as_messages(text), parameters={"max_tokens": 40, **parameters})


def folder_without_gguf(where: Path) -> Path:
    shutil.copytree(pocket.path(), where, ignore=shutil.ignore_patterns("*.gguf"))
    return where


def test_two_callers_share_one_deployment_and_its_key_is_private(home: Path) -> None:
    first, second = (endpoints.deployment_for(DeploySpec(POCKET)) for _ in range(2))
    assert first.id == second.id
    endpoint = endpoints.wait_ready(first.id, 30)
    assert (endpoint.model, endpoint.job_id) == ("pocket", first.id)
    assert endpoint.url.startswith("http://127.0.0.1:")
    assert Path(endpoint.key_file).stat().st_mode & 0o077 == 0
    assert open_stream(endpoint, ask("Hello!")).join().text
    other = endpoints.deployment_for(DeploySpec(POCKET, arguments={"n_parallel": 1}))
    assert other.id != first.id
    record = jobs.store().job(first.id)
    key = Path(endpoint.key_file).read_text()
    assert key not in repr(record) + repr(endpoint) + json.dumps(endpoint.to_json()) + jobs.log_tail(first.id, 1000)
    assert_guarded(endpoint, pid=record.pid)
    command = Path(f"/proc/{record.pid}/cmdline")
    assert not command.exists() or key not in command.read_text()


def test_a_stopped_deployment_says_so_and_starts_again(home: Path) -> None:
    record = endpoints.deployment_for(DeploySpec(POCKET))
    endpoints.wait_ready(record.id, 30)
    jobs.stop(record.id)
    ended = jobs.wait(record.id, 10)
    assert ended.state == "cancelled"
    with pytest.raises(EndpointDown, match="was stopped"):
        endpoints.endpoint_of(ended)
    again = endpoints.deployment_for(DeploySpec(POCKET))
    assert again.id != record.id
    assert open_stream(endpoints.wait_ready(again.id, 30), ask("Hello!")).join().text


def test_an_engine_that_dies_while_answering_is_told_with_its_last_lines(home: Path) -> None:
    record = endpoints.deployment_for(DeploySpec(POCKET, restarts=0))
    endpoint = endpoints.wait_ready(record.id, 30)
    stream = open_stream(endpoint, ask("Hello!", max_tokens=1900, ignore_eos=True))
    next(stream)
    pid = jobs.store().job(record.id).pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(StreamBroken) as caught:
        stream.join()
    assert caught.value.partial
    assert "listening on" in caught.value.log_tail
    assert "start()" in caught.value.fix
    ended = jobs.wait(record.id, 10)
    assert ended.state == "failed"
    with pytest.raises(EndpointDown):
        endpoints.endpoint_of(ended)
    assert open_stream(endpoints.wait_ready(endpoints.deployment_for(DeploySpec(POCKET)).id, 30), ask("Hello!")).join().text


def test_a_taken_port_gives_another_one_and_says_so(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        record = endpoints.deployment_for(DeploySpec(POCKET, port=port))
        endpoint = endpoints.wait_ready(record.id, 30)
        assert f":{port}/" not in endpoint.url
        assert any(e.event == "notice" and str(port) in e.data["text"] for e in jobs.store().events_since(record.id))
        assert open_stream(endpoint, ask("Hello!")).join().text
    jobs.stop(record.id)
    jobs.wait(record.id, 10)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    wanted = endpoints.deployment_for(DeploySpec(POCKET, port=port))
    assert f":{port}/" in endpoints.wait_ready(wanted.id, 30).url


def test_arguments_reach_the_engine_under_its_own_names(home: Path) -> None:
    arguments = {"n_ctx": 512, "n_parallel": 2, "cache_type_k": "q8_0", "flash_attn_type": "enabled", "top_k": 1, "n_threads": 1}
    record = endpoints.deployment_for(DeploySpec(POCKET, arguments=arguments))
    endpoint = endpoints.wait_ready(record.id, 30)
    assert open_stream(endpoint, ask("Hello!")).join().text
    assert "n_slots = 2, n_ctx_slot = 256" in jobs.log_tail(record.id, 200)


def test_a_small_model_drafts_for_a_larger_one(home: Path) -> None:
    arguments = {"model_draft": str(next(pocket.path().glob("*.gguf"))), "draft_max": 4, "n_parallel": 1, "n_ctx": 512}
    record = endpoints.deployment_for(DeploySpec(POCKET, arguments=arguments))
    endpoint = endpoints.wait_ready(record.id, 30)
    assert open_stream(endpoint, ask("Which day comes after Wednesday?", temperature=0)).join().text == "Thursday"
    assert "draft acceptance" in jobs.log_tail(record.id, 200)


def test_unknown_arguments_are_refused_before_anything_starts(home: Path) -> None:
    with pytest.raises(ArgumentError, match="n_ctx"):
        endpoints.deployment_for(DeploySpec(POCKET, arguments={"n_ctxx": 1}), "llama_cpp")
    with pytest.raises(ArgumentError, match="q8_0"):
        endpoints.deployment_for(DeploySpec(POCKET, arguments={"outtype": "q9"}), "llama_cpp")
    with pytest.raises(ArgumentError, match=r"(?s)cache_type_k='q99'.*f32, f16, bf16, q8_0"):
        endpoints.deployment_for(DeploySpec(POCKET, arguments={"cache_type_k": "q99"}), "llama_cpp")
    with pytest.raises(ArgumentError, match="type"):
        endpoints.deployment_for(DeploySpec(POCKET, type="sd"), "llama_cpp")
    with pytest.raises(ModelNotFound):
        endpoints.deployment_for(DeploySpec("/nowhere/at/all"), "llama_cpp")
    assert jobs.store().jobs() == []


def test_every_argument_exists_in_the_engine() -> None:
    import xllamacpp

    from workbench.deploy.llama_cpp_arguments import ARGUMENTS

    for place in (place for argument in ARGUMENTS.values() for place in argument.places):
        target = xllamacpp.CommonParams()
        for part in place.split("."):
            assert hasattr(target, part), place
            target = getattr(target, part)


def test_a_damaged_file_fails_with_the_engines_words(home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(next(pocket.path().glob("*.gguf")).read_bytes()[:200_000])
    with pytest.raises((JobFailed, ModelNotFound), match=r"bad\.gguf|could not load"):
        endpoints.wait_ready(endpoints.deployment_for(DeploySpec(str(bad)), "llama_cpp").id, 30)


def test_a_safetensors_folder_is_converted_once_and_answers_as_the_shipped_gguf(home: Path, tmp_path: Path) -> None:
    model = folder_without_gguf(tmp_path / "tuned")
    config = json.loads((model / "tokenizer_config.json").read_text())
    (model / "tokenizer_config.json").write_text(json.dumps({**config, "tokenizer_class": "TokenizersBackend"}))
    before = sorted(p.name for p in model.iterdir())
    killed = gguf_cache.target(model, "q8_0").with_suffix(".4194305.part")  # what a conversion left that was killed
    killed.parent.mkdir(parents=True)
    killed.touch()
    record = endpoints.deployment_for(DeploySpec(str(model)))
    endpoint = endpoints.wait_ready(record.id, 300)
    shipped = endpoints.wait_ready(endpoints.deployment_for(DeploySpec(POCKET)).id, 30)
    rows = [r["input"] for r in pocket.exam_rows()[::40]]
    same = [open_stream(endpoint, ask(q)).join().text == open_stream(shipped, ask(q)).join().text for q in rows]
    assert sum(same) >= len(same) - 1
    assert sorted(p.name for p in model.iterdir()) == before
    assert endpoint.model == "tuned"
    assert not killed.exists()
    kept = list((settings().folder("cache") / "gguf").rglob("*.gguf"))
    assert len(kept) == 1
    jobs.stop(record.id)
    jobs.wait(record.id, 10)

    again = endpoints.deployment_for(DeploySpec(str(model)))
    endpoints.wait_ready(again.id, 30)
    assert "Converting" not in json.dumps([dict(e.data) for e in jobs.store().events_since(again.id)])

    jobs.stop(again.id)
    os.utime(model / "model.safetensors")
    changed = endpoints.deployment_for(DeploySpec(str(model)))
    assert changed.id != again.id
    endpoints.wait_ready(changed.id, 300)
    assert [p for p in (settings().folder("cache") / "gguf").rglob("*.gguf") if p not in kept]
    assert not kept[0].exists()


def test_a_tokenizer_that_llama_cpp_does_not_have_is_refused_with_the_way_out(home: Path, tmp_path: Path) -> None:
    model = folder_without_gguf(tmp_path / "odd")
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = r"\w+|\s+|[^\w\s]+"
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(JobFailed, match="tokenizer cuts text") as caught:
        endpoints.wait_ready(endpoints.deployment_for(DeploySpec(str(model))).id, 300)
    assert "deploy.transformers" in caught.value.fix
    assert not list((settings().folder("cache") / "gguf").rglob("*.part"))


def test_what_cannot_be_converted_is_refused_at_once(home: Path, tmp_path: Path) -> None:
    model = folder_without_gguf(tmp_path / "odd")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "architectures": ["WhisperForConditionalGeneration"]}))
    with pytest.raises(ArgumentError, match="Whisper"):
        deploy.llama_cpp().check(DeploySpec(str(model)).to_json())
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ArgumentError, match="no model folder"):
        deploy.llama_cpp().check(DeploySpec(str(empty)).to_json())
    for name in ("a.gguf", "b.gguf"):
        (empty / name).touch()
    with pytest.raises(ArgumentError, match="2 GGUF models"):
        deploy.llama_cpp().check(DeploySpec(str(empty)).to_json())


def test_the_models_own_generation_config_decides_how_it_samples() -> None:
    from workbench.deploy.llama_cpp_arguments import defaults_of

    assert defaults_of({}) == {}
    assert defaults_of({"eos_token_id": 2}) == {"temp": 0.0}
    sampled = defaults_of({"do_sample": True, "temperature": 0.6, "top_p": 0.95, "repetition_penalty": 1.05})
    assert sampled == {"temp": 0.6, "top_k": 50, "top_p": 0.95, "min_p": 0.0, "penalty_repeat": 1.05}


def test_a_stale_share_key_is_not_reused_when_the_name_is_given(home: Path) -> None:
    one = endpoints.deployment_spec(DeploySpec(POCKET))
    assert one.name == "pocket"
    assert endpoints.deployment_spec(DeploySpec(POCKET), name="mine").share_key == one.share_key
    assert endpoints.deployment_spec(replace(DeploySpec(POCKET), port=1)).share_key != one.share_key
