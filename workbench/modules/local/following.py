"""Following a job from the kernel until it is ready or has ended. Knows jobs and what the user looks at; starts nothing."""

from __future__ import annotations

from collections.abc import Callable

from ...core.jobs import JobRecord, JobState
from ...errors import JobFailed
from ...runtime.work import jobs

_PAUSE = 0.2


def follow(job_id: str, on_change: Callable[[JobRecord], None], *, ready: bool = False) -> JobRecord:
    """Wait for a job, telling its record several times a second.

    Parameters
    ----------
    ready : bool
        Return as soon as it is running, not only when it has ended.
    """
    while True:
        record = jobs.wait(job_id, timeout=_PAUSE, ready=ready)
        on_change(record)
        if not record.state.active or (ready and record.state is JobState.RUNNING):
            return record


def failed(record: JobRecord, what: str, fix: str = "") -> JobFailed:
    """The error for a job that ended without success: its cause, what to do, its last lines."""
    failure = record.failure
    cause = failure.cause if failure else {JobState.CANCELLED: "It was stopped.", JobState.LOST: "Its supervisor is gone."}.get(record.state, "")
    own = failure.fix if failure else ""
    tail = failure.log_tail if failure else ""
    return JobFailed(what, cause, own or fix, job_id=record.id, exit_code=record.exit_code, log_tail=tail)
