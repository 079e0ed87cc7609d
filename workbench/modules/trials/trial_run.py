"""One trial, from its jobs to its scores: fine-tune what is to be fine-tuned, deploy, evaluate, and leave nothing running.

Goes on where an earlier attempt stopped: a job that still runs is waited for, one that has ended well is taken as it is. Does not
know the grid, nor who looks.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...core.jobs import JobState
from ...errors import JobNotFound, WorkbenchError
from ...runtime.work import jobs
from ...runtime.work.front_end import describe
from .. import life
from ..local import runs
from .trial_rows import TrialRow

if TYPE_CHECKING:
    from ..base import ModuleBase

_LOOK = 0.3  # seconds between two looks at a job
_AGAIN = (JobState.CANCELLED, JobState.LOST)


class Interrupted(Exception):
    """The grid was told to stop."""


class Run:
    """A trial that runs in a thread of its own.

    Parameters
    ----------
    module : ModuleBase
        The copy with the values in place.
    row : TrialRow
        What an earlier attempt came to.
    note : callable
        Told of every change of the row.
    stop : threading.Event
        Set when the grid is to end.
    options : Mapping
        Of the evaluation: ``scorers``, ``concurrency``.
    deploy : bool
        Whether to deploy although nothing is evaluated.
    """

    def __init__(
        self, module: ModuleBase, row: TrialRow, note: Callable[[TrialRow], None], stop: threading.Event, options: Mapping[str, Any], deploy: bool
    ) -> None:
        self.module, self.row, self._note, self._stop, self._options = module, row, note, stop, options
        self._modules = list(module.modules())
        self._asked = [m for m in self._modules if m._evalset is not None]
        self.deployments: list[str] = []
        self._serves = deploy or bool(self._asked)

    def __call__(self) -> TrialRow:
        """Run it; the row as it ended. What goes wrong is in the row."""
        began, before = time.monotonic(), self.row.seconds or 0.0
        self._say(error="", progress="")
        try:
            self._train()
            if self._serves:
                self._evaluate()
            self._say(state="finished")
        except Interrupted:
            self._say(state="interrupted")
        except Exception as e:
            stopped = self._stop.is_set() and not isinstance(e, WorkbenchError)
            self._say(state="interrupted" if stopped else "failed", error=_words(e))
        finally:
            self._say(seconds=before + time.monotonic() - began, progress="")
        return self.row

    def interrupt(self) -> None:
        """End an evaluation that is under way; jobs are left to go on."""
        for module in self._asked:
            if module._evaluation is not None:
                module._evaluation.stop()

    # ---- fine-tuning

    def _train(self) -> None:
        planned = [(m, spec) for m in self._modules if (spec := m._training()) is not None]
        self._look()
        life._tasks(self._modules, "_get_train_tasks")
        if not planned:
            return
        self._say(state="training")
        known = self.row.jobs if len(self.row.jobs) == len(planned) else ("",) * len(planned)
        begun = tuple(_going_on(module, job_id) or module._train(spec).id for (module, spec), job_id in zip(planned, known, strict=True))
        self._say(jobs=begun)
        self._follow(begun)
        trained = [m for m, _ in planned]
        self._say(metrics=_metrics(trained, begun))
        life.await_training(trained)
        models = [path for m in trained if (path := getattr(m, "finetuned_model_path", ""))]
        self._say(target=models[0] if models else "")

    def _follow(self, job_ids: Sequence[str]) -> None:
        while True:
            records = [jobs.wait(job_id, timeout=_LOOK) for job_id in job_ids]
            self._look()
            at_work = [r for r in records if r.state.active]
            if not at_work:
                return
            self._say(progress=describe(at_work[0].progress) or str(at_work[0].state))

    # ---- deploying and evaluating

    def _evaluate(self) -> None:
        try:
            self._look()
            self._say(state="starting", progress="")
            life.deploy(self._modules)
            self._look()
            if not self._asked:
                return
            self._say(state="evaluating")
            life.evaluate(self._modules, show=False, **self._options)
            self._look()
            scores, smaller = _scores(self._asked)
            self._say(scores=scores, smaller=smaller, error=_unanswered(self._asked))
        finally:
            self._release()

    def _release(self) -> None:
        """End the deployments of this trial's own models; one of a base model may have other users, and is ended with the grid."""
        for module in self._modules:
            with contextlib.suppress(WorkbenchError):
                if _shareable(module):
                    self.deployments.append(module._serving.job_id)  # type: ignore[attr-defined]
                else:
                    module._undeploy()

    # ---- telling

    def _say(self, **changes: Any) -> None:
        self.row = replace(self.row, **changes)
        self._note(self.row)

    def _look(self) -> None:
        if self._stop.is_set():
            raise Interrupted


def _shareable(module: Any) -> bool:
    """Whether a deployment of a module may be another's, too: that of a base model, told by its key."""
    serving = getattr(module, "_serving", None)
    return hasattr(module, "base_model") and serving is not None and bool(serving.job_id) and not getattr(module, "finetuned_model_path", "")


def take_over(module: ModuleBase, job_ids: Sequence[str]) -> None:
    """Give a copy the results of the trial that an earlier one of it went through."""
    trainable = [m for m in module.modules() if getattr(m, "_trainset", None) is not None and hasattr(m, "_adopt")]
    for one, job_id in zip(trainable, job_ids, strict=False):
        with contextlib.suppress(WorkbenchError):  # the job may be forgotten; its target still has the model
            if one.job is None and jobs.store().job(job_id).state is JobState.SUCCEEDED:  # type: ignore[attr-defined]
                one._adopt(job_id)
                one._await_training()


def _going_on(module: Any, job_id: str) -> str:
    """An earlier attempt's job: as it is while it runs or has succeeded, continued where it left checkpoints; "" to begin anew."""
    if not job_id or not hasattr(module, "_adopt"):
        return ""
    try:
        record = jobs.store().job(job_id)
        if record.state in _AGAIN and jobs.last_checkpoint(job_id) is not None:
            job_id = jobs.resume(job_id).id
        elif not record.state.active and record.state is not JobState.SUCCEEDED:
            return ""
        elif record.state is JobState.SUCCEEDED and (model := record.result.get("model")) and not runs.usable(runs.target_folder(str(model), "")):
            return ""  # somebody has deleted the model
    except JobNotFound:
        return ""
    module._adopt(job_id)
    return job_id


def _metrics(modules: Sequence[ModuleBase], job_ids: Sequence[str]) -> dict[str, float]:
    """The last ``loss`` and ``eval_loss`` of each job; of several modules under their names."""
    found: dict[str, float] = {}
    for module, job_id in zip(modules, job_ids, strict=True):
        last: dict[str, float] = {}
        for measured in jobs.all_metrics(job_id):
            last.update({k: v for k, v in measured.values.items() if k in ("loss", "eval_loss") and v is not None})
        found.update({k if len(modules) == 1 else f"{module.name}.{k}": v for k, v in last.items()})
    return found


def _scores(modules: Sequence[ModuleBase]) -> tuple[dict[str, float], tuple[str, ...]]:
    """What each evaluation came to, and of which of these values less is better."""
    scores: dict[str, float] = {}
    smaller: list[str] = []
    for module in modules:
        for summary in module._evaluation.summary():
            if (mean := summary.means[0]) is not None:
                name = summary.scorer if len(modules) == 1 else f"{module.name}.{summary.scorer}"
                scores[name] = mean
                smaller += [] if summary.higher_is_better else [name]
    return scores, tuple(smaller)


def _unanswered(modules: Sequence[ModuleBase]) -> str:
    """How many rows of the evaluations have no answer, and why the first has none; empty when all have one."""
    rows = [row for module in modules for row in module._evaluation.rows]
    failed = [row for row in rows if row.failed]
    if not failed:
        return ""
    return f"{len(failed)} of {len(rows)} rows without an answer: {next(o.error for o in failed[0].outputs if o.error)}"


def _words(error: Exception) -> str:
    if isinstance(error, WorkbenchError):
        return f"{error.what} {error.cause}".strip()
    return f"{type(error).__name__}: {error}"
