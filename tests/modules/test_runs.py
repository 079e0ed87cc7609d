"""Folders of runs: where they lie, which are whole, in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.modules.local import runs


def make_model(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_a_relative_target_lies_under_the_setting(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert runs.target_folder("mine", "pocket") == home / "finetuned" / "mine"
    monkeypatch.setenv("WORKBENCH_TRAIN_TARGET_ROOT", str(tmp_path / "elsewhere"))
    assert runs.target_folder("mine", "pocket") == tmp_path / "elsewhere" / "mine"
    assert runs.target_folder("", "some/pocket").name == "pocket-finetuned"
    assert runs.target_folder(str(tmp_path / "x"), "pocket") == tmp_path / "x"


def test_runs_are_ordered_by_number_and_other_folders_are_not_runs(tmp_path: Path) -> None:
    for name in ("mine-10", "mine-2", "mine", "mine-old", "mine2"):
        make_model(tmp_path / name)
    assert [r.name for r in runs.runs(tmp_path / "mine")] == ["mine", "mine-2", "mine-10"]


def test_a_run_is_usable_when_it_has_configuration_and_weights(tmp_path: Path) -> None:
    assert runs.usable(make_model(tmp_path / "a"))
    (tmp_path / "a" / "model.safetensors").unlink()
    assert not runs.usable(tmp_path / "a")
