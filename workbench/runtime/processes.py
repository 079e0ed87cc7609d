"""Which processes belong together: a job's tree under its supervisor, a Jupyter kernel's tree; and how busy each is.

Knows nothing of GPUs.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import psutil

from ..core.jobs import JobRecord

_CONNECTION_FILE = re.compile(r"kernel-[0-9a-fA-F-]{8,}\.json$")
_SHORTEST = 0.2  # seconds; shares over less than this are noise, because the system counts in hundredths
_kernels: dict[tuple[int, float], str | None] = {}  # (pid, its start) → the notebook's name, None when it is no kernel


@dataclass(frozen=True, slots=True)
class ProcessTree:
    """A root process with all below it. ``memory`` counts file pages that its processes share once."""

    name: str
    what: str
    pid: int
    members: frozenset[int]
    memory: int
    cpu_seconds: float
    since: float
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Shares of the whole machine since the reading before: in total, by core, and by tree (its root's pid)."""

    total: float
    per_core: tuple[float, ...]
    of: dict[int, float]


def trees(jobs: Iterable[JobRecord]) -> list[ProcessTree]:
    """The trees of these jobs and of every Jupyter kernel that we may look at. A process is in one tree at most."""
    processes = {p.pid: p for p in psutil.process_iter()}
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        try:
            children.setdefault(process.ppid(), []).append(pid)
        except psutil.Error:
            continue
    taken: set[int] = set()
    found: list[ProcessTree] = []
    for job in jobs:
        # A home may be shared by machines: only a process that names the job is its supervisor here.
        root = job.supervisor_pid
        if root is not None and root in processes and job.id in _command(processes[root]):
            members = frozenset(_below(root, children, taken))
            taken |= members
            found.append(_tree(job.name or job.id, job.kind, root, members, processes, job.id))
    for pid, process in processes.items():
        name = None if pid in taken else _kernel_name(process)
        if name is not None:
            members = frozenset(_below(pid, children, taken))
            taken |= members
            found.append(_tree(name, "notebook", pid, members, processes))
    return found


def _below(root: int, children: dict[int, list[int]], taken: set[int]) -> Iterator[int]:
    stack = [root]
    while stack:
        pid = stack.pop()
        if pid not in taken:
            yield pid
            stack.extend(children.get(pid, ()))


def _tree(name: str, what: str, root: int, members: frozenset[int], processes: dict[int, psutil.Process], job_id: str = "") -> ProcessTree:
    private = shared = 0
    cpu = 0.0
    since = time.time()
    for pid in members:
        process = processes[pid]
        try:
            with process.oneshot():
                memory, times = process.memory_info(), process.cpu_times()
                since = process.create_time() if pid == root else since
        except psutil.Error:  # it ended while we looked, or belongs to somebody else
            continue
        pages = getattr(memory, "shared", 0)
        private += memory.rss - pages
        shared = max(shared, pages)
        cpu += times.user + times.system
    return ProcessTree(name, what, root, members, private + shared, cpu, since, job_id)


def _kernel_name(process: psutil.Process) -> str | None:
    try:
        key = (process.pid, process.create_time())
        if key not in _kernels:
            if len(_kernels) > 20_000:
                _kernels.clear()
            is_kernel = any(_CONNECTION_FILE.search(part) for part in _command(process))
            _kernels[key] = _notebook_of(process) if is_kernel else None
        return _kernels[key]
    except (psutil.Error, OSError):
        return None


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.Error, OSError):
        return []


def _notebook_of(process: psutil.Process) -> str:
    try:
        path = process.environ().get("JPY_SESSION_NAME", "")  # Jupyter Server puts the notebook's path here
    except (psutil.Error, OSError):
        path = ""
    return PurePath(path).name or f"kernel {process.pid}"


class Meter:
    """Turns growing counters into shares. Readings closer together than a fifth of a second give the earlier answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = 0.0
        self._cores: list[tuple[float, float]] = []
        self._trees: dict[tuple[int, float], float] = {}
        self._said = Usage(0.0, (), {})

    def read(self, found: list[ProcessTree]) -> Usage:
        """The shares since the last reading; the first one tells the load average and each tree's average since its start."""
        with self._lock:
            now = time.monotonic()
            elapsed = now - self._at
            if self._cores and elapsed < _SHORTEST:
                return self._said
            cores = [_busy(times) for times in psutil.cpu_times(percpu=True)]
            if len(cores) == len(self._cores):
                per_core = tuple(_share(b - b0, t - t0) for (b, t), (b0, t0) in zip(cores, self._cores, strict=True))
            else:
                per_core = (min(1.0, psutil.getloadavg()[0] / (len(cores) or 1)),) * len(cores)
            whole = elapsed * (len(cores) or 1)
            of = {}
            for tree in found:
                before = self._trees.get((tree.pid, tree.since))
                if before is None:
                    of[tree.pid] = _share(tree.cpu_seconds, (time.time() - tree.since) * (len(cores) or os.cpu_count() or 1))
                else:
                    of[tree.pid] = _share(tree.cpu_seconds - before, whole)
            self._at, self._cores = now, cores
            self._trees = {(t.pid, t.since): t.cpu_seconds for t in found}
            self._said = Usage(sum(per_core) / len(per_core) if per_core else 0.0, per_core, of)
            return self._said


def _busy(times: Any) -> tuple[float, float]:
    """Busy and whole seconds of one core; which counters there are differs by system."""
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)  # guest is in user already
    return total - times.idle - getattr(times, "iowait", 0.0), total


def _share(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0
