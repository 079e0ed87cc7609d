"""What is new about one job since the last look. Cheap enough to ask forty times a second; shows nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ...core.jobs import EventRow, JobRecord, JobState, MetricRow
from ...store.logs import LogFollower
from .jobs import store, sweep

_LIVENESS_SECONDS = 1.0
_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class JobUpdate:
    """What is new about a job.

    Attributes
    ----------
    record : JobRecord
        The job now.
    metrics, events : list
        The rows that came since the last update.
    log : str
        The log's new lines, readable.
    fresh : bool
        The rows begin anew: forget those of earlier updates. So in the first update, and when a resumed job turns out to
        continue at another step than its parent's last checkpoint.
    """

    record: JobRecord
    metrics: list[MetricRow]
    events: list[EventRow]
    log: str
    fresh: bool = False


class JobWatch:
    """Follows one job.

    Parameters
    ----------
    job_id : str
        The job.
    log_history : int
        How many bytes of the log that is already there the first update brings at most.
    """

    def __init__(self, job_id: str, log_history: int = 1 << 16) -> None:
        self.job_id = store().job(job_id).id
        self._log = LogFollower(store().place(self.job_id).log, log_history)
        self._version = self._log_size = -1
        self._looked = 0.0
        self._shown: tuple[object, ...] = ()
        self._parent_step: int | None = None
        self._metric = self._event = 0
        self._first = True
        self._state: JobState | None = None

    def poll(self) -> JobUpdate | None:
        """What is new, or None. At most 100,000 rows of each kind at a time; what is left comes with the next call."""
        version, size, now = store().data_version(), self._log.size, time.monotonic()
        # A supervisor's death is written nowhere, so now and then the job is looked at although nothing was written.
        if version == self._version and size == self._log_size and now - self._looked < _LIVENESS_SECONDS:
            return None
        record = store().job(self.job_id)  # before the rows: what it says has ended has all its rows there
        if record.state is JobState.LOST and record.state is not self._state:
            sweep()
            record = store().job(self.job_id)
        self._state = record.state
        fresh = self._first or record.parent_step != self._parent_step
        if fresh:
            self._parent_step, self._metric, self._event = record.parent_step, 0, 0
        shown = (record.revision, record.state)
        metrics, events = [], []
        if fresh or shown != self._shown:
            metrics = store().metrics_since(self.job_id, self._metric, _ROWS)
            events = store().events_since(self.job_id, self._event, _ROWS)
        log = self._log.read(final=not record.state.active)
        changed = fresh or shown != self._shown or bool(log)
        more = len(metrics) == _ROWS or len(events) == _ROWS
        self._version, self._log_size, self._looked = (-1 if more else version), size, now
        self._shown = () if more else shown
        self._first = False
        self._metric = metrics[-1].seq if metrics else self._metric
        self._event = events[-1].seq if events else self._event
        return JobUpdate(record, metrics, events, log, fresh) if changed else None
