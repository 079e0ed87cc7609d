"""`TrialModule`: every combination of a module's options fine-tuned, deployed and evaluated, side by side in a table.

Trials are real jobs with a target each. What is done stays done: `update` after an interrupt, a failure or a restart of the kernel
runs only what is missing. Ties the parts together: `trial_grid` (which trials), `trial_work` (some at a time), `trial_run` (one of
them), `trial_rows` (what is kept), `trial_table` and `trial_show` (what is seen).
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.options import Option
from ...errors import ArgumentError, WorkbenchError, unknown_argument
from ...evals.identity import digest
from ...runtime.work.front_end import silent
from ..base import ModuleBase
from . import trial_grid, trial_run
from .trial_grid import Trial
from .trial_rows import TrialRow, TrialStore
from .trial_show import Shown
from .trial_table import TrialTable
from .trial_work import Work, waiting

_LOOK = 0.2
_LAST = 5.0  # seconds that trials have to notice an interrupt
_OPTIONS = ("concurrency", "scorers", "eval_concurrency", "show", "resume", "wait")


class TrialModule:
    """A grid search over the `Option` values of a module's methods and attributes.

    Parameters
    ----------
    m : ModuleBase
        The module, or a tree of them.
    name : str, optional
        What the grid is called, and where its results lie under ``<home>/trials``; the module's name when empty.
    best_by : str, optional
        The score or metric that tells the best trial, such as ``'exact'`` or ``'eval_loss'``; with a minus sign in front less is
        better, which losses and latencies need not be told. By default the first scorer, else ``eval_loss``, else ``loss``.

    Examples
    --------
    >>> m = (wb.TrainableModule('pocket', 'mine')
    ...        .finetune_method(wb.finetune.llamafactory, learning_rate=wb.Option(1e-3, 2e-3), max_steps=20)
    ...        .trainset(rows))
    >>> trials = wb.TrialModule(m.evalset(questions))
    >>> trials.update()
    >>> trials.best.start()
    """

    def __init__(self, m: ModuleBase, *, name: str = "", best_by: str = "") -> None:
        if not isinstance(m, ModuleBase):
            raise ArgumentError(f"A {type(m).__name__} has no trials.", "", "Give a module; wb.ActionModule(f) makes one of a function or flow.")
        self.m = m
        self.name = name or m.name
        self._best_by = best_by
        self._table: TrialTable | None = None
        self._modules: dict[str, ModuleBase] = {}
        self._work: Work | None = None

    # ---- what it is

    @property
    def options(self) -> dict[str, Option]:
        """The options, by the names that they have in the table."""
        return dict(trial_grid.names(self.m))

    @property
    def table(self) -> TrialTable:
        """The table of the last `update`; before one, of what earlier ones have left."""
        if self._table is None:
            self._table, _ = self._made()
        return self._table

    @property
    def best(self) -> ModuleBase:
        """The module with the best values, ready for ``start()``."""
        return self.table.best

    def __repr__(self) -> str:
        return f"<TrialModule {self.name} options={list(self.options)}>" if self._table is None else f"<TrialModule {self._table.summary()}>"

    # ---- running

    def update(
        self,
        *,
        concurrency: int | None = None,
        scorers: Any = None,
        eval_concurrency: int | None = None,
        show: bool = True,
        resume: bool = True,
        wait: bool = True,
        **unknown: Any,
    ) -> TrialTable:
        """Run every trial that has not finished: fine-tune, deploy, evaluate. One that fails does not end the others.

        Parameters
        ----------
        concurrency : int, optional
            Trials at a time; each gets its share of the GPUs. By default one for each GPU, and one without a GPU.
        scorers, eval_concurrency
            As ``scorers`` and ``concurrency`` of `workbench.evals.evaluate`.
        show : bool
            Show the table while it fills, or a progress line where there is no notebook.
        resume : bool
            False runs everything anew.
        wait : bool
            False returns at once, with a table that fills; `wait` waits for it, `stop` ends it.

        Returns
        -------
        TrialTable
            Best first. Interrupting raises KeyboardInterrupt; fine-tunings that run go on, and the next `update` waits for them and
            does the rest.

        Raises
        ------
        ArgumentError
            When there is no option, when a value is refused, or when these trials are running already.
        """
        if unknown:
            raise unknown_argument("update", next(iter(unknown)), _OPTIONS)
        if concurrency is not None and concurrency < 1:
            raise ArgumentError(f"concurrency={concurrency} is too small.", "It is how many trials run at a time.", "Write 1 or more.")
        if self._work is not None and not self._work.over:
            raise ArgumentError(f"The trials of {self.name} are running already.", "", "Call wait() or stop() first.")
        evaluated = self._questions(scorers)
        self._table, trials = self._made(evaluated, resume=resume)
        store, table = TrialStore(self.name), self._table

        def note(row: TrialRow, result: Any) -> None:
            row = replace(row, evaluated=evaluated if row.scores else "")
            table.replace(row)
            table.evals[row.key] = result
            store.write(replace(row, progress=""))

        left = [t for t in trials if table.row(t.key).state != "finished"]
        for trial in left:
            table.replace(waiting(table.row(trial.key)))
        options = {k: v for k, v in (("scorers", scorers), ("concurrency", eval_concurrency)) if v is not None}
        serves = any(name.startswith("deploy") for name, _ in trial_grid.paths(self.m))
        self._work = Work(left, {t.key: table.row(t.key) for t in left}, note, options, concurrency, serves)
        self._work.begin()
        if wait:
            return self._awaited(Shown(table) if show else None)
        return table

    def wait(self) -> TrialTable:
        """Wait for trials that were begun with ``update(wait=False)``, showing them."""
        return self._awaited(Shown(self.table)) if self._work is not None else self.table

    def stop(self, *, jobs: bool = False) -> None:
        """Begin no further trial and end evaluations that run.

        Parameters
        ----------
        jobs : bool
            Stop the fine-tunings that run, too, each with a checkpoint; without it they go on.
        """
        if self._work is not None:
            self._work.stop()
        for job in self._at_work() if jobs else ():
            job.stop()

    def _awaited(self, shown: Shown | None) -> TrialTable:
        assert self._work is not None
        assert self._table is not None
        try:
            while not self._work.wait(_LOOK):
                if shown is not None:
                    shown.draw()
        except KeyboardInterrupt:
            self._work.stop()
            self._work.wait(_LAST)
            self._say_left()
            raise
        finally:
            if shown is not None:
                shown.end()
        return self._table

    def _at_work(self) -> list[Any]:
        from ...runtime.work.job import Job

        found = []
        for row in self.table:
            for job_id in row.jobs:
                with contextlib.suppress(WorkbenchError):
                    job = Job(job_id)
                    found += [job] if job.state.active else []
        return found

    def _say_left(self) -> None:
        left = [job.id for job in self._at_work()]
        goes = f"{len(left)} fine-tuning{'s' * (len(left) != 1)} go{'es' * (len(left) == 1)} on ({', '.join(left)}). " if left else ""
        print(f"The trials were interrupted. {goes}update() goes on with what is missing; stop(jobs=True) ends what runs.", file=sys.stderr)

    # ---- its table

    def _questions(self, scorers: Any) -> str:
        """A digest of what the trials are asked and of who judges; empty when they are asked nothing."""
        sets = [m._evalset for m in self.m.modules() if m._evalset is not None]
        asked = [(Path(s.rows) if isinstance(s.rows, str) else s.rows, s.collect) for s in sets]
        tried = [m._wishes["evalset"] for m in self.m.modules() if "evalset" in m._wishes]
        return digest([asked, tried, scorers]) if asked else ""

    def _made(self, evaluated: str | None = None, *, resume: bool = True) -> tuple[TrialTable, list[Trial]]:
        """The trials and their table, with what earlier updates have left; what was asked something else is to be asked again."""
        trials = trial_grid.grid(self.m)
        store = TrialStore(self.name)
        rows = []
        for number, trial in enumerate(trials, 1):
            fresh = TrialRow(number, trial.key, trial.options, target=trial_grid.target(trial.module))
            before = store.read(trial.key) if resume else None
            if before is None:
                rows.append(fresh)
                continue
            row = replace(before, number=number, options=trial.options, progress="")
            if evaluated and row.state == "finished" and row.evaluated != evaluated:  # what was trained stays
                row = replace(row, state="waiting", scores={}, smaller=(), evaluated="")
            elif not row.over and row.state != "waiting":
                row = replace(row, state="interrupted")
            rows.append(row)
        self._modules = {t.key: t.module for t in trials}
        return TrialTable(self.name, rows, self._best_by, self._ready), trials

    def _ready(self, key: str) -> ModuleBase:
        """A trial's module with what its fine-tuning made."""
        module, row = self._modules[key], self.table.row(key)
        token = silent.set(True)
        try:
            trial_run.take_over(module, row.jobs)
        finally:
            silent.reset(token)
        return module
