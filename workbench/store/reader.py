"""What any process may do with the jobs of a home: look, add one, ask one to end. Never changes a job's row otherwise.

`lost` is told here: an active job whose supervisor is gone. It becomes part of the row when `workbench.runtime.supervision.sweep`
has ended what was left behind.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from ..core.jobs import EventRow, JobRecord, JobSpec, JobState, MetricRow
from ..core.protocols import JobPlace
from ..errors import JobNotFound, nearest
from . import rows, schema
from .liveness import Owner, silent
from .logs import tail

_LETTERS, _SIGNS = "abcdefghjkmnpqrstuvwxyz", "23456789abcdefghjkmnpqrstuvwxyz"  # none that look alike
_ACTIVE = tuple(str(s) for s in JobState if s.active)
_IN_ACTIVE = f"state IN ({', '.join('?' * len(_ACTIVE))})"


def _identity(home: Path) -> tuple[int, int] | None:
    try:
        found = (home / schema.DATABASE).stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _default_home() -> Path:
    from ..settings import settings  # a supervisor is told its home and starts twice as fast without pydantic

    return settings().folder()


class Store:
    """The jobs of one home. May be used from many threads.

    Parameters
    ----------
    home : Path, optional
        The folder; the setting ``home`` when not given.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = Path(home).expanduser().absolute() if home else _default_home()
        self._lock = threading.RLock()
        self._connection = schema.connect(self.home)
        self._file = _identity(self.home)

    @property
    def current(self) -> bool:
        """Whether the database that this reads is still the one in the home; a home can be deleted and made again."""
        return _identity(self.home) == self._file

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def place(self, job_id: str) -> JobPlace:
        """Where the job of that id has its files."""
        return JobPlace(job_id, self.home / "jobs" / job_id)

    def data_version(self) -> int:
        """A number that grows whenever anybody has written anything; asking costs microseconds."""
        with self._lock:
            # SQLite counts the commits of others; those of our own connection are counted apart.
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0]) + self._connection.total_changes

    def insert(self, spec: JobSpec, *, parent_step: int | None = None) -> tuple[JobRecord, bool]:
        """Add a queued job, or find the living one with the same ``share_key``.

        Parameters
        ----------
        spec : JobSpec
            What to do.
        parent_step : int, optional
            The step of the parent's checkpoint that this job continues from.

        Returns
        -------
        tuple of JobRecord and bool
            The job, and whether it is new. A job that is about to end is not shared.
        """
        with self._lock, schema.transaction(self._connection):
            if spec.share_key:
                for row in self._rows(f"share_key = ? AND {_IN_ACTIVE} ORDER BY number DESC", (spec.share_key, *_ACTIVE)):
                    record = self._told(row)
                    if record.state.active and record.state is not JobState.STOPPING and not record.cancel_requested:
                        return record, False
            columns = {
                **rows.spec_columns(spec),
                "id": secrets.choice(_LETTERS) + "".join(secrets.choice(_SIGNS) for _ in range(7)),
                "state": str(JobState.QUEUED),
                "created_at": time.time(),
                "parent_step": parent_step,
            }
            names = ", ".join(columns)
            self._connection.execute(f"INSERT INTO jobs ({names}) VALUES ({', '.join('?' * len(columns))})", tuple(columns.values()))
            [row] = self._rows("id = ?", (columns["id"],))
            return rows.as_record(row), True

    def request_cancel(self, job_id: str, level: int) -> None:
        """Ask a job to end: ``STOP_AND_SAVE`` or ``STOP_NOW``. A request is never weakened."""
        with self._lock:
            self._connection.execute(
                f"UPDATE jobs SET cancel_requested = ?, revision = revision + 1 WHERE id = ? AND cancel_requested < ? AND {_IN_ACTIVE}",
                (level, job_id, level, *_ACTIVE),
            )

    def job(self, name: str) -> JobRecord:
        """The job of that id, of the only id that begins so, or the newest of that name.

        Raises
        ------
        JobNotFound
            When there is none, or several ids begin so.
        """
        with self._lock:
            found = self._rows("id = ?", (name,)) or self._rows("name = ? ORDER BY number DESC LIMIT 1", (name,))
            if not found and len(name) >= 2:
                found = self._rows("substr(id, 1, ?) = ? LIMIT 2", (len(name), name))
            if len(found) == 1:
                return self._told(found[0])
            known = [r[0] for r in self._connection.execute("SELECT name FROM jobs UNION SELECT id FROM jobs")]
        if found:
            raise JobNotFound(f"Several jobs begin with {name!r}.", "", "Write more letters of the id.", job_id=name)
        near = nearest(name, known)
        raise JobNotFound(
            f"There is no job {name!r} in {self.home}.",
            f"{near!r} is the nearest name." if near else "",
            "wb.jobs() lists them all; in a terminal, workbench ps --all.",
            job_id=name,
        )

    def jobs(self, kind: str | None = None, active: bool | None = None, limit: int = 200) -> list[JobRecord]:
        """Jobs, newest first; of one kind, or only those that are (not) at work, where asked."""
        where, values = ("kind = ?", (kind,)) if kind else ("1", ())
        if active:
            where, values = f"{where} AND {_IN_ACTIVE}", (*values, *_ACTIVE)
        found: list[JobRecord] = []
        with self._lock:
            for row in self._select(f"{where} ORDER BY number DESC", values):
                record = self._told(row)
                if active is None or record.state.active == active:
                    found.append(record)
                if len(found) >= limit:
                    break
        return found

    def abandoned(self) -> list[tuple[JobRecord, Owner | None]]:
        """The jobs that are lost and whose remains nobody has cleared away, with who looked after them."""
        with self._lock:
            found = [(self._told(row), rows.as_owner(row)) for row in self._rows(_IN_ACTIVE, _ACTIVE)]
        return [(record, owner) for record, owner in found if record.state is JobState.LOST]

    def stage_start(self, job_id: str) -> str | None:
        """The start of the process ``pid`` of a job, which tells it from a later one of the same number."""
        with self._lock:
            row = self._connection.execute("SELECT pid_start FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else row[0]

    def metrics_since(self, job_id: str, seq: int = 0, limit: int = 100_000) -> list[MetricRow]:
        """Measured rows after a cursor, oldest first. A resumed job's begin with its parents' up to the checkpoint's step."""
        with self._lock:
            found: list[tuple[int, int, float | None, float, str]] = []
            cursor = self._connection.cursor()
            cursor.row_factory = None  # plain tuples: there may be a hundred thousand
            for number, last in self._lineage(job_id):
                bound, values = ("", ()) if last is None else ("AND step <= ?", (last,))
                query = f"SELECT seq, step, epoch, time, data FROM metrics WHERE job = ? AND seq > ? {bound} ORDER BY seq LIMIT ?"
                found += cursor.execute(query, (number, seq, *values, limit - len(found))).fetchall()
                if len(found) >= limit:
                    break
        return rows.as_metrics(found)

    def events_since(self, job_id: str, seq: int = 0, limit: int = 100_000) -> list[EventRow]:
        """The job's own events after a cursor, oldest first."""
        query = "SELECT e.* FROM events e JOIN jobs j ON j.number = e.job WHERE j.id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?"
        with self._lock:
            return rows.as_events(self._connection.execute(query, (job_id, seq, limit)).fetchall())

    def last_metric(self, job_id: str) -> MetricRow | None:
        """The job's own newest measured row; None before the first."""
        query = (
            "SELECT m.seq, m.step, m.epoch, m.time, m.data FROM metrics m JOIN jobs j ON j.number = m.job WHERE j.id = ? ORDER BY m.seq DESC LIMIT 1"
        )
        with self._lock:
            found = rows.as_metrics([tuple(r) for r in self._connection.execute(query, (job_id,))])
        return found[0] if found else None

    def tally(self, job_id: str, event: str) -> tuple[int, float | None]:
        """How often an event of a job's own happened, and when last (seconds since the epoch)."""
        query = "SELECT count(*), max(e.time) FROM events e JOIN jobs j ON j.number = e.job WHERE j.id = ? AND e.event = ?"
        with self._lock:
            count, last = self._connection.execute(query, (job_id, event)).fetchone()
        return int(count), last

    def last_event(self, job_id: str, event: str) -> EventRow | None:
        """The newest event of that name of a job's own; None when it never happened."""
        query = "SELECT e.* FROM events e JOIN jobs j ON j.number = e.job WHERE j.id = ? AND e.event = ? ORDER BY e.seq DESC LIMIT 1"
        with self._lock:
            found = rows.as_events(self._connection.execute(query, (job_id, event)))
        return found[0] if found else None

    def _lineage(self, job_id: str) -> list[tuple[int, int | None]]:
        """The job's forebears, oldest first, and itself: each one's number, and the last step that counts."""
        line: list[tuple[int, int | None]] = []
        last: int | None = None
        seen: set[str] = set()
        while job_id and job_id not in seen:
            seen.add(job_id)
            row = self._connection.execute("SELECT number, parent, parent_step FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                break
            line.append((row["number"], last))
            if row["parent_step"] is None:
                break
            last = row["parent_step"] if last is None else min(last, row["parent_step"])
            job_id = row["parent"]
        return line[::-1]

    def _rows(self, where: str, values: Iterable[object]) -> list[sqlite3.Row]:
        return self._select(where, values).fetchall()

    def _select(self, where: str, values: Iterable[object]) -> sqlite3.Cursor:
        return self._connection.execute(f"SELECT * FROM jobs WHERE {where}", tuple(values))

    def _told(self, row: sqlite3.Row) -> JobRecord:
        record = rows.as_record(row)
        if not record.state.active or not silent(rows.as_owner(row), record.created_at, record.heartbeat_at, time.time()):
            return record
        # The supervisor may have ended its work between our reading the row and our looking for its process.
        [row] = self._rows("id = ?", (record.id,))
        record = rows.as_record(row)
        if not record.state.active or not silent(rows.as_owner(row), record.created_at, record.heartbeat_at, time.time()):
            return record
        return rows.as_lost(record, tail(self.place(record.id).log))
