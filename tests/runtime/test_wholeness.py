"""Weights that were cut off or are missing in part are refused by name, before anything loads."""

from __future__ import annotations

import contextlib
import json
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import ModelNotFound
from workbench.runtime.inspecting.wholeness import check_whole

POCKET = Path(wb.pocket.path())


def safetensors(path: Path, size: int = 400, *, cut: int = 0) -> Path:
    header = json.dumps({"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(size)
    path.write_bytes(data[: len(data) - cut])
    return path


def test_the_shipped_model_is_whole() -> None:
    check_whole(POCKET)
    for gguf in POCKET.glob("*.gguf"):
        check_whole(gguf)


@pytest.mark.parametrize("cut", [1, 399, 401, 470])
def test_a_safetensors_file_that_was_cut_off_is_named_with_what_is_missing(tmp_path: Path, cut: int) -> None:
    safetensors(tmp_path / "whole.safetensors")
    broken = safetensors(tmp_path / "model-00002.safetensors", cut=cut)
    with pytest.raises(ModelNotFound, match=r"model-00002\.safetensors was cut off(.|\n)*missing"):
        check_whole(tmp_path)
    broken.unlink()
    check_whole(tmp_path)


def test_a_gguf_that_lacks_its_last_bytes_is_named(tmp_path: Path) -> None:
    [source] = POCKET.glob("*.gguf")
    data = source.read_bytes()
    for cut in (1, len(data) // 2):
        file = tmp_path / f"cut-{cut}.gguf"
        file.write_bytes(data[:-cut])
        with pytest.raises(ModelNotFound, match=rf"cut-{cut}\.gguf"):
            check_whole(file)
        file.unlink()


def test_a_part_that_the_index_names_is_missed(tmp_path: Path) -> None:
    safetensors(tmp_path / "model-00001-of-00002.safetensors")
    weights = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    with pytest.raises(ModelNotFound, match="model-00002-of-00002"):
        check_whole(tmp_path)


def test_parts_in_folders_of_a_pipeline_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    safetensors(tmp_path / "unet" / "diffusion.safetensors", cut=5)
    with pytest.raises(ModelNotFound, match="diffusion"):
        check_whole(tmp_path)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "x.safetensors").write_bytes(data)
    with contextlib.suppress(ModelNotFound):
        check_whole(folder)


def test_a_truncated_model_is_refused_before_an_engine_starts(home: Path, tmp_path: Path) -> None:
    model = tmp_path / "broken"
    shutil.copytree(POCKET, model)
    for gguf in model.glob("*.gguf"):
        gguf.write_bytes(gguf.read_bytes()[:-1000])
    with pytest.raises(ModelNotFound, match=r"\.gguf was cut off"):
        wb.TrainableModule(model).start()
    for gguf in model.glob("*.gguf"):
        gguf.unlink()
    [weights] = model.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelNotFound, match=r"\.safetensors was cut off"):
        wb.TrainableModule(model).start()
    assert wb.jobs() == []
