"""Supervisors that are killed: the job is told as lost, and the next client that looks leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.runtime.work import jobs
from workbench.runtime.work.job import Job
from workbench.runtime.work.job import jobs as list_jobs
from workbench.store import JobWriter, Owner

from ..support.job_helpers import alive, at_step, ended, steps, until
from .test_jobs import STUBBORN, pids_of

Submit = Callable[..., JobRecord]


def kill_supervisor(job_id: str) -> None:
    pid = jobs.store().job(job_id).supervisor_pid
    assert pid
    os.kill(pid, 9)
    until(lambda: jobs.store().job(job_id).state is JobState.LOST, "lost")


def test_a_killed_supervisor_is_told_as_lost_and_the_next_look_leaves_no_process(submit: Submit) -> None:
    job = submit("print('working', flush=True)" + STUBBORN, grace=600.0)
    pids = pids_of(job.id)
    kill_supervisor(job.id)
    assert all(map(alive, pids))
    lost = list_jobs()
    assert [j.id for j in lost] == [job.id]
    assert not any(map(alive, pids))
    record = jobs.store().job(job.id)
    assert record.state is JobState.LOST
    assert record.failure is not None
    assert "working" in record.failure.log_tail
    assert jobs.store().abandoned() == []


def test_what_a_killed_supervisor_was_preparing_is_ended_too(submit: Submit, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    job = submit(backend="SlowPlan", mark=str(mark))
    pid = until(lambda: mark.exists() and int(mark.read_text() or 0), "the plan")
    kill_supervisor(job.id)
    assert jobs.sweep() == [job.id]
    assert not alive(pid)


def test_a_job_of_another_boot_is_lost_when_silent_and_written_down_when_it_stays_so(submit: Submit) -> None:
    job, _ = jobs.store().insert(JobSpec("finetune", "dummy", "before the restart", {}))
    assert JobWriter(jobs.store().home, job.id, Owner("another boot", 1, "1")).claim()
    silence = "UPDATE jobs SET heartbeat_at = heartbeat_at - ?"
    with sqlite3.connect(jobs.store().home / "workbench.db") as db:
        db.execute(silence, (30,))
    assert jobs.sweep() == []
    assert jobs.store().job(job.id).state is JobState.LOST
    with sqlite3.connect(jobs.store().home / "workbench.db") as db:
        db.execute(silence, (600,))
    assert jobs.sweep() == [job.id]
    assert jobs.store().abandoned() == []


def test_a_job_whose_folder_is_deleted_ends_with_all_its_processes(submit: Submit) -> None:
    job = submit("train(0, 100_000)")
    at_step(job.id, 2)
    record = jobs.store().job(job.id)
    shutil.rmtree(jobs.store().home)
    until(lambda: not alive(record.pid or 0) and not alive(record.supervisor_pid or 0), "their end")


def test_a_database_that_is_locked_for_a_while_costs_a_job_nothing(submit: Submit) -> None:
    job = submit("train(0, 300)")
    at_step(job.id, 2)
    blocker = sqlite3.connect(jobs.store().home / "workbench.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    until(lambda: "cannot be written now" in (jobs.store().place(job.id).folder / "supervisor.txt").read_text(), "the lock to be felt")
    blocker.execute("COMMIT")
    blocker.close()
    assert ended(job.id).state is JobState.SUCCEEDED
    assert steps(job.id) == list(range(1, 301))


def test_what_a_runner_wrote_after_its_supervisor_died_is_kept_once(submit: Submit) -> None:
    job = submit("train(0, 10_000, checkpoint_every=5)", resume_from="")
    at_step(job.id, 3)
    kill_supervisor(job.id)
    seen = steps(job.id)
    until(lambda: jobs.store().place(job.id).events.read_bytes().count(b"\n") > len(seen) + 8, "more lines")
    swept = subprocess.run([sys.executable, "-c", "from workbench.runtime.work import jobs; print(jobs.sweep())"], capture_output=True, text=True)
    assert job.id in swept.stdout
    jobs.sweep()
    found = steps(job.id)
    assert found == list(range(1, found[-1] + 1))
    assert found[-1] > seen[-1]


def test_a_lost_job_can_be_resumed(submit: Submit) -> None:
    job = submit("train(0, 60, checkpoint_every=5)", resume_from="")
    at_step(job.id, 12)
    kill_supervisor(job.id)
    again = Job(job.id).resume()
    assert ended(again.id).state is JobState.SUCCEEDED
    assert again.parent == Job(job.id)


def test_a_lost_deployment_is_not_shared(submit: Submit) -> None:
    script = "emit('ready', url='http://127.0.0.1:1', model='m'); time.sleep(600)"
    first = submit(script, kind="deploy", serves=True, share_key="k")
    pid = jobs.wait(first.id, timeout=30, ready=True).pid or 0
    kill_supervisor(first.id)
    second = submit(script, kind="deploy", serves=True, share_key="k")
    assert second.id != first.id
    assert not alive(pid)


def test_a_supervisor_asked_to_end_stops_its_job_in_order(submit: Submit) -> None:
    job = submit("train(0, 10_000)")
    at_step(job.id, 3)
    os.kill(jobs.store().job(job.id).supervisor_pid or 0, 15)
    assert ended(job.id).state is JobState.CANCELLED
    assert any(e.event == "checkpoint" for e in jobs.store().events_since(job.id))


def test_end_all_leaves_nothing_at_work(submit: Submit) -> None:
    running = [submit("train(0, 10_000)") for _ in range(2)]
    jobs.wait(running[0].id, ready=True, timeout=30)
    lost = submit("train(0, 10_000)")
    jobs.wait(lost.id, ready=True, timeout=30)
    pid = jobs.store().job(lost.id).pid or 0
    kill_supervisor(lost.id)
    jobs.end_all()
    assert jobs.store().jobs(active=True) == []
    assert not alive(pid)


def test_a_job_whose_supervisor_cannot_start_has_failed(submit: Submit, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import pytest

    from workbench.errors import JobError

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(JobError, match="supervisor cannot be started"):
        jobs.submit(JobSpec("finetune", "scripted_backends:Scripted", "unstarted", {"script": ""}))
    assert jobs.store().job("unstarted").state is JobState.FAILED
