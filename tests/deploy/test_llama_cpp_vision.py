"""Pictures by the real llama.cpp: a vision model's folder becomes two GGUF files, its text and its eyes, and answers depend on what it is shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

import workbench as wb
from workbench import pocket
from workbench.core.specs import DeploySpec
from workbench.deploy import gguf_cache
from workbench.errors import ArgumentError

from ..support.tiny_models import tiny


def picture(folder: Path, name: str, colour: tuple[int, int, int]) -> str:
    Image.new("RGB", (64, 64), colour).save(folder / name)
    return str(folder / name)


def test_a_vision_folder_is_converted_with_its_eyes_and_is_asked_with_pictures(module_home: Path) -> None:
    red, blue = (picture(module_home.parent, f"{name}.png", c) for name, c in (("red", (255, 0, 0)), ("blue", (0, 0, 255))))
    m = wb.TrainableModule(str(tiny("qwen2vl"))).deploy_method(wb.deploy.llama_cpp, n_parallel=1, n_ctx=1024).start()
    seen = [m("What is this?", files=files, max_tokens=8, temperature=0) for files in ([red], [blue], [red], [red, blue])]
    assert seen[0] == seen[2]
    assert len({*seen, m("What is this?", max_tokens=8, temperature=0)}) >= 3
    m.stop()
    made = sorted(p.name for p in (module_home / "cache" / "gguf").rglob("*.gguf"))
    assert made == ["mmproj-qwen2vl-f16.gguf", "qwen2vl-q8_0.gguf"]


def test_eyes_are_converted_alone_where_the_model_is_a_gguf_file_already(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "seeing"
    shutil.copytree(tiny("qwen2vl"), folder)
    shutil.copy(next(pocket.path().glob("*.gguf")), folder / "text.gguf")
    spec = DeploySpec(str(folder), "vlm")
    line = wb.deploy.llama_cpp().command(spec.to_json())
    assert str(folder / "text.gguf") in line
    assert str(gguf_cache.eyes_target(folder)) in line


def test_eyes_that_the_converter_cannot_write_are_refused_before_anything_starts(home: Path) -> None:
    with pytest.raises(ArgumentError, match=r"(?s)cannot show pictures to llava.*converter writes none of this kind.*deploy\.transformers"):
        wb.deploy.llama_cpp().check(DeploySpec(str(tiny("llava")), "vlm").to_json())
