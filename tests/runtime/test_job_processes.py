"""Finding and ending the processes of a job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from workbench.launchers.local import LocalLauncher
from workbench.runtime.supervision import job_processes
from workbench.store.liveness import start_of

from ..support.job_helpers import alive, until

# A child that leads a session of its own and has forgotten the job's mark, and one that forked away twice.
SCRIPT = """
import os, subprocess, sys, time
clean = {k: v for k, v in os.environ.items() if k != "WORKBENCH_JOB_ID"}
forgetful = subprocess.Popen(["sleep", "600"], env=clean)
apart = subprocess.Popen(["sleep", "600"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("away", "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
os.wait()
open("pids", "w").write(f"{forgetful.pid} {apart.pid}")
time.sleep(600)
"""


def start(folder: Path, script: str, job_id: str) -> tuple[int, str]:
    env = {**os.environ, job_processes.MARK: job_id}
    launched = LocalLauncher().start([sys.executable, "-c", script], env=env, cwd=folder, log=folder / "log.txt")
    start = start_of(launched.pid)
    assert start
    return launched.pid, start


def test_every_process_of_a_job_is_ended_and_no_other(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "600"], env={**os.environ, job_processes.MARK: "other"})
    pid, begun = start(tmp_path, SCRIPT, "mine")
    read = lambda name: (tmp_path / name).read_text() if (tmp_path / name).exists() else ""  # noqa: E731
    pids = [pid, *(int(p) for p in until(lambda: read("pids") and read("away") and f"{read('pids')} {read('away')}", "all").split())]
    assert len(pids) == 4
    assert job_processes.end_job("mine", pid, begun) >= 4
    assert not any(map(alive, pids))
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_forgetful_process_is_found_through_its_session_after_its_parent_died(tmp_path: Path) -> None:
    pid, begun = start(tmp_path, "import os, subprocess\nsubprocess.Popen(['sleep', '600'], env={})\nopen('done', 'w')", "mine")
    until((tmp_path / "done").exists, "the child")
    until(lambda: not alive(pid), "the parent's end")
    [left] = job_processes.of_job("mine", pid, begun)
    job_processes.end_job("mine", pid, begun)
    assert not alive(left.pid)


def test_a_number_used_again_by_another_process_is_left_alone(tmp_path: Path) -> None:
    pid, begun = start(tmp_path, "import time; time.sleep(600)", "theirs")
    assert job_processes.of_job("mine", pid, begun + "0") == []
    job_processes.end_job("theirs", pid, begun)


def test_those_that_end_when_asked_are_not_killed(tmp_path: Path) -> None:
    script = "import signal, sys, time\nsignal.signal(15, lambda *_: (open('polite', 'w'), sys.exit()))\nopen('up', 'w')\ntime.sleep(600)"
    pid, begun = start(tmp_path, script, "mine")
    until((tmp_path / "up").exists, "the process")
    job_processes.end_job("mine", pid, begun, grace=10.0)
    assert (tmp_path / "polite").exists()
