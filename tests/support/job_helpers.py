"""For tests of jobs: a fixture that submits real jobs with scripted stages, and ways to look at them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.runtime.work import jobs

Submit = Callable[..., JobRecord]


@pytest.fixture
def submit(home: Path, monkeypatch: pytest.MonkeyPatch) -> Submit:
    """Submit a job whose stage runs a Python text with ``emit``, ``commands`` and ``train`` of `scripted_backends`."""
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])))

    def make(script: str = "", *, backend: str = "Scripted", kind: str = "finetune", share_key: str = "", **payload: Any) -> JobRecord:
        spec = JobSpec(kind, f"scripted_backends:{backend}", "scripted", {"script": script, **payload}, share_key)
        return jobs.submit(spec)

    return make


def until(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """The first true answer of a condition."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)
    return answer


def at_step(job_id: str, step: int) -> None:
    """Wait until a job has reached a step."""
    until(lambda: (jobs.store().job(job_id).step or 0) >= step, f"step {step}")


def ended(job_id: str) -> JobRecord:
    """The job once it has ended."""
    record = jobs.wait(job_id, timeout=60)
    assert not record.state.active, record
    return record


def steps(job_id: str) -> list[int]:
    """The steps of all measured rows."""
    return [row.step for row in jobs.store().metrics_since(job_id)]


def states(job_id: str) -> list[JobState]:
    """The states a job went through."""
    return [JobState(e.data["state"]) for e in jobs.store().events_since(job_id) if e.event == "state"]


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
