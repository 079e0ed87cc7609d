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

from ..store.liveness import start_of

MARK = "WORKBENCH_JOB_ID"
_ROUNDS = 20
_KILL_SECONDS = 5.0


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
    me, user = os.getpid(), os.getuid()
    leader = pid if pid is not None and start is not None and start_of(pid) in (start, None) else None
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.pid == me or process.uids().real != user:
                continue
            if (leader is not None and os.getsid(process.pid) == leader) or process.environ().get(MARK) == job_id:
                found[process.pid] = process
                found.update((child.pid, child) for child in process.children(recursive=True))
        except (psutil.Error, OSError):  # it ended meanwhile, or is not ours to look at
            continue
    found.pop(me, None)
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
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        left = of_job(job_id, pid, start)
        if not left:
            break
        ended.update(p.pid for p in left)
        end(left, grace)
        grace = 0.0
        time.sleep(0.005)
    return len(ended)


def _wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live after that time. Reaps none: the exit code of a child belongs to whoever started it."""
    end_at = time.monotonic() + seconds
    while (left := [p for p in processes if _alive(p)]) and time.monotonic() < end_at:
        time.sleep(0.01)
    return left


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
