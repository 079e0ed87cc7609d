"""The one writer of a job's row: its supervisor, or in a dead supervisor's name the one who clears up after it.

Every write says whose job it is; when that is no longer true, nothing is written and the writer is told. So a job has at
most one writer, whatever was killed, suspended or started twice.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.jobs import JobRecord, JobState
from . import rows, schema
from .liveness import Owner

_ACTIVE = ", ".join(f"'{s}'" for s in JobState if s.active)
THINNED = ((3600.0, 60.0), (86400.0, 600.0), (30 * 86400.0, 0.0))
"""What is kept of a server's rows: older than an hour, the last of each minute; than a day, of each ten minutes; than thirty days, none."""
_BUSY_SECONDS = 4.0  # shorter than a reader's: meanwhile a supervisor does nothing else


class OwnershipLost(Exception):
    """The job is no longer this writer's: it ended, or another took it over."""


@dataclass(slots=True)
class Batch:
    """What one reading of a runner's events brings.

    Attributes
    ----------
    metrics : list of (step, epoch, time, values)
    events : list of (time, event, data)
    changes : dict
        Columns of the job's row to set.
    begin, end : int
        How many bytes of the runner's file were read before this batch, and are after it.
    """

    metrics: list[tuple[int, float | None, float, Mapping[str, float]]] = field(default_factory=list)
    events: list[tuple[float, str, Mapping[str, Any]]] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    begin: int = 0
    end: int = 0


class JobWriter:
    """Writes one job's row, metrics and events.

    Parameters
    ----------
    home : Path
        The home the job belongs to.
    job_id : str
        The job.
    owner : Owner or None
        In whose name; None for a job that nobody has claimed.
    """

    def __init__(self, home: Path, job_id: str, owner: Owner | None) -> None:
        self.job_id, self.owner = job_id, owner
        self._connection = schema.connect(home, _BUSY_SECONDS)
        self._seen_version = -1
        self._cancel = 0

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def record(self) -> JobRecord:
        """The row as it is."""
        return rows.as_record(self._connection.execute("SELECT * FROM jobs WHERE id = ?", (self.job_id,)).fetchone())

    def claim(self) -> bool:
        """Become the supervisor of a queued job; False when somebody else did or it is no longer queued."""
        assert self.owner is not None
        now = time.time()
        with schema.transaction(self._connection):
            done = self._connection.execute(
                "UPDATE jobs SET host = ?, supervisor_pid = ?, supervisor_start = ?, heartbeat_at = ?, started_at = ?, state = ?,"
                " revision = revision + 1 WHERE id = ? AND state = ? AND supervisor_pid IS NULL",
                (self.owner.host, self.owner.pid, self.owner.start, now, now, str(JobState.PREPARING), self.job_id, str(JobState.QUEUED)),
            ).rowcount
            if done:
                self._add_events([(now, "state", {"state": str(JobState.PREPARING)})])
        return bool(done)

    def beat(self) -> None:
        """Say that the supervisor lives. Not a change that a reader has to look at."""
        self._guarded("heartbeat_at = ?", [time.time()])

    def cancel_requested(self) -> int:
        """How a client asked the job to end, 0 when none did; asking often is cheap."""
        version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        if version != self._seen_version:
            self._seen_version = version
            row = self._connection.execute("SELECT cancel_requested FROM jobs WHERE id = ?", (self.job_id,)).fetchone()
            self._cancel = int(row[0]) if row else 0
        return self._cancel

    def update(self, **changes: Any) -> None:
        """Set columns of the row, named as in `JobRecord`. A new state is also an event."""
        with schema.transaction(self._connection):
            self._change(changes)

    def add(self, batch: Batch) -> None:
        """Write a batch and how far its file is read, at once: each line counts exactly once, whoever dies in between."""
        with schema.transaction(self._connection):
            number = self._number()
            self._connection.executemany(
                "INSERT INTO metrics (job, step, epoch, time, data) VALUES (?, ?, ?, ?, ?)",
                [(number, step, epoch, at, rows.to_text(values)) for step, epoch, at, values in batch.metrics],
            )
            self._add_events(batch.events)
            self._change({**batch.changes, "events_read": batch.end}, events_read=batch.begin)

    def events_read(self) -> int:
        """How many bytes of the runner's file are written here."""
        return int(self._connection.execute("SELECT events_read FROM jobs WHERE id = ?", (self.job_id,)).fetchone()[0])

    def add_event(self, event: str, data: Mapping[str, Any]) -> None:
        """Write an event of the supervisor's own."""
        with schema.transaction(self._connection):
            self._change({})
            self._add_events([(time.time(), event, data)])

    def thin_metrics(self, now: float | None = None) -> int:
        """Thin out what a server has reported, as `THINNED` says, and return how many rows that removed.

        A deployment may live for weeks and report every two seconds; what is left are some seven thousand rows at most.
        """
        at, number, removed = time.time() if now is None else now, self._number(), 0
        with schema.transaction(self._connection):
            for age, step in THINNED:
                last = "SELECT max(seq) FROM metrics WHERE job = ? AND time < ? GROUP BY CAST(time / ? AS INTEGER)"
                kept, values = (f" AND seq NOT IN ({last})", (number, at - age, step)) if step else ("", ())
                removed += self._connection.execute(f"DELETE FROM metrics WHERE job = ? AND time < ?{kept}", (number, at - age, *values)).rowcount
        return removed

    def finish(self, state: JobState, **changes: Any) -> None:
        """Set a state in which the job stays."""
        self.update(state=state, **{"ended_at": time.time(), **changes})

    def _change(self, changes: Mapping[str, Any], events_read: int | None = None) -> None:
        names = "".join(f"{name} = ?, " for name in changes)
        self._guarded(names + "revision = revision + 1", [rows.as_column(v) for v in changes.values()], events_read)
        if "state" in changes:
            self._add_events([(time.time(), "state", {"state": str(changes["state"])})])

    def _guarded(self, assignments: str, values: Sequence[object], events_read: int | None = None) -> None:
        owner = (self.owner.host, self.owner.pid, self.owner.start) if self.owner else (None, None, None)
        done = self._connection.execute(
            f"UPDATE jobs SET {assignments} WHERE id = ? AND host IS ? AND supervisor_pid IS ? AND supervisor_start IS ?"
            f" AND state IN ({_ACTIVE}) AND events_read = coalesce(?, events_read)",
            (*values, self.job_id, *owner, events_read),
        ).rowcount
        if not done:
            raise OwnershipLost(self.job_id)

    def _add_events(self, events: Iterable[tuple[float, str, Mapping[str, Any]]]) -> None:
        number = self._number()
        self._connection.executemany(
            "INSERT INTO events (job, time, event, data) VALUES (?, ?, ?, ?)", [(number, at, event, rows.to_text(data)) for at, event, data in events]
        )

    def _number(self) -> int:
        row: sqlite3.Row = self._connection.execute("SELECT number FROM jobs WHERE id = ?", (self.job_id,)).fetchone()
        return int(row[0])
