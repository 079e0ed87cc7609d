"""What the LLaMA-Factory runner does with folders: checkpoints, results. Its training is tested in tests/finetune."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from workbench import finetune
from workbench.runners.train_report import Report


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The runner's module, found beside its neighbours as when it is started as a file."""
    monkeypatch.syspath_prepend(str(Path(finetune.__file__).parents[1] / "runners"))
    return importlib.import_module("train_llama_factory")


def checkpoint(output: Path, step: int, max_steps: int = 10) -> Path:
    folder = output / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    history = [{"step": s, "loss": float(s)} for s in range(1, step + 1)] + [{"step": step, "eval_loss": 0.5}]
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step, "max_steps": max_steps, "epoch": 1.0, "log_history": history}))
    for name in ("adapter_config.json", "adapter_model.safetensors", "optimizer.pt"):
        (folder / name).write_text(f"{step}")
    return folder


def test_a_result_takes_the_first_free_name_and_replaces_nothing(runner: Any, tmp_path: Path) -> None:
    for number, expected in enumerate(("target", "target-2", "target-3")):
        draft = tmp_path / f"draft{number}"
        draft.mkdir()
        (draft / "weights").write_text(str(number))
        assert runner.claim(str(draft), str(tmp_path / "target")) == str(tmp_path / expected)
    assert [(tmp_path / n / "weights").read_text() for n in ("target", "target-2", "target-3")] == ["0", "1", "2"]


def test_the_newest_whole_checkpoint_is_taken(runner: Any, tmp_path: Path) -> None:
    output = tmp_path / "output"
    for step in (4, 12, 8):
        checkpoint(output, step)
    assert runner.newest_checkpoint(str(output)) == str(output / "checkpoint-12")
    (output / "checkpoint-12/trainer_state.json").write_text('{"global_step": 12, "log_')  # killed while it was written
    (output / "trainer_state.json").write_text('{"global_step": 99}')  # what a trainer leaves at its end is no checkpoint
    assert runner.newest_checkpoint(str(output)) == str(output / "checkpoint-8")
    assert runner.newest_checkpoint(str(output / "checkpoint-4")) == str(output / "checkpoint-4")
    with pytest.raises(FileNotFoundError, match="no whole checkpoint"):
        runner.newest_checkpoint(str(tmp_path))


def test_a_training_that_was_complete_is_not_trained_on(runner: Any, tmp_path: Path) -> None:
    report = Report(str(tmp_path / "events"))
    arguments = {"output_dir": str(tmp_path / "new")}
    assert not runner.take_over(str(checkpoint(tmp_path / "old", 9)), arguments, report)
    assert runner.take_over(str(checkpoint(tmp_path / "old", 10)), arguments, report)
    assert (tmp_path / "new/adapter_model.safetensors").read_text() == "10"
    assert not (tmp_path / "new/optimizer.pt").exists()
    assert json.loads((tmp_path / "events").read_text().splitlines()[0])["step"] == 10
    assert runner.measured(str(tmp_path / "new")) == {"steps": 10, "epochs": 1.0, "loss": 10.0, "train_loss": 5.5, "eval_loss": 0.5}
    assert runner.copy_adapter(str(tmp_path / "new"), str(tmp_path / "adapter"))
    assert sorted(p.name for p in (tmp_path / "adapter").iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
