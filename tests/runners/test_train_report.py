"""The trainer's end of the protocol: whole lines, plain numbers, commands once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import finetune
from workbench.runners.train_report import Report, plain

RUNNERS = Path(finetune.__file__).parents[1] / "runners"


def test_events_are_json_lines_without_infinite_numbers(tmp_path: Path) -> None:
    report = Report(str(tmp_path / "events"))
    report.event("metric", step=1, values={"loss": float("nan"), "lr": 1e-4, "n": float("inf")}, text="ä\n")
    line = json.loads((tmp_path / "events").read_text())
    assert line["event"] == "metric"
    assert line["values"] == {"loss": None, "lr": 1e-4, "n": None}
    assert line["text"] == "ä\n"
    assert isinstance(line["time"], float)


def test_numbers_of_other_libraries_become_pythons() -> None:
    import numpy as np

    assert plain({"a": np.float32(0.5), "b": [np.int64(2)], "c": object}) == {"a": 0.5, "b": [2.0], "c": str(object)}


def test_commands_come_once_and_half_a_line_waits(tmp_path: Path) -> None:
    control = tmp_path / "control"
    report = Report(control=str(control))
    assert report.commands() == []
    control.write_text('{"command": "save"}\nnonsense\n{"comm')
    assert report.commands() == ["save"]
    with control.open("a") as f:
        f.write('and": "stop"}\n')
    assert report.commands() == ["stop"]
    assert report.commands() == []


def test_other_processes_of_a_distributed_run_are_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    Report(str(tmp_path / "events")).event("begin", step=0)
    assert (tmp_path / "events").read_text() == ""


@pytest.fixture
def run_script(tmp_path: Path):
    def run(text: str) -> tuple[int, list[dict]]:
        script = tmp_path / "trainer.py"
        script.write_text(text)
        env = {**os.environ, "WORKBENCH_EVENTS": str(tmp_path / "events"), "WORKBENCH_CONTROL": str(tmp_path / "control")}
        code = subprocess.run(
            [sys.executable, str(RUNNERS / "train.py"), str(script), "argument"], env=env, capture_output=True, check=False
        ).returncode
        return code, [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]

    return run


def test_any_script_runs_under_the_runner_and_its_errors_are_told(run_script) -> None:
    code, events = run_script("import sys, torchaudio; assert sys.argv[1] == 'argument'; raise ValueError('bad rows')")
    assert code == 1
    assert [e["event"] for e in events] == ["error", "exit"]
    assert (events[0]["type"], events[0]["message"]) == ("ValueError", "bad rows")
    assert "trainer.py" in events[0]["traceback"]


def test_exit_codes_and_exit_functions_of_the_trainer_are_kept(run_script, tmp_path: Path) -> None:
    code, events = run_script(f"import atexit, pathlib, sys; atexit.register(pathlib.Path({str(tmp_path / 'left')!r}).touch); sys.exit(3)")
    assert code == 3
    assert events[-1] == {**events[-1], "event": "exit", "code": 3}
    assert (tmp_path / "left").exists()


def test_a_signal_before_the_first_step_ends_at_once(run_script) -> None:
    code, events = run_script(f"import os, time; os.kill(os.getpid(), {int(signal.SIGTERM)}); time.sleep(60)")
    assert code == 143
    assert events[-1]["event"] == "exit"
