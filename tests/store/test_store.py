"""The store as readers and the one writer see it; real SQLite, no supervisor."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.core.jobs import STOP_AND_SAVE, STOP_NOW, Failure, JobSpec, JobState, Progress
from workbench.errors import JobNotFound, SettingsError
from workbench.store import JobWriter, Owner, OwnershipLost, Store
from workbench.store.writer import Batch

SPEC = JobSpec("finetune", "llamafactory", "tone", {"base_model": "/models/a", "arguments": {"learning_rate": 1e-4}})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def claimed(store: Store, spec: JobSpec = SPEC, **more: int) -> tuple[str, JobWriter]:
    record, _ = store.insert(spec, **more)
    writer = JobWriter(store.home, record.id, Owner.of(os.getpid()))
    assert writer.claim()
    return record.id, writer


def test_an_inserted_job_is_queued_and_comes_back_as_it_was(store: Store) -> None:
    record, created = store.insert(SPEC)
    assert created
    assert record.state is JobState.QUEUED
    assert store.job(record.id) == record
    assert store.job(record.id).spec == SPEC


def test_only_the_user_can_read_the_database(store: Store) -> None:
    store.insert(SPEC)
    for file in store.home.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_a_job_is_found_by_id_by_its_beginning_and_newest_by_name(store: Store) -> None:
    first, _ = store.insert(SPEC)
    second, _ = store.insert(SPEC)
    assert store.job(first.id).id == first.id
    assert store.job(second.id[:6]).id == second.id
    assert store.job("tone").id == second.id


def test_an_unknown_job_names_the_nearest_one(store: Store) -> None:
    store.insert(SPEC)
    with pytest.raises(JobNotFound, match="'tone' is the nearest name"):
        store.job("tonne")
    with pytest.raises(JobNotFound):
        store.job("%")


def test_jobs_come_newest_first_and_by_kind_and_activity(store: Store) -> None:
    ids = [store.insert(SPEC)[0].id for _ in range(3)]
    served, writer = claimed(store, JobSpec("deploy", "dummy", "served", {}))
    writer.finish(JobState.SUCCEEDED)
    assert [r.id for r in store.jobs()] == [served, *ids[::-1]]
    assert [r.id for r in store.jobs(kind="deploy")] == [served]
    assert [r.id for r in store.jobs(active=True, limit=2)] == [ids[2], ids[1]]
    assert [r.id for r in store.jobs(active=False)] == [served]


def test_a_shared_job_is_given_again_while_it_lives_and_not_when_it_is_ending(store: Store) -> None:
    shared = JobSpec("deploy", "dummy", "m", {}, share_key="k")
    first, created = store.insert(shared)
    again, created_again = store.insert(shared)
    assert (created, created_again, again.id) == (True, False, first.id)
    store.request_cancel(first.id, STOP_AND_SAVE)
    assert store.insert(shared)[0].id != first.id


def test_a_stop_request_is_never_weakened_and_never_reaches_an_ended_job(store: Store) -> None:
    job, writer = claimed(store)
    store.request_cancel(job, STOP_NOW)
    store.request_cancel(job, STOP_AND_SAVE)
    assert writer.cancel_requested() == STOP_NOW
    writer.finish(JobState.CANCELLED)
    other, writer = claimed(store)
    writer.finish(JobState.SUCCEEDED)
    store.request_cancel(other, STOP_NOW)
    assert store.job(other).cancel_requested == 0


def test_what_the_writer_sets_is_what_readers_see(store: Store) -> None:
    job, writer = claimed(store)
    progress, failure = Progress("train", "Training", 3, 10, "steps", 7.5), Failure("out of memory", "smaller batch", "last line")
    writer.update(state=JobState.RUNNING, progress=progress, step=3, max_steps=10, pid=77)
    seen = store.job(job)
    assert (seen.state, seen.progress, seen.step, seen.max_steps, seen.pid) == (JobState.RUNNING, progress, 3, 10, 77)
    writer.finish(JobState.FAILED, failure=failure, exit_code=-9, result={"model": "/x"})
    seen = store.job(job)
    assert (seen.state, seen.failure, seen.exit_code, seen.result) == (JobState.FAILED, failure, -9, {"model": "/x"})
    assert seen.ended_at is not None
    assert [e.data["state"] for e in store.events_since(job) if e.event == "state"] == ["preparing", "running", "failed"]


def test_a_job_is_claimed_once_and_an_ended_one_is_not_written_again(store: Store) -> None:
    job, writer = claimed(store)
    assert not JobWriter(store.home, job, Owner.of(os.getpid())).claim()
    with pytest.raises(OwnershipLost):
        JobWriter(store.home, job, Owner("elsewhere", 1, "1")).update(step=1)
    writer.finish(JobState.SUCCEEDED)
    with pytest.raises(OwnershipLost):
        writer.update(step=1)
    with pytest.raises(OwnershipLost):
        writer.beat()


def test_a_heartbeat_is_no_news_but_everything_else_is(store: Store) -> None:
    job, writer = claimed(store)
    before = store.job(job)
    version = store.data_version()
    assert store.data_version() == version
    writer.beat()
    assert store.data_version() > version
    after = store.job(job)
    assert after.revision == before.revision
    assert (after.heartbeat_at or 0) >= (before.heartbeat_at or 0)
    version = store.data_version()
    store.request_cancel(job, STOP_AND_SAVE)  # one's own write counts as well
    assert store.data_version() > version
    assert store.job(job).revision > after.revision


def rows(*steps: int, begin: int = 0, end: int = 0) -> Batch:
    return Batch(metrics=[(s, s / 10, float(s), {"loss": 1.0 / s}) for s in steps], begin=begin, end=end)


def test_metrics_are_read_past_a_cursor_with_nan_kept(store: Store) -> None:
    job, writer = claimed(store)
    writer.add(Batch(metrics=[(1, 0.1, 1.0, {"loss": 2.5}), (2, None, 2.0, {"loss": float("nan")})], end=10))
    first = store.metrics_since(job, limit=1)
    [second] = store.metrics_since(job, first[0].seq)
    assert first[0].values == {"loss": 2.5}
    assert second.epoch is None
    assert second.values["loss"] != second.values["loss"]
    assert store.metrics_since(job, second.seq) == []


def test_a_piece_of_the_runners_file_is_written_once_whoever_tries(store: Store) -> None:
    job, writer = claimed(store)
    writer.add(rows(1, 2, begin=0, end=50))
    with pytest.raises(OwnershipLost):
        JobWriter(store.home, job, Owner.of(os.getpid())).add(rows(1, 2, begin=0, end=50))
    assert [m.step for m in store.metrics_since(job)] == [1, 2]
    assert writer.events_read() == 50


def test_a_resumed_jobs_rows_begin_with_its_forebears_up_to_each_checkpoint(store: Store) -> None:
    first, writer = claimed(store)
    writer.add(rows(1, 2, 3, 4, 5))
    writer.finish(JobState.FAILED)
    second, writer = claimed(store, JobSpec("finetune", "llamafactory", "tone", {}, parent=first), parent_step=3)
    writer.add(rows(4, 5, 6, 7))
    writer.finish(JobState.FAILED)
    third, writer = claimed(store, JobSpec("finetune", "llamafactory", "tone", {}, parent=second), parent_step=6)
    writer.add(rows(7, 8))
    found = store.metrics_since(third)
    assert [m.step for m in found] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [m.seq for m in found] == sorted(m.seq for m in found)
    assert [m.step for m in store.metrics_since(third, found[4].seq, limit=2)] == [6, 7]
    assert [m.step for m in store.metrics_since(first)] == [1, 2, 3, 4, 5]


def test_a_hundred_thousand_rows_come_back_whole_and_in_order(store: Store) -> None:
    job, writer = claimed(store)
    writer.add(Batch(metrics=[(i, i / 1000, float(i), {"loss": 1.0, "learning_rate": 1e-4}) for i in range(100_000)]))
    assert [m.step for m in store.metrics_since(job)] == list(range(100_000))


def test_a_job_whose_supervisor_is_gone_is_told_as_lost_with_its_log(store: Store) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    record, _ = store.insert(SPEC)
    owner = Owner.of(dead.pid)
    assert JobWriter(store.home, record.id, owner).claim()
    store.place(record.id).folder.mkdir(parents=True)
    store.place(record.id).log.write_text("one\ntwo\n")
    assert store.job(record.id).state is JobState.PREPARING
    dead.kill()
    time.sleep(0.1)  # not waited for: a zombie does not count as alive
    lost = store.job(record.id)
    assert lost.state is JobState.LOST
    assert lost.failure is not None
    assert lost.failure.log_tail == "one\ntwo"
    assert [r.id for r, _ in store.abandoned()] == [record.id]
    assert store.jobs(active=True) == []
    dead.wait()
    assert store.job(record.id).state is JobState.LOST


def test_a_number_used_again_by_a_later_process_is_not_the_supervisor(store: Store) -> None:
    record, _ = store.insert(SPEC)
    me = Owner.of(os.getpid())
    assert JobWriter(store.home, record.id, Owner(me.host, me.pid, me.start + "0")).claim()
    assert store.job(record.id).state is JobState.LOST


def test_on_another_machine_only_the_heartbeat_tells(store: Store) -> None:
    record, _ = store.insert(SPEC)
    assert JobWriter(store.home, record.id, Owner("elsewhere", 1, "1")).claim()
    assert store.job(record.id).state is JobState.PREPARING
    with sqlite3.connect(store.home / "workbench.db") as db:
        db.execute("UPDATE jobs SET heartbeat_at = heartbeat_at - 21")
    assert store.job(record.id).state is JobState.LOST


def test_a_job_that_nobody_started_is_lost_after_half_a_minute(store: Store) -> None:
    record, _ = store.insert(SPEC)
    with sqlite3.connect(store.home / "workbench.db") as db:
        db.execute("UPDATE jobs SET created_at = created_at - 31")
    assert store.job(record.id).state is JobState.LOST


def test_a_database_of_a_newer_workbench_is_refused(store: Store) -> None:
    store.insert(SPEC)
    with sqlite3.connect(store.home / "workbench.db") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(SettingsError, match="newer workbench"):
        Store(store.home)


RACE = """
import json, sys, time
from pathlib import Path
from workbench.core.jobs import JobSpec
from workbench.store import Store
home, start = Path(sys.argv[1]), float(sys.argv[2])
time.sleep(max(0, start - time.time()))
found = []
for i in range(20):
    found.append(Store(home / str(i)).insert(JobSpec("deploy", "dummy", "m", {}, share_key="same"))[0].id)
print(json.dumps(found))
"""


def test_processes_that_share_a_key_at_the_same_moment_get_one_job(tmp_path: Path) -> None:
    start = str(time.time() + 2.0)
    racers = [subprocess.Popen([sys.executable, "-c", RACE, str(tmp_path), start], stdout=subprocess.PIPE, env=os.environ) for _ in range(3)]
    answers = [json.loads(r.communicate(timeout=60)[0]) for r in racers]
    assert answers[0] == answers[1] == answers[2]
    assert all(len(Store(tmp_path / str(i)).jobs()) == 1 for i in range(20))


def test_what_a_server_reported_for_weeks_is_thinned_out(store: Store) -> None:
    job_id, writer = claimed(store)
    now = 1_800_000_000.0
    times = [now - age for age in range(40 * 86400, 0, -300)] + [now - 60 + 2 * i for i in range(30)]
    writer.add(Batch(metrics=[(i, None, at, {"running": float(i)}) for i, at in enumerate(times)], end=1))
    removed = writer.thin_metrics(now)
    rows = store.metrics_since(job_id)
    assert removed == len(times) - len(rows)
    old = [r.time for r in rows if r.time < now - 86400]
    assert min(r.time for r in rows) >= now - 30 * 86400
    assert len({int(at // 600) for at in old}) == len(old) <= 29 * 144 + 1
    assert [r.time for r in rows][-30:] == times[-30:]
    assert writer.thin_metrics(now) == 0
