"""Backends for tests of jobs: their stages run the Python text that the payload holds. Read by the supervisor's process,
by the name ``scripted_backends:Scripted``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.core.jobs import Failure
from workbench.core.protocols import JobPlace, Stage

PRELUDE = """
import json, os, signal, subprocess, sys, time
def emit(event, **data):
    fd = os.open(os.environ["WORKBENCH_EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (json.dumps({"event": event, "time": time.time(), **data}) + "\\n").encode())
    os.close(fd)
def commands():
    return [json.loads(line)["command"] for line in open(os.environ["WORKBENCH_CONTROL"])]
"""

TRAIN = """
def train(first, last, pace=0.02, checkpoint_every=0):
    signal.signal(signal.SIGTERM, lambda *_: None)
    emit("begin", step=first, max_steps=last)
    for step in range(first + 1, last + 1):
        time.sleep(pace)
        emit("metric", step=step, max_steps=last, epoch=step / 10, values={"loss": 1 / step})
        stop = "stop" in commands()
        if stop or (checkpoint_every and step % checkpoint_every == 0):
            folder = os.path.join(os.environ["OUTPUT"], f"checkpoint-{step}")
            os.makedirs(folder, exist_ok=True)
            emit("checkpoint", step=step, path=folder)
        if stop:
            return
    emit("result", values={"last": last})
"""


class Scripted:
    """Payload: ``script``, or ``stages`` (name → script); ``serves``, ``grace``, ``output``."""

    name = "scripted"
    environment = "current"

    def check(self, payload: Mapping[str, Any]) -> None:
        """Everything is fine."""

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        scripts = payload.get("stages") or {"script": payload["script"]}
        return [
            Stage(
                name,
                name.capitalize(),
                "current",
                (str(place.folder / f"{name}.py"),),
                env={"OUTPUT": payload.get("resume_from") or payload.get("output") or str(place.folder)},
                files={f"{name}.py": PRELUDE + TRAIN + text},
                serves=payload.get("serves", False),
                stop_grace=payload.get("grace", 20.0),
            )
            for name, text in scripts.items()
        ]

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        return {"folder": str(place.folder)}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        return Failure(f"{stage} ended with {exit_code}.", "Mend the script.")


class BrokenPlan(Scripted):
    """Cannot plan."""

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        raise RuntimeError("no plan today")


class BrokenExplain(Scripted):
    """Cannot explain."""

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        raise RuntimeError("no idea")


class SlowPlan(Scripted):
    """Takes for ever to plan, with a process of its own at work."""

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        import subprocess

        planning = subprocess.Popen(["sleep", "600"])
        Path(payload["mark"]).write_text(f"{planning.pid}\n")
        planning.wait()
        return super().plan(payload, place)
