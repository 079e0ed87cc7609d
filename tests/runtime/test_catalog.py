"""What counts as a model on this machine, and under which name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.runtime.inspecting import catalog
from workbench.runtime.inspecting.models import resolve


def put(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x" * 10)
    return folder


def test_models_of_every_origin_are_found_under_the_name_that_finds_them(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    monkeypatch.setenv("WORKBENCH_MODEL_PATH", str(mine))
    put(mine / "qwen", "config.json", "model.safetensors")
    put(mine, "alone.gguf")
    put(mine / "not-a-model", "config.json")
    old = put(home / "finetuned" / "my-first" / "run-1", "config.json", "model.safetensors")
    new = put(home / "finetuned" / "my-first" / "run-2", "config.json", "model.safetensors")
    put(home / "finetuned" / "my-first" / "run-2" / "checkpoint-5", "config.json", "model.safetensors")
    put(home / "models" / "models--org--small" / "snapshots" / "0a1b", "config.json", "model.safetensors")
    for path, age in ((old, 100), (new, 10)):
        for file in path.iterdir():
            if file.is_file():
                os.utime(file, (file.stat().st_mtime - age,) * 2)

    found = catalog.models()
    assert [(m.name, m.origin) for m in found if m.origin != "folder"] == [
        ("pocket", "shipped"),
        ("my-first", "finetuned"),
        ("my-first/run-1", "finetuned"),
        ("org/small", "downloaded"),
    ]
    assert {m.name for m in found if m.origin == "folder"} == {"qwen", "alone.gguf"}
    assert all(m.size_bytes > 0 for m in found)
    for model in found:
        if model.origin != "downloaded":  # the hub's own cache is the hub library's to read
            assert resolve(model.name, download=False) == Path(model.path), model


def test_an_empty_home_has_the_shipped_model_only(home: Path) -> None:
    assert [m.name for m in catalog.models()] == ["pocket"]


def test_pipelines_and_models_of_every_type_are_found_whole(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "models"
    monkeypatch.setenv("WORKBENCH_MODEL_PATH", str(root))
    put(root / "draws" / "unet", "config.json", "model.safetensors")
    (root / "draws" / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')
    put(root / "hears", "am.mvn", "model.pt")
    put(root / "embeds", "model.safetensors", "config.json")
    (root / "embeds" / "modules.json").write_text('[{"type": "sentence_transformers.models.Transformer"}]')
    found = {m.name: m for m in catalog.models() if m.origin == "folder"}
    assert {name: m.type for name, m in found.items()} == {"draws": "sd", "hears": "stt", "embeds": "embed"}
    assert found["draws"].size_bytes == 10
    assert found["embeds"].to_json()["call"].startswith("m([")
    assert catalog.models()[0].to_json()["call"] == ""
    assert resolve("draws") == root / "draws"
