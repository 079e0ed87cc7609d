"""`TrainsByJob`: what every module that is fine-tuned has in common: the job, its monitor, waiting for it, going on with it.

Knows jobs; what is trained, where, and what becomes of the result is its subclasses' matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...core.jobs import JobRecord, JobSpec, JobState
from ...errors import NotStarted
from .. import views
from ..base import ModuleBase
from .following import failed, follow
from .training import Tuning

if TYPE_CHECKING:
    from ...runtime.work.job import Job


class TrainsByJob(ModuleBase):
    """A module whose fine-tuning is a job; ``_tuning`` is shared by all its faces."""

    _tuning: Tuning

    @property
    def job(self) -> Job | None:
        """The last fine-tuning job; None before `update`."""
        if not self._tuning.job_id:
            return None
        from ...runtime.work.job import Job

        return Job(self._tuning.job_id)

    def monitor(self) -> Any:
        """The live monitor of the last fine-tuning."""
        return views.monitor(self._begun("Call update(), or wb.job(id).monitor() for another job."))

    def resume(self, *, wait: bool = True) -> Any:
        """Continue a fine-tuning that was stopped or failed at its last checkpoint; otherwise like `update`."""
        from ...runtime.work import jobs

        job = self._begun("Call update(), or wb.job(id).resume().")
        resumed = self._adopt(job.resume().id if job.state.active else jobs.resume(job.id, files=self._training_files()).id)
        if not wait:
            return resumed
        self._await_training()
        self._deploy()
        self._evaluate()
        return self

    def _begun(self, fix: str) -> Job:
        job = self.job
        if job is None:
            raise NotStarted(f"{self.name} has not been fine-tuned here.", "", fix)
        return job

    def _training_files(self) -> Mapping[str, str | bytes]:
        """Files for the job's folder."""
        return {}

    def _trained(self, record: JobRecord) -> None:
        """It has succeeded: take the result up."""
        raise NotImplementedError

    def _train(self, spec: JobSpec) -> Job:
        from ...runtime.work import jobs

        return self._adopt(jobs.submit(spec, files=self._training_files()).id)

    def _adopt(self, job_id: str) -> Job:
        from ...runtime.work.job import Job

        self._tuning.job_id, self._tuning.awaited = job_id, False
        return Job(job_id)

    def _await_training(self) -> None:
        if self._tuning.awaited:
            return
        with views.training(self) as show:
            record = follow(self._tuning.job_id, show.record)
            show.ended(f"{record.name}: {record.state}" + (f" · {record.step} steps" if record.step else ""))
        self._tuning.awaited = True
        if record.state is not JobState.SUCCEEDED:
            fix = "resume() continues at the last checkpoint." if record.step else f"Look at wb.job({record.id!r}).logs()."
            raise failed(record, f"The fine-tuning {record.name} did not finish ({record.state}).", fix)
        self._trained(record)
