"""What the runner's callback adds to a training step: the same Trainer with and without it, in the trainer's environment."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import workbench
from workbench.envs import ensure

from .ratio import Ratio, difference, medians

ROUNDS = 5
LOOP = Path(__file__).with_name("trainer_loop.py")
RUNNER = Path(workbench.__file__).parent / "runners" / "train.py"


def milliseconds(python: Path, *command: str) -> float:
    """A step of one run."""
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder, "control.jsonl")
        control.touch()
        env = {
            **os.environ,
            "WORKBENCH_EVENTS": str(Path(folder, "events.jsonl")),
            "WORKBENCH_CONTROL": str(control),
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        out = subprocess.run([str(python), *command], env=env, cwd=folder, capture_output=True, text=True, check=True)
    line = next(x for x in out.stdout.splitlines() if x.startswith("microseconds"))
    return float(line.split()[1]) / 1000


def measure() -> Iterator[Ratio]:
    python = ensure("llamafactory")
    ours, theirs = medians(ROUNDS, lambda: milliseconds(python, str(RUNNER), str(LOOP)), lambda: milliseconds(python, str(LOOP)))
    yield difference("a training step with our callback", ours, theirs, "ms", "without it", at_most=0.5)
