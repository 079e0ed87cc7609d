"""Pretends to train: steps with a falling loss, checkpoints, evaluations, commands, as a real trainer reports them. Trains nothing.

python train_dummy.py ARGUMENTS.json
"""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .train_report import Report
else:
    from train_report import Report

STOPPED = 143


class DryRun:
    """One pretended training, from a checkpoint or from the beginning."""

    def __init__(self, arguments: dict[str, Any], report: Report) -> None:
        self.a, self.report = arguments, report
        self.step = self._resumed()
        self.stopped = self.paused = self.save = False

    def _resumed(self) -> int:
        folder = self.a.get("resume_from") or ""
        numbers = [int(n.removeprefix("checkpoint-")) for n in os.listdir(folder) if n.startswith("checkpoint-")] if folder else []
        return max(numbers, default=0)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop after the step."""
        self.stopped = True

    def run(self) -> int:
        """Pretend to the last step and give the exit code."""
        steps = int(self.a["steps"])
        self.report.event("begin", step=self.step, max_steps=steps, parameters=0, trainable=0, device="none: a dry run")
        while self.step < steps:
            if self.a["fail_at"] is not None and self.step + 1 >= int(self.a["fail_at"]):
                message = f"A failure was asked for at step {self.a['fail_at']}."
                print(f"RuntimeError: {message}", file=sys.stderr, flush=True)
                self.report.event("error", type="RuntimeError", message=message, traceback="")
                return 1
            time.sleep(float(self.a["seconds_per_step"]))
            self.step += 1
            self.measure()
            self.listen()
            if self.stopped or self.save or self.step % int(self.a["save_steps"]) == 0 or self.step == steps:
                self.checkpoint()
            if self.stopped and self.step < steps:
                self.report.event("notice", level="info", text=f"Stopped after step {self.step} of {steps}; a checkpoint was saved.")
                return STOPPED
        return 0

    def measure(self) -> None:
        """Report the step; its numbers depend on the seed and the step only, so that a resumed run gives the same."""
        steps, chance = int(self.a["steps"]), random.Random(f"{self.a['seed']}-{self.step}")
        epoch = float(self.a["num_train_epochs"]) * self.step / steps
        fall = math.exp(-4.0 * self.step / steps)
        values = {
            "loss": 0.2 + 2.0 * fall + chance.uniform(-0.08, 0.08),
            "learning_rate": float(self.a["learning_rate"]) * (1.0 + math.cos(math.pi * self.step / steps)) / 2.0,
            "grad_norm": 0.5 + fall + chance.uniform(0.0, 0.2),
        }
        self.report.event("metric", step=self.step, max_steps=steps, epoch=epoch, values=values)
        print(f"step {self.step}/{steps} loss {values['loss']:.4f}", flush=True)
        if self.step % int(self.a["eval_steps"]) == 0 or self.step == steps:
            self.report.event("metric", step=self.step, max_steps=steps, epoch=epoch, values={"eval_loss": 0.25 + 2.0 * fall})

    def checkpoint(self) -> None:
        """Save the step's number, which is all there is."""
        self.save = False
        path = os.path.join(self.a["output"], f"checkpoint-{self.step}")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "dry_run.json"), "w", encoding="utf-8") as f:
            json.dump({"step": self.step}, f)
        self.report.event("checkpoint", step=self.step, path=path)

    def listen(self) -> None:
        """Obey commands; wait while paused."""
        while True:
            for command in self.report.commands():
                if command == "stop":
                    self.stopped = True
                elif command == "save":
                    self.save = True
                elif command in ("pause", "resume"):
                    self.paused = command == "pause"
                    if self.paused:
                        self.report.event("progress", phase="paused", text="Paused", done=self.step, total=self.a["steps"], unit="steps")
            if self.stopped or not self.paused:
                return
            time.sleep(0.02)


def main(file: str) -> int:
    """Run what the arguments file says."""
    with open(file, encoding="utf-8") as f:
        arguments = json.load(f)
    report = Report.of_this_process()
    run = DryRun(arguments, report)
    signal.signal(signal.SIGTERM, run.on_signal)
    signal.signal(signal.SIGINT, run.on_signal)
    code = run.run()
    if code == 0:
        report.event("result", values={"dry_run": True, "steps": run.step})
    report.event("exit", code=code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
