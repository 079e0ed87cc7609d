"""The trials of a grid at work: some at a time, each in a thread and on GPUs of its own, until all are through or somebody stops
them. Knows no module's insides and shows nothing.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from ...errors import WorkbenchError
from ...evals.identity import digest
from ...runtime.work import devices, jobs
from ...runtime.work.front_end import silent
from .trial_grid import Trial
from .trial_rows import TrialRow
from .trial_run import Run

Note = Callable[[TrialRow, Any], None]


class Work:
    """Trials that run.

    Parameters
    ----------
    trials : sequence of Trial
        Those that have something left to do.
    rows : Mapping
        What is known of each, by key.
    note : callable
        Told every change of a row, and what the trial's module has as its ``eval_result``; any thread calls.
    options : Mapping
        Of the evaluations.
    concurrency : int, optional
        Trials at a time; one for each GPU when not given.
    deploy : bool
        Whether to deploy although nothing is evaluated.
    """

    def __init__(
        self, trials: Sequence[Trial], rows: Mapping[str, TrialRow], note: Note, options: Mapping[str, Any], concurrency: int | None, deploy: bool
    ) -> None:
        self._rows, self._note, self._options, self._deploy = rows, note, options, deploy
        self._waiting: SimpleQueue[Trial] = SimpleQueue()
        for trial in trials:
            self._waiting.put(trial)
        self._left = {trial.key: _serving_key(trial) for trial in trials}
        self._stop, self._through = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._running: list[Run] = []
        self._deployed: dict[str, str] = {}
        self._began = time.time()
        places = shares(devices.visible(), concurrency)[: max(1, len(trials))]
        self._threads = [self._thread(place) for place in places]
        self._at_work = len(self._threads)

    def begin(self) -> None:
        """Start them; returns at once."""
        for thread in self._threads:
            thread.start()

    @property
    def over(self) -> bool:
        """Whether nothing runs any more."""
        return self._through.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until all are through, so long at most; whether they are."""
        return self._through.wait(seconds)  # joining the threads could take one for ended that an interrupt only woke us from

    def stop(self) -> None:
        """Begin no further trial and end evaluations; fine-tuning jobs go on. Returns at once."""
        self._stop.set()
        with self._lock:
            running = list(self._running)
        for run in running:
            run.interrupt()

    def _thread(self, place: str | None) -> threading.Thread:
        context = contextvars.copy_context()
        context.run(silent.set, True)
        if place is not None:
            context.run(devices.assigned.set, place)
        return threading.Thread(target=context.run, args=(self._work,), name="workbench-trial", daemon=True)

    def _work(self) -> None:
        try:
            self._trials()
        finally:
            with self._lock:
                self._at_work -= 1
                if not self._at_work:
                    self._through.set()

    def _trials(self) -> None:
        while not self._stop.is_set():
            try:
                trial = self._waiting.get_nowait()
            except Empty:
                return
            run = Run(trial.module, self._rows[trial.key], self._teller(trial), self._stop, self._options, self._deploy)
            with self._lock:
                self._running.append(run)
            row = run()
            with self._lock:
                self._running.remove(run)
                key = self._left.pop(trial.key)
                self._deployed.update(dict.fromkeys(run.deployments, key))
                unused = [job for job, serving in self._deployed.items() if serving not in self._left.values()]
            self._note(row, trial.module.eval_result)
            for job in unused:
                self._end(job)

    def _teller(self, trial: Trial) -> Callable[[TrialRow], None]:
        return lambda row: self._note(row, trial.module.eval_result)

    def _end(self, job_id: str) -> None:
        """End a deployment that the trials have made and none of them needs any more."""
        with self._lock:
            self._deployed.pop(job_id, None)
        with contextlib.suppress(WorkbenchError):
            if jobs.store().job(job_id).created_at >= self._began:
                jobs.stop(job_id, save=False)


def shares(gpus: Sequence[str], concurrency: int | None) -> list[str | None]:
    """Which GPUs each of the trials at a time may use; None is whatever there is.

    >>> shares(['0', '1', '2', '3'], 2)
    ['0,2', '1,3']
    """
    count = concurrency or max(1, len(gpus))
    if count == 1 or not gpus:
        return [None] * count
    return [",".join(gpus[i % len(gpus) :: count] or [gpus[i % len(gpus)]]) for i in range(count)]


def _serving_key(trial: Trial) -> str:
    """Equal for trials that would be served by one deployment: the same base models by the same methods."""
    models: list[Any] = [m for m in trial.module.modules() if hasattr(m, "base_model")]
    return digest([(m.base_model, getattr(m, "_methods", {}).get("deploy")) for m in models])


def waiting(row: TrialRow) -> TrialRow:
    """A row that is to be run (again)."""
    return replace(row, state="waiting", progress="")
