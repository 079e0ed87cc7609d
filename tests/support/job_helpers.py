"""For tests of jobs: a fixture that submits real jobs with scripted stages, and ways to look at them."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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


def kill_engine(job_id: str) -> int:
    """Kill a deployment's engine and wait until nobody listens at its port any more; the process that was killed."""
    record = jobs.store().job(job_id)
    place = urlsplit(str((record.endpoint or {}).get("url", "")))
    assert record.pid is not None
    psutil.Process(record.pid).kill()
    until(lambda: refused(str(place.hostname), int(place.port or 0)) or jobs.store().job(job_id).pid != record.pid, "the engine's end")
    return record.pid


def refused(host: str, port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as connection:
        return connection.connect_ex((host, port)) != 0


@contextlib.contextmanager
def resting(job_id: str) -> Iterator[None]:
    """A job whose supervisor does nothing meanwhile: what its record says stays so, however busy the machine is."""
    supervisor = psutil.Process(jobs.store().job(job_id).supervisor_pid)
    supervisor.suspend()
    try:
        yield
    finally:
        supervisor.resume()
