"""The machine at one moment: cores, memory, disk, GPUs, and who holds them. Knows nothing of how it is shown.

Shares of the processor are of the whole machine (1.0 is every core busy) and taken over the time since the previous
snapshot in this process.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..core.jobs import JobRecord
from ..settings import settings
from . import nvml
from .processes import Meter, ProcessTree, trees


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds memory.

    Attributes
    ----------
    name : str
        What people see: the job's name, the notebook's, ``System``.
    what : str
        ``finetune``, ``deploy`` (our jobs), ``notebook`` (a Jupyter kernel), ``outside`` (a process on a GPU that is none
        of these) or ``system`` (all the rest).
    memory : int
        Bytes.
    use : float or None
        Share of the processor (on a GPU: of that GPU), 0 to 1.
    since : float or None
        When it began, seconds since the epoch.
    job_id, pid
        What to stop; empty and None where there is nothing.
    """

    name: str
    what: str
    memory: int
    use: float | None = None
    since: float | None = None
    job_id: str = ""
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. Bytes, watts, degrees Celsius, shares from 0 to 1; None where the driver does not say."""

    index: int
    name: str
    use: float | None
    memory_used: int
    memory_total: int
    memory_traffic: float | None = None
    power: float | None = None
    power_limit: float | None = None
    temperature: float | None = None
    temperature_limit: float | None = None
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """A snapshot: see the attributes' units in `Holder` and `Gpu`. ``load`` is the one-minute load average."""

    time: float
    cores: int
    cpu_use: float
    per_core: tuple[float, ...]
    load: float | None
    memory_used: int
    memory_total: int
    disk_free: int
    holders: tuple[Holder, ...]
    gpus: tuple[Gpu, ...]
    driver: str = ""
    cuda: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


_meter = Meter()


def snapshot(jobs: Iterable[JobRecord] | None = None) -> Machine:
    """Look at the machine, in a few tens of milliseconds.

    Parameters
    ----------
    jobs : iterable of JobRecord, optional
        The active jobs; read from the store of the current home when not given.

    Returns
    -------
    Machine
        Holders are sorted by memory, ``System`` last; a GPU's are the same people, by its own memory.
    """
    import psutil

    if jobs is None:
        jobs = _active_jobs()
    found = trees(jobs)
    usage = _meter.read(found)
    memory = psutil.virtual_memory()
    used = int(memory.total - memory.available)
    mine = sorted((_holder(tree, usage.of.get(tree.pid)) for tree in found), key=lambda h: -h.memory)
    rest = max(0, used - sum(h.memory for h in mine))
    free_use = max(0.0, usage.total - sum(h.use or 0.0 for h in mine))
    cards = nvml.read()
    return Machine(
        time=time.time(),
        cores=len(usage.per_core) or os.cpu_count() or 1,
        cpu_use=usage.total,
        per_core=usage.per_core,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        memory_used=used,
        memory_total=int(memory.total),
        disk_free=_disk_free(),
        holders=(*mine, Holder("System", "system", rest, free_use)),
        gpus=tuple(_gpu(card, found) for card in cards.gpus),
        driver=cards.driver,
        cuda=cards.cuda,
    )


def _active_jobs() -> list[JobRecord]:
    from .work.jobs import store

    return store().jobs(active=True)


def _disk_free() -> int:
    try:
        return shutil.disk_usage(settings().folder()).free
    except OSError:
        return 0


def _holder(tree: ProcessTree, use: float | None) -> Holder:
    return Holder(tree.name, tree.what, tree.memory, use, tree.since, tree.job_id, tree.pid)


def _gpu(card: nvml.Card, found: list[ProcessTree]) -> Gpu:
    memory: dict[int, int] = {}
    use: dict[int, float] = {}
    people: dict[int, ProcessTree | None] = {}
    for process in card.processes:
        tree = next((t for t in found if process.pid in t.members), None)
        key = tree.pid if tree else process.pid
        people[key] = tree
        memory[key] = memory.get(key, 0) + process.memory
        if process.use is not None:
            use[key] = min(1.0, use.get(key, 0.0) + process.use)
    holders = [
        Holder(tree.name, tree.what, memory[key], use.get(key), tree.since, tree.job_id, tree.pid)
        if tree
        else Holder(f"process {key}", "outside", memory[key], use.get(key), pid=key)
        for key, tree in people.items()
    ]
    return Gpu(
        card.index,
        card.name,
        card.use,
        card.memory_used,
        card.memory_total,
        card.memory_traffic,
        card.power,
        card.power_limit,
        card.temperature,
        card.temperature_limit,
        tuple(sorted(holders, key=lambda h: -h.memory)),
    )
