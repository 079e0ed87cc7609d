"""Finds and ends every process of a job. Does not know why it should end.

A process belongs to a job when it descends from the job's stage, is in the stage's session, or carries the job's id in the
environment that it was started with. The last finds those that forked twice to get away from the first two.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

import psutil

from ...store.liveness import start_of

MARK = "WORKBENCH_JOB_ID"
_KILL_SECONDS = 5.0
_GIVE_UP_SECONDS = 20.0


def of_job(job_id: str, pid: int | None = None, start: str | None = None) -> list[psutil.Process]:
    """The living processes of a job, this process never among them.

    Parameters
    ----------
    job_id : str
        The job.
    pid, start : int and str, optional
        The process that leads the session of the job's stage, and its start. A number that a later process uses is not
        followed.
    """
    leader = pid if pid is not None and start is not None and start_of(pid) in (start, None) else None
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        if _marked(process, job_id) or (leader is not None and _in_session(process, leader)):
            found[process.pid] = process
            with contextlib.suppress(psutil.Error):
                found.update((child.pid, child) for child in process.children(recursive=True))
    found.pop(os.getpid(), None)
    return [p for p in found.values() if _alive(p)]


def children() -> list[psutil.Process]:
    """The living descendants of this process."""
    return [p for p in psutil.Process().children(recursive=True) if _alive(p)]


def end(processes: Iterable[psutil.Process], grace: float = 0.0) -> None:
    """End these processes: ask, wait ``grace`` seconds, then kill. Without grace they are killed at once."""
    left = list(processes)
    if grace > 0 and left:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        left = _wait(left, grace)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait(left, _KILL_SECONDS)


def end_job(job_id: str, pid: int | None = None, start: str | None = None, grace: float = 0.0) -> int:
    """End every process of a job, also those that start meanwhile; how many there were."""
    ended: set[psutil.Process] = set()
    give_up = time.monotonic() + grace + _GIVE_UP_SECONDS
    while left := set(of_job(job_id, pid, start)) - ended:  # one that even a kill did not end is not waited for again
        end(left, grace)
        ended |= left
        grace = 0.0
        if time.monotonic() > give_up:  # they fork faster than they can be ended
            break
    return len(ended)


def _wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live after that time. Reaps none: the exit code of a child belongs to whoever started it."""
    end_at = time.monotonic() + seconds
    while (left := [p for p in processes if _alive(p)]) and time.monotonic() < end_at:
        time.sleep(0.01)
    return left


def _marked(process: psutil.Process, job_id: str) -> bool:
    try:
        return process.environ().get(MARK) == job_id
    except (psutil.Error, OSError):  # it ended meanwhile, or is not ours to look at
        return False


def _in_session(process: psutil.Process, leader: int) -> bool:
    try:
        return os.getsid(process.pid) == leader
    except OSError:
        return False


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
