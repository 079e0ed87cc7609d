"""A job as everybody sees it: its states, its record, its measured rows, and the events a runner reports.

Protocol of a runner (one JSON object a line, appended to the file named by ``WORKBENCH_EVENTS``; each has ``event`` and
``time``, seconds since the epoch):

    progress   phase, text, done, total, unit        what is going on, how far
    begin      step, max_steps, parameters, trainable, device
    metric     step, max_steps, epoch, values {loss, eval_loss, learning_rate, grad_norm, tokens_per_second, memory, …}
    checkpoint step, path
    ready      url, model                            a server answers
    notice     level (info | warning), text
    result     values {…}                            merged into the job's result
    error      type, message, traceback
    exit       code

and of its control file (``WORKBENCH_CONTROL``), one JSON object a line: ``{"command": "stop" | "save" | "pause" | "resume"}``, and to a
server ``{"command": "ttl", "seconds": …}``. A server that ends because nobody asked for so long reports a ``result`` with
``{"ended": "idle", "reason": …}`` first. ``WORKBENCH_PORT`` is where it answered before it was started again.

The supervisor's own events are ``state`` and, of a server, ``restart`` (attempt, of, delay, cause, exit_code, log_tail; or asked).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """The states of a job. A deployment is `preparing` until it answers, then `running`."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def active(self) -> bool:
        """Whether a supervisor should be at work."""
        return self in _ACTIVE


_ACTIVE = {JobState.QUEUED, JobState.PREPARING, JobState.RUNNING, JobState.STOPPING}
STOP_AND_SAVE, STOP_NOW = 1, 2  # values of ``cancel_requested``


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What a client asks for.

    Attributes
    ----------
    kind : str
        ``finetune`` or ``deploy``: the registry group of the backend.
    backend : str
        The backend's name in that group.
    name : str
        What people see.
    payload : Mapping
        The backend's own spec as JSON values (`FinetuneSpec.to_json`, `DeploySpec.to_json`).
    share_key : str
        Jobs with the same non-empty key are one while active: submitting a second gives the first.
    parent : str
        The job that this one resumes; its measured rows up to the checkpoint count as this one's.
    """

    kind: str
    backend: str
    name: str
    payload: Mapping[str, Any]
    share_key: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a job is doing. ``done`` of ``total`` in ``unit``; ``eta`` in seconds; any of them may be unknown."""

    phase: str = ""
    text: str = ""
    done: float | None = None
    total: float | None = None
    unit: str = ""
    eta: float | None = None

    @property
    def fraction(self) -> float | None:
        return min(1.0, self.done / self.total) if self.total and self.done is not None else None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ended badly: the cause, what to do, the last log lines."""

    cause: str
    fix: str = ""
    log_tail: str = ""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One row of the store. Times are seconds since the epoch. ``state`` already tells `lost` from silent.

    ``parent_step`` is the step up to which the measured rows of ``spec.parent`` count as this job's.
    """

    id: str
    spec: JobSpec
    state: JobState
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    heartbeat_at: float | None = None
    supervisor_pid: int | None = None
    pid: int | None = None
    exit_code: int | None = None
    cancel_requested: int = 0
    progress: Progress = Progress()
    failure: Failure | None = None
    endpoint: Mapping[str, Any] | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    step: int | None = None
    max_steps: int | None = None
    revision: int = 0
    parent_step: int | None = None

    @property
    def kind(self) -> str:
        return self.spec.kind

    @property
    def name(self) -> str:
        return self.spec.name


@dataclass(frozen=True, slots=True)
class MetricRow:
    """Measured values at one step; ``seq`` grows and is the cursor to read past."""

    seq: int
    step: int
    epoch: float | None
    time: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something else that happened: state changes, notices, checkpoints; ``seq`` is the cursor."""

    seq: int
    time: float
    event: str
    data: Mapping[str, Any]
