"""Who looks after a job, and whether that process still lives. Does not know what it does.

A process is named by machine, number and start, because numbers are used again. The machine's name is that of its boot
and of its process namespace: two containers may share a home and a host name and yet not see each other's processes, and a
laptop may change its host name with the network. The start is counted from the boot where the system tells it so (Linux),
because clocks are set; elsewhere it is the time the system noted.
"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 20.0
START_SECONDS = 30.0
FORGOTTEN_SECONDS = 600.0
_PROC = Path("/proc/self")


@cache
def machine() -> str:
    """What tells the processes that can be seen from here from those of other machines, containers and boots."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{_boot() or platform.node()} {namespace}".strip()


def start_of(pid: int) -> str | None:
    """What tells the process of that number, a zombie included, from others that had or will have it; None without one."""
    try:
        return _ticks(pid) if _PROC.exists() else repr(psutil.Process(pid).create_time())
    except (OSError, psutil.NoSuchProcess):
        return None


def _ticks(pid: int) -> str:
    """When it started, in clock ticks after the boot: the 22nd field (proc_pid_stat(5)); the second may hold spaces."""
    return (_PROC.parent / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[19]


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        pass
    try:
        return subprocess.run(["sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def lives(pid: int, start: str) -> bool:
    """Whether the process that had this number and start is still there and no zombie."""
    try:
        return start_of(pid) == start and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True, slots=True)
class Owner:
    """The supervisor of a job."""

    host: str
    pid: int
    start: str

    @staticmethod
    def of(pid: int) -> Owner:
        """The process of that number on this machine, which must be there."""
        start = start_of(pid)
        if start is None:
            raise ProcessLookupError(pid)
        return Owner(machine(), pid, start)

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
        return not lives(owner.pid, owner.start)
    return now - (heartbeat_at or created_at) > SILENCE_SECONDS
