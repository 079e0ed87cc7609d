"""The machine, live: each GPU with who holds its memory, or the cores and memory where there is none, and our jobs on it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..core.jobs import JobRecord
from ..core.sizes import size
from ..errors import ArgumentError
from ..runtime.machine import Holder, Machine
from . import static
from .base import Widget
from .messages import say

if TYPE_CHECKING:
    from pandas import DataFrame

_HISTORY = 300.0  # seconds
_ALONE = 20.0  # seconds after which nobody seems to look
_COLOURS = ("#1976d2", "#8458c9", "#12908a", "#bd4f91", "#6f7b88")
_WHAT = {"finetune": "fine-tuning job", "deploy": "deployment", "notebook": "notebook", "outside": "outside the workbench", "system": ""}


class Gpu(Widget):
    """A live view of the machine.

    Parameters
    ----------
    interval : float, optional
        Seconds between two looks, while a page shows it.
    """

    bundle_name = "gpu"

    def __init__(self, *, interval: float = 1.5, **unknown: Any) -> None:
        if not unknown and not interval > 0:
            raise ArgumentError(f"An interval cannot be {interval!r} seconds.", "", "Leave it out, or give a number above 0.")
        self._interval = interval
        self._past: deque[dict[str, Any]] = deque(maxlen=max(2, round(_HISTORY / interval) if not unknown else 2))
        self._now: Machine | None = None
        self._jobs: dict[str, JobRecord] = {}
        self._heard = time.monotonic()
        self._thread: threading.Thread | None = None
        super().__init__(**unknown)
        self._look()

    @property
    def machine(self) -> Machine:
        """The last look."""
        assert self._now is not None
        return self._now

    # ---- looking

    def _look(self) -> dict[str, Any]:
        from ..runtime.machine import snapshot
        from ..runtime.work.jobs import store

        jobs = store().jobs(active=True)
        now = snapshot(jobs)
        with self._lock:
            self._now, self._jobs = now, {job.id: job for job in jobs}
            self._past.append(_sample(now))
            return {"machine": self._view(), "sample": self._past[-1]}

    def _loop(self) -> None:
        """Looks while a page says now and then that it shows this."""
        while not self._closing.wait(self._interval):
            if time.monotonic() - self._heard > _ALONE:
                break
            self.news(self._look())
        with self._lock:
            self._thread = None

    def _awake(self) -> None:
        self._heard = time.monotonic()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._loop, name="machine", daemon=True)
            self._thread.start()

    def _view(self) -> dict[str, Any]:
        """The machine with what can be done about each holder."""
        machine = self.machine.to_json()
        for holder in (*machine["holders"], *(h for gpu in machine["gpus"] for h in gpu["holders"])):
            job = self._jobs.get(holder["job_id"])
            holder["can_stop"] = job is not None and not job.cancel_requested
        return machine

    # ---- what a page asks for

    def _snapshot(self) -> Mapping[str, Any]:
        return {"machine": self._view() if self._now else None, "past": list(self._past), "interval": self._interval}

    def _hello(self, **have: Any) -> Any:
        self._awake()
        return self._snapshot()

    def _methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"awake": self._awake, "stop": self._stop}

    def _stop(self, job_id: str) -> None:
        from ..runtime.work import jobs

        jobs.stop(job_id)
        self.news(self._look())

    # ---- data and static forms

    def to_pandas(self) -> DataFrame:
        """Who holds what now, one row per holder and device.

        Returns
        -------
        pandas.DataFrame
            Columns ``device`` (``cpu`` or ``gpu 0``, …), ``name``, ``what``, ``memory`` (bytes), ``use`` (share), ``job_id``, ``pid``.
        """
        import pandas as pd

        def rows(device: str, holders: Iterable[Holder]) -> list[tuple[Any, ...]]:
            return [(device, h.name, h.what, h.memory, h.use, h.job_id, h.pid) for h in holders]

        machine = self.machine
        found = rows("cpu", machine.holders)
        for gpu in machine.gpus:
            found += rows(f"gpu {gpu.index}", gpu.holders)
        return pd.DataFrame(found, columns=["device", "name", "what", "memory", "use", "job_id", "pid"])

    def _static_html(self) -> str:
        machine = self._now
        if machine is None:
            return ""
        parts = []
        for gpu in machine.gpus:
            parts.append(f"<div style='margin-top:12px'><b>GPU {gpu.index}</b> {static.escape(gpu.name)} · {_share(gpu.use)}</div>")
            parts.append(_held(gpu.holders, gpu.memory_used, gpu.memory_total))
        if not machine.gpus:
            parts.append(_held(machine.holders, machine.memory_used, machine.memory_total))
        title = "GPUs" if machine.gpus else "CPU"
        facts = [
            f"{machine.cores} {say('Cores').lower()}",
            f"{say('Use')} {_share(machine.cpu_use)}",
            f"{say('Memory')} {size(machine.memory_total)}",
        ]
        return static.card(title, "", "idle", facts, *parts)

    def __repr__(self) -> str:
        machine = self._now
        if machine is None:
            return "<Gpu>"
        gpus = f"{len(machine.gpus)} GPUs" if machine.gpus else "no GPU"
        return f"<Machine: {gpus}, {machine.cores} cores at {_share(machine.cpu_use)}, {size(machine.memory_used)} of {size(machine.memory_total)}>"


def _sample(machine: Machine) -> dict[str, Any]:
    """What is remembered of a moment, for the lines."""
    return {
        "time": machine.time,
        "cpu": machine.cpu_use,
        "gpus": {
            str(g.index): {"use": g.use, "traffic": g.memory_traffic, "power": g.power, "temperature": g.temperature, "memory": g.memory_used}
            for g in machine.gpus
        },
    }


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _held(holders: Iterable[Holder], used: int, total: int) -> str:
    people = list(holders)
    bars = static.bar([(h.memory / total, _COLOURS[i % len(_COLOURS)]) for i, h in enumerate(people)])
    rows = [(static.escape(h.name), say(_WHAT.get(h.what, h.what)), size(h.memory), _share(h.use)) for h in people]
    heads = [say("Held by"), say("What"), say("Memory"), say("Use")]
    return f"<div style='margin-top:8px'>{say('Memory')} {size(used)} / {size(total)}</div>{bars}{static.table(heads, rows, (2, 3))}"
