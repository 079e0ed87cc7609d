"""The handle of a job in a notebook. It holds only the id: everything else is read when asked for, so any number of
handles in any number of notebooks agree, and none keeps the job alive.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from ... import registry
from ...core.endpoints import Endpoint
from ...core.jobs import EventRow, Failure, JobRecord, JobState, Progress
from ...errors import JobFailed
from . import jobs as _jobs
from .front_end import front_end
from .job_list import JobList
from .metrics import as_frame, as_load_frame
from .words import detail, state_word

if TYPE_CHECKING:
    from pandas import DataFrame


class Log(str):
    """Lines of a log; in a notebook they show as they are."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        style = "white-space:pre-wrap;margin:0;font-size:12px;line-height:18px;font-family:var(--jp-code-font-family,monospace)"
        return f'<pre style="{style}">{escape(str(self))}</pre>'


class Job:
    """A job, running or not.

    Parameters
    ----------
    job_id : str
        Its id, the beginning of it, or a name (the newest job of that name).

    Raises
    ------
    JobNotFound
        When there is no such job.
    """

    def __init__(self, job_id: str) -> None:
        self._id = _jobs.store().job(job_id).id

    @property
    def id(self) -> str:
        """Its id: eight letters and digits."""
        return self._id

    @property
    def record(self) -> JobRecord:
        """Everything the store says about it now."""
        return _jobs.store().job(self._id)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.record.name

    @property
    def kind(self) -> str:
        """``finetune`` or ``deploy``."""
        return self.record.kind

    @property
    def state(self) -> JobState:
        """queued, preparing, running, stopping, succeeded, failed, cancelled or lost; equal to these strings."""
        return self.record.state

    @property
    def progress(self) -> Progress:
        """What it is doing and how far it is."""
        return self.record.progress

    @property
    def failure(self) -> Failure | None:
        """Why it ended badly: cause, fix, last log lines; None when it did not."""
        return self.record.failure

    @property
    def result(self) -> Mapping[str, Any]:
        """What it has made, such as ``{"model": path}``."""
        return self.record.result

    @property
    def endpoint(self) -> Endpoint | None:
        """Where a deployment answers; None before it does."""
        found = self.record.endpoint
        return Endpoint.from_json(found) if found else None

    @property
    def parent(self) -> Job | None:
        """The job that this one continues."""
        parent = self.record.spec.parent
        return Job(parent) if parent else None

    def monitor(self) -> Any:
        """The live monitor of this job, a widget."""
        return registry.get("view", "monitor")(self)

    def logs(self, n: int = 200) -> Log:
        """The last ``n`` lines of its log: a string that shows as lines."""
        return Log(_jobs.log_tail(self._id, n))

    def metrics(self) -> DataFrame:
        """What was measured, one row per step, those of the jobs that it continues included.

        Returns
        -------
        pandas.DataFrame
            Of a deployment: its load whenever that changed, as its engine told it; columns ``time`` (UTC), ``running`` and ``waiting`` requests,
            ``requests`` since the start, ``tokens_per_second``, ``prompt_tokens_per_second`` and ``cache_usage`` (0 to 1). What is older than
            an hour is thinned out to one row a minute, than a day to one in ten minutes, and forgotten after thirty days.
            Of a training: columns ``step``, ``epoch``, ``loss``, ``eval_loss``, ``learning_rate``, ``grad_norm``, whatever else the
            trainer reports, and ``time`` (UTC). Values that a step has not are NaN.
        """
        rows = _jobs.all_metrics(self._id)
        return as_load_frame(rows) if self.kind == "deploy" else as_frame(rows)

    def events(self) -> list[EventRow]:
        """What else happened: changes of state, checkpoints, notices, oldest first."""
        return _jobs.store().events_since(self._id)

    def stop(self, save: bool = True) -> Job:
        """Ask it to end and return at once; a trainer writes a checkpoint first unless ``save=False``."""
        _jobs.stop(self._id, save=save)
        return self

    def save(self) -> Job:
        """Ask a trainer to write a checkpoint after this step."""
        _jobs.command(self._id, "save")
        return self

    def pause(self) -> Job:
        """Ask a trainer to wait after this step; `resume` lets it go on."""
        _jobs.command(self._id, "pause")
        return self

    def resume(self) -> Job:
        """Let a paused job go on, or continue one that ended: a new job from the last checkpoint.

        Returns
        -------
        Job
            This job when it was paused, the new one when this one had ended.
        """
        if self.state.active:
            _jobs.command(self._id, "resume")
            return self
        return Job(_jobs.resume(self._id).id)

    def wait(self, timeout: float | None = None) -> Job:
        """Wait until it has ended.

        Raises
        ------
        JobFailed
            When it failed or was lost; the error holds exit code and last log lines.
        TimeoutError
            When ``timeout`` seconds were not enough.
        """
        record = _jobs.wait(self._id, timeout)
        if record.state.active:
            raise TimeoutError(f"The job {record.name!r} is still {record.state} after {timeout} seconds.")
        if record.state in (JobState.FAILED, JobState.LOST):
            raise failed(record)
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and other._id == self._id

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        record = self.record
        facts = filter(None, [f"{record.kind} {record.name!r}", state_word(record).lower(), detail(record)])
        return f"<Job {self._id} {', '.join(facts)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self)}
        if self.kind == "finetune" and front_end() == "notebook":
            try:
                shown = self.monitor()._repr_mimebundle_(include=include, exclude=exclude)
                bundle = {**(shown[0] if isinstance(shown, tuple) else shown), **bundle}
            except Exception as e:  # a view that cannot be drawn must not hide the job
                bundle["text/html"] = f"<pre>{escape(repr(self))}\n{escape(str(e))}</pre>"
        return bundle


def failed(record: JobRecord) -> JobFailed:
    """The error for a job that ended badly."""
    failure = record.failure or Failure("No cause was written down.")
    code = "" if record.exit_code is None else f" (exit code {record.exit_code})"
    return JobFailed(
        f"The job {record.name!r} ({record.id}) {'was lost' if record.state is JobState.LOST else record.state}{code}.",
        failure.cause,
        failure.fix,
        job_id=record.id,
        exit_code=record.exit_code,
        log_tail=failure.log_tail,
    )


def job(job_id: str) -> Job:
    """The job of that id, the beginning of one, or a name; a deployment as a `Deployment`."""
    return _handle(_jobs.store().job(job_id))


def _handle(record: JobRecord) -> Job:
    if record.kind != "deploy":
        return Job(record.id)
    from ..deployments.deployment import Deployment

    return Deployment(record.id)


def jobs(kind: str | None = None, active: bool | None = None, limit: int = 200) -> JobList:
    """The jobs of every notebook, newest first.

    Parameters
    ----------
    kind : str, optional
        Only ``finetune`` or ``deploy``.
    active : bool, optional
        Only those at work, or only those that ended.
    limit : int
        How many at most.
    """
    _jobs.sweep()
    return JobList(_handle(record) for record in _jobs.store().jobs(kind, active, limit))
