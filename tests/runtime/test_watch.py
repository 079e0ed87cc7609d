"""A job followed by polling, as widgets and the terminal do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from workbench.core.jobs import JobRecord, JobState
from workbench.runtime.work import jobs
from workbench.runtime.work.watch import JobUpdate, JobWatch

from ..support.job_helpers import at_step, ended, until

Submit = Callable[..., JobRecord]


def follow(watch: JobWatch, seconds: float = 60.0) -> list[JobUpdate]:
    """All updates until the job has ended."""
    end, updates = time.monotonic() + seconds, []
    while time.monotonic() < end:
        update = watch.poll()
        if update:
            updates.append(update)
            if not update.record.state.active:
                return updates
        time.sleep(0.005)
    raise AssertionError("The job did not end.")


def test_updates_bring_every_row_event_and_log_line_once(submit: Submit) -> None:
    job = submit("print('hello', flush=True); train(0, 25, pace=0.01); sys.stdout.write('unended')")
    updates = follow(JobWatch(job.id))
    assert [m.step for u in updates for m in u.metrics] == list(range(1, 26))
    assert [e.seq for u in updates for e in u.events] == [e.seq for e in jobs.store().events_since(job.id)]
    assert "".join(u.log for u in updates) == "hello\nunended"
    assert [u.fresh for u in updates] == [True] + [False] * (len(updates) - 1)
    assert updates[-1].record.state is JobState.SUCCEEDED


def test_nothing_new_is_none_although_hearts_beat(submit: Submit) -> None:
    job = submit("emit('begin', step=0); time.sleep(600)")
    watch = JobWatch(job.id)
    until(lambda: jobs.store().job(job.id).state is JobState.RUNNING, "the runner")
    while watch.poll():
        pass
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert watch.poll() is None
        time.sleep(0.05)


def test_a_second_watch_begins_at_the_beginning(submit: Submit) -> None:
    job = submit("train(0, 8)")
    ended(job.id)
    [update] = follow(JobWatch(job.id))
    assert [m.step for m in update.metrics] == list(range(1, 9))


def test_a_lost_job_is_seen_without_anybody_writing(submit: Submit) -> None:
    job = submit("train(0, 10_000)")
    at_step(job.id, 2)
    watch = JobWatch(job.id)
    watch.poll()
    os.kill(jobs.store().job(job.id).supervisor_pid or 0, 9)
    assert follow(watch)[-1].record.state is JobState.LOST


def test_rows_begin_anew_when_a_resumed_job_continues_elsewhere_than_its_checkpoint_said(submit: Submit) -> None:
    script = """
if os.path.isdir(os.path.join(os.environ["OUTPUT"], "checkpoint-10")):
    time.sleep(1.0)
    train(5, 12)
else:
    train(0, 10, checkpoint_every=5)
    sys.exit(1)
"""
    first = submit(script, resume_from="")
    ended(first.id)
    again = jobs.resume(first.id)
    shown: list[int] = []
    for update in follow(JobWatch(again.id)):
        shown = [] if update.fresh else shown
        shown += [m.step for m in update.metrics]
    assert shown == list(range(1, 13))
