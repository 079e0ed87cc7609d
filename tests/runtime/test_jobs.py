"""A job's life under a real supervisor: what it goes through, and how it is reached."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.errors import JobError, JobFailed
from workbench.runtime.work import jobs
from workbench.runtime.work.job import Job

from ..support.job_helpers import alive, at_step, ended, states, steps, until

Submit = Callable[..., JobRecord]


def test_a_job_runs_to_its_end_and_keeps_every_step_and_the_result(submit: Submit) -> None:
    job = submit("train(0, 12)")
    done = ended(job.id)
    assert done.state is JobState.SUCCEEDED
    assert steps(job.id) == list(range(1, 13))
    assert states(job.id) == [JobState.PREPARING, JobState.RUNNING, JobState.SUCCEEDED]
    assert done.result == {"last": 12, "folder": str(jobs.store().place(job.id).folder)}
    assert (done.step, done.max_steps, done.exit_code, done.failure) == (12, 12, 0, None)


def test_progress_tells_how_far_and_how_long_still(submit: Submit) -> None:
    job = submit("train(0, 400)")
    at_step(job.id, 5)
    progress = jobs.store().job(job.id).progress
    assert (progress.total, progress.unit) == (400.0, "steps")
    assert progress.eta is not None
    assert progress.eta > 1


def test_stages_run_one_after_the_other_and_a_failed_one_is_the_last(submit: Submit) -> None:
    job = submit(stages={"first": "print('one')", "second": "print('two'); sys.exit(3)", "third": "print('three')"})
    done = ended(job.id)
    assert done.state is JobState.FAILED
    assert done.exit_code == 3
    assert done.failure is not None
    assert (done.failure.cause, done.failure.fix, done.failure.log_tail) == ("second ended with 3.", "Mend the script.", "two")
    assert jobs.log_tail(job.id) == "one\ntwo"


def test_a_trainer_that_is_killed_fails_with_signal_and_log(submit: Submit) -> None:
    job = submit("print('about to train', flush=True); train(0, 10_000)")
    at_step(job.id, 2)
    pid = jobs.store().job(job.id).pid
    assert pid
    os.kill(pid, 9)
    done = ended(job.id)
    assert (done.state, done.exit_code) == (JobState.FAILED, -9)
    with pytest.raises(JobFailed) as failed:
        Job(job.id).wait()
    assert failed.value.exit_code == -9
    assert "about to train" in str(failed.value)


def test_what_the_supervisor_itself_cannot_do_is_a_failure_not_a_loss(submit: Submit) -> None:
    done = ended(submit(backend="BrokenPlan").id)
    assert done.state is JobState.FAILED
    assert done.failure is not None
    assert "no plan today" in done.failure.cause
    done = ended(submit("emit('error', type='OSError', message='disk full'); sys.exit(1)", backend="BrokenExplain").id)
    assert done.failure is not None
    assert done.failure.cause == "OSError: disk full"
    done = ended(submit(backend="NotThere").id)
    assert done.failure is not None
    assert "NotThere" in done.failure.cause


def test_stop_saves_a_checkpoint_and_ends_the_job_without_its_later_stages(submit: Submit) -> None:
    job = submit(stages={"train": "train(0, 10_000)", "export": "open('exported', 'w')"})
    at_step(job.id, 3)
    jobs.stop(job.id)
    done = ended(job.id)
    assert done.state is JobState.CANCELLED
    assert states(job.id)[-2:] == [JobState.STOPPING, JobState.CANCELLED]
    [saved] = [e for e in jobs.store().events_since(job.id) if e.event == "checkpoint"]
    assert saved.data["step"] == steps(job.id)[-1]
    assert not (jobs.store().place(job.id).work / "exported").exists()


def test_stop_before_the_first_step_does_not_wait_for_it(submit: Submit) -> None:
    job = submit("time.sleep(600)")
    until(lambda: jobs.store().job(job.id).pid, "the stage")
    jobs.stop(job.id)
    assert ended(job.id).state is JobState.CANCELLED


def test_stop_while_preparing_ends_what_prepares(submit: Submit, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    job = submit(backend="SlowPlan", mark=str(mark))
    pid = until(lambda: mark.exists() and int(mark.read_text() or 0), "the plan")
    jobs.stop(job.id)
    assert ended(job.id).state is JobState.CANCELLED
    assert not alive(pid)


STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def fork_away():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            open(os.path.join(os.environ["OUTPUT"], "grandchild"), "w").write(str(os.getpid()))
            time.sleep(600)
        os._exit(0)
    os.wait()
fork_away()
child = subprocess.Popen(["sleep", "600"])
emit("begin", step=0, max_steps=1)
open(os.path.join(os.environ["OUTPUT"], "pids"), "w").write(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""


def pids_of(job_id: str) -> list[int]:
    folder = jobs.store().place(job_id).folder
    until(lambda: (folder / "pids").exists() and (folder / "grandchild").exists(), "the processes")
    until(lambda: (folder / "pids").read_text() and (folder / "grandchild").read_text(), "their numbers")
    return [int(p) for p in ((folder / "pids").read_text() + " " + (folder / "grandchild").read_text()).split()]


@pytest.mark.parametrize("save", [True, False])
def test_a_runner_that_ignores_everything_is_killed_with_its_grandchildren(submit: Submit, save: bool) -> None:
    job = submit(STUBBORN, grace=1.0 if save else 600.0)
    pids = pids_of(job.id)
    assert all(map(alive, pids))
    jobs.stop(job.id, save=save)
    assert ended(job.id).state is JobState.CANCELLED
    assert not any(map(alive, pids))


def test_children_that_a_finished_stage_left_are_ended(submit: Submit) -> None:
    job = submit(STUBBORN.replace('time.sleep(600)\n"""', "").rpartition("time.sleep(600)")[0])
    pids = pids_of(job.id)
    assert ended(job.id).state is JobState.SUCCEEDED
    assert not any(map(alive, pids))


def test_a_server_is_running_once_it_answers_and_its_own_end_is_a_failure(submit: Submit) -> None:
    script = "time.sleep(0.2); emit('ready', url='http://127.0.0.1:1/v1', model='m'); time.sleep(float(sys.argv[1:] and 0 or 600))"
    job = submit(script, kind="deploy", serves=True)
    record = jobs.wait(job.id, timeout=30, ready=True)
    assert record.state is JobState.RUNNING
    endpoint = Job(job.id).endpoint
    assert endpoint is not None
    assert (endpoint.url, endpoint.model, endpoint.job_id) == ("http://127.0.0.1:1/v1", "m", job.id)
    key = Path(endpoint.key_file)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text()) >= 32
    assert key.read_text() not in json.dumps([str(record), *map(str, Job(job.id).events())])
    os.kill(record.pid or 0, 9)
    assert ended(job.id).state is JobState.FAILED
    job = submit("emit('ready', url='http://127.0.0.1:1/v1', model='m')", kind="deploy", serves=True)
    assert ended(job.id).state is JobState.FAILED


def test_a_server_is_asked_to_end_and_then_ends(submit: Submit) -> None:
    job = submit("emit('ready', url='http://127.0.0.1:1/v1', model='m'); time.sleep(600)", kind="deploy", serves=True)
    jobs.wait(job.id, timeout=30, ready=True)
    jobs.stop(job.id)
    assert ended(job.id).state is JobState.CANCELLED


def test_save_pause_and_resume_reach_the_runner(submit: Submit) -> None:
    job = submit("emit('begin', step=0)\nwhile 'resume' not in commands(): time.sleep(0.02)\nemit('result', values={'heard': commands()})")
    until(lambda: jobs.store().job(job.id).state is JobState.RUNNING, "the runner")
    handle = Job(job.id)
    handle.save().pause()
    assert handle.resume() == handle
    assert ended(job.id).result["heard"] == ["save", "pause", "resume"]
    with pytest.raises(JobError, match="cannot save"):
        handle.save()


def test_stages_start_clean(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIRTUAL_ENV", "MPLBACKEND", "JPY_PARENT_PID", "JUPYTERHUB_API_TOKEN", "FORCE_COLOR"):
        monkeypatch.setenv(name, "kernel")
    monkeypatch.setenv("MY_OWN", "kept")
    monkeypatch.delenv("OMP_NUM_THREADS")
    job = submit("emit('result', values={'env': dict(os.environ), 'cwd': os.getcwd(), 'there': os.listdir()})")
    result = ended(job.id).result
    env = result["env"]
    assert not {"VIRTUAL_ENV", "MPLBACKEND", "JPY_PARENT_PID", "JUPYTERHUB_API_TOKEN", "FORCE_COLOR", "PYTHONPATH"} & set(env)
    assert (env["MY_OWN"], env["PYTHONUNBUFFERED"], env["WORKBENCH_JOB_ID"]) == ("kept", "1", job.id)
    assert 1 <= int(env["OMP_NUM_THREADS"]) <= (os.cpu_count() or 1)
    assert result["there"] == []
    assert Path(result["cwd"]) == jobs.store().place(job.id).work


def test_only_the_user_can_enter_a_jobs_folder(submit: Submit) -> None:
    job = submit("")
    ended(job.id)
    folder = jobs.store().place(job.id).folder
    assert all(stat.S_IMODE(f.stat().st_mode) & 0o077 == 0 for f in (folder, folder.parent, folder.parent.parent))


def test_files_are_there_before_the_job_starts(home: Path, submit: Submit) -> None:
    script = "emit('result', values={'read': open('../rows/data.jsonl').read()})"
    job = jobs.submit(JobSpec("finetune", "scripted_backends:Scripted", "files", {"script": script}), files={"rows/data.jsonl": "{}\n"})
    assert ended(job.id).result["read"] == "{}\n"


SUBMITTER = """
import sys, time
from workbench.core.jobs import JobSpec
from workbench.runtime.work import jobs
script = sys.stdin.read()
print(jobs.submit(JobSpec("finetune", "scripted_backends:Scripted", "outlives", {"script": script})).id, flush=True)
time.sleep(600)
"""


def test_a_job_goes_on_when_its_kernel_is_killed_and_a_new_reader_sees_every_step(submit: Submit) -> None:
    kernel = subprocess.Popen([sys.executable, "-c", SUBMITTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert kernel.stdin
    assert kernel.stdout
    kernel.stdin.write("train(0, 100)")
    kernel.stdin.close()
    job = kernel.stdout.readline().strip()
    at_step(job, 3)
    os.killpg(kernel.pid, 9)
    kernel.wait()
    assert ended(job).state is JobState.SUCCEEDED
    assert steps(job) == list(range(1, 101))


RACER = """
import sys, time
from workbench.core.jobs import JobSpec
from workbench.runtime.work import jobs
spec = JobSpec("deploy", "scripted_backends:Scripted", "shared", {"script": sys.argv[1], "serves": True}, share_key="one")
jobs.store()
time.sleep(max(0, float(sys.argv[2]) - time.time()))
print(jobs.submit(spec).id)
"""


def test_two_kernels_that_deploy_the_same_at_once_share_one_deployment(submit: Submit) -> None:
    import time

    start = str(time.time() + 2)
    command = [sys.executable, "-c", RACER, "emit('ready', url='http://127.0.0.1:1', model='m'); time.sleep(600)", start]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (r.communicate(timeout=60)[0].strip() for r in racers)
    assert first == second
    assert jobs.wait(first, timeout=30, ready=True).state is JobState.RUNNING
    assert len(jobs.store().jobs()) == 1


def test_a_failed_job_resumes_at_its_last_checkpoint_and_shows_each_step_once(submit: Submit, tmp_path: Path) -> None:
    output = tmp_path / "output"
    script = """
found = [int(d.rpartition("-")[2]) for d in (os.listdir(os.environ["OUTPUT"]) if os.path.isdir(os.environ["OUTPUT"]) else [])]
if found:
    train(max(found), 30)
else:
    train(0, 17, checkpoint_every=5)
    os.kill(os.getpid(), 9)
"""
    job = submit(script, output=str(output), resume_from="")
    assert ended(job.id).state is JobState.FAILED
    again = Job(job.id).resume().wait()
    assert again.state is JobState.SUCCEEDED
    assert again.parent == Job(job.id)
    assert steps(again.id) == list(range(1, 31))
    assert steps(job.id) == list(range(1, 18))
    assert list(again.metrics()["step"]) == list(range(1, 31))


def test_a_job_without_a_checkpoint_resumes_from_its_beginning(submit: Submit) -> None:
    job = submit("train(0, 5); sys.exit(1)", resume_from="")
    ended(job.id)
    again = Job(job.id).resume()
    ended(again.id)
    assert steps(again.id) == [1, 2, 3, 4, 5]


def test_a_job_at_work_cannot_be_resumed_as_another(submit: Submit) -> None:
    job = submit("train(0, 10_000)")
    with pytest.raises(JobError, match="cannot be resumed"):
        jobs.resume(job.id)


def test_every_line_is_kept_once_however_fast_they_come(submit: Submit) -> None:
    script = """
emit("begin", step=0, max_steps=50_000)
with open(os.environ["WORKBENCH_EVENTS"], "a") as f:
    for step in range(1, 50_001):
        f.write(json.dumps({"event": "metric", "time": step, "step": step, "values": {"loss": 1.5}}) + "\\n")
    f.write('{"event": "notice", "time": 1, "level": "info", "text": "no end of line"}')
"""
    job = submit(script)
    ended(job.id)
    assert steps(job.id) == list(range(1, 50_001))
    assert [e.data["text"] for e in jobs.store().events_since(job.id) if e.event == "notice"] == ["no end of line"]
