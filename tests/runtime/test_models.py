"""Where a model is found by its name, and what its files tell about it."""

from __future__ import annotations

import contextlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench import pocket
from workbench.core.gguf_header import read_header
from workbench.errors import ArgumentError, ModelNotFound
from workbench.runtime.inspecting.models import display_name, inspect, local_models, resolve

GGUF = next(pocket.path().glob("*.gguf"))


def make_model(folder: Path, architecture: str = "Qwen3ForCausalLM", **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": [architecture], **config}))
    header = json.dumps(
        {"w": {"dtype": "F16", "shape": [3, 5], "data_offsets": [0, 30]}, "b": {"dtype": "F32", "shape": [], "data_offsets": [30, 34]}}
    )
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(34))
    return folder


def test_the_shipped_model_is_found_by_its_name(home: Path) -> None:
    assert resolve("pocket") == pocket.path()
    assert local_models()["pocket"] == pocket.path()


def test_paths_are_taken_as_they_are(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(tmp_path / "here" / "m")
    monkeypatch.chdir(model.parent)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve(str(model)) == resolve("./m") == resolve("~/here/m") == resolve(model) == model
    assert resolve(GGUF) == GGUF
    with pytest.raises(ModelNotFound, match="Did you mean") as caught:
        resolve(str(model.parent / "mm"))
    assert str(model) in caught.value.fix


def test_names_are_looked_for_under_the_roots_then_the_downloads_then_the_trained(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    monkeypatch.setenv("WORKBENCH_MODEL_PATH", f"{one}:{two}")
    in_two = make_model(two / "a")
    assert resolve("a") == in_two
    assert resolve("a", download=False) == in_two
    in_one = make_model(one / "a")
    assert resolve("a") == in_one
    downloaded = make_model(home / "models" / "huggingface" / "org" / "b")
    assert resolve("org/b") == downloaded
    older = make_model(home / "finetuned" / "mine" / "pocket" / "run-1")
    newer = make_model(home / "finetuned" / "mine" / "pocket" / "run-2")
    make_model(newer / "checkpoint-9")
    assert resolve("mine") in (older, newer)
    assert {"a", "pocket"} <= set(local_models())


def test_lazyllms_variables_find_models_as_well(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAZYLLM_MODEL_PATH", str(tmp_path / "roots"))

    model = make_model(tmp_path / "roots" / "b")
    assert resolve("b") == model


def test_a_name_that_cannot_be_had_names_the_settings(home: Path) -> None:
    with pytest.raises(ModelNotFound, match="'pocket' is the nearest") as caught:
        resolve("pockett", download=False)
    assert "WORKBENCH_MODEL_PATH" in caught.value.fix
    assert "HF_ENDPOINT" in caught.value.fix
    with pytest.raises(ModelNotFound):
        resolve("")
    with pytest.raises(ArgumentError, match="modelscope"):
        resolve("a", source="nowhere")


def test_the_shipped_model_is_told_without_loading_it() -> None:
    meta = inspect(pocket.path())
    assert (meta.name, meta.format, meta.architecture, meta.type) == ("pocket", "safetensors", "Qwen3ForCausalLM", "llm")
    assert (meta.dtype, meta.context_length, meta.has_chat_template) == ("bfloat16", 2048, True)
    assert meta.gguf == str(GGUF)
    assert 2_000_000 < meta.parameters < 4_000_000
    assert meta.size_bytes == (pocket.path() / "model.safetensors").stat().st_size
    assert meta.details["model_type"] == "qwen3"
    json.dumps(meta.to_json())


def test_a_gguf_alone_is_told_from_its_header() -> None:
    meta, folder = inspect(GGUF), inspect(pocket.path())
    assert (meta.format, meta.architecture, meta.dtype, meta.name) == ("gguf", "qwen3", "Q8_0", GGUF.stem)
    assert (meta.parameters, meta.vocabulary, meta.context_length) == (folder.parameters, folder.vocabulary, folder.context_length)
    assert meta.has_chat_template


@pytest.mark.parametrize(
    ("architecture", "config", "kind"),
    [
        ("LlamaForCausalLM", {}, "llm"),
        ("Qwen2_5_VLForConditionalGeneration", {"vision_config": {}}, "vlm"),
        ("WhisperForConditionalGeneration", {}, "stt"),
        ("XLMRobertaForSequenceClassification", {}, "rerank"),
        ("BertModel", {}, "embed"),
        ("GPT2LMHeadModel", {}, "llm"),
    ],
)
def test_the_type_is_told_by_the_architecture(tmp_path: Path, architecture: str, config: dict[str, object], kind: str) -> None:
    meta = inspect(make_model(tmp_path / "m", architecture, **config))
    assert meta.type == kind
    assert (meta.parameters, meta.dtype) == (16, "float16")


def test_an_adapter_names_its_base(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    meta = inspect(tmp_path)
    assert (meta.format, meta.adapter_of) == ("", "org/base")


def test_damaged_files_are_told(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    for data in (b"", b"GGUF", b"PK\x03\x04" * 50, GGUF.read_bytes()[:5000]):
        bad.write_bytes(data)
        with pytest.raises(ModelNotFound, match="usable GGUF"):
            inspect(bad)
    broken = make_model(tmp_path / "m")
    (broken / "model.safetensors").write_bytes(b"\xff" * 100)
    (broken / "config.json").write_text("{")
    assert inspect(broken).parameters == 0
    with pytest.raises(ModelNotFound):
        inspect(tmp_path / "nothing")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 20_000), st.binary(min_size=1, max_size=8))
def test_a_changed_byte_never_hangs_or_crashes_the_reader(tmp_path: Path, at: int, new: bytes) -> None:
    data = bytearray(GGUF.read_bytes()[:60_000])
    data[at : at + len(new)] = new
    file = tmp_path / "changed.gguf"
    file.write_bytes(data)
    with contextlib.suppress(ModelNotFound):
        read_header(file)


def test_names_for_people() -> None:
    assert display_name(pocket.path()) == "pocket"
    assert display_name("/a/qwen3-0.6b") == "qwen3-0.6b"
    assert display_name("/a/my-first/merged") == "my-first"
    assert display_name("/a/b.Q4_K_M.gguf") == "b.Q4_K_M"
