"""Who looks after a job, and whether that process still lives. Does not know what it does.

A process is named by machine, number and time of start, because numbers are used again. The machine's name holds its
process namespace: two containers may share a home and a host name and yet not see each other's processes.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache

import psutil

HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 20.0
START_SECONDS = 30.0
_CLOCK_SLACK = 2.0  # the start time is counted from the boot time, which moves when the clock is set


@cache
def machine() -> str:
    """This machine's name, and its process namespace where there are such."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{platform.node()} {namespace}".strip()


def started_at(pid: int) -> float | None:
    """When the process of that number started, in seconds since the epoch; None when there is none or it is a zombie."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def lives(pid: int, started: float) -> bool:
    """Whether the process that had this number at that time is still there."""
    return started_at(pid) is not None and same_start(pid, started) is True


def same_start(pid: int, started: float) -> bool | None:
    """Whether the process of that number, a zombie included, started then; None when there is none."""
    try:
        return abs(psutil.Process(pid).create_time() - started) <= _CLOCK_SLACK
    except psutil.NoSuchProcess:
        return None


@dataclass(frozen=True, slots=True)
class Owner:
    """The supervisor of a job."""

    host: str
    pid: int
    started: float

    @staticmethod
    def this_process() -> Owner:
        pid = os.getpid()
        return Owner(machine(), pid, psutil.Process(pid).create_time())

    @property
    def near(self) -> bool:
        """Whether it ran where its process can be seen from here."""
        return self.host == machine()


def silent(owner: Owner | None, created_at: float, heartbeat_at: float | None, now: float) -> bool:
    """Whether nobody looks after an active job any more.

    Where the process can be seen, it alone decides: after a laptop slept, every heartbeat is old and every supervisor
    alive.
    """
    if owner is None:
        return now - created_at > START_SECONDS
    if owner.near:
        return not lives(owner.pid, owner.started)
    return now - (heartbeat_at or created_at) > SILENCE_SECONDS
