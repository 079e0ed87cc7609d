"""The supervisor's side of the store: heartbeat, what the runners report, what a client asks. Does not run anything.

A database that cannot be written for a while, because the disk is full or another process holds it, does not harm a job:
what runners report stays in their file until it can be kept.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ...core.jobs import JobState, Progress
from ...core.protocols import JobPlace
from ...store import JobWriter, OwnershipLost
from ...store.liveness import HEARTBEAT_SECONDS
from ...store.logs import trim
from ...store.writer import Batch
from .ingest import Ingest

T = TypeVar("T")
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.5
_LOG_SECONDS, _LOG_LIMIT, _LOG_KEPT = 60.0, 64 << 20, 16 << 20
_THIN_SECONDS = 600.0


class Ledger:
    """Keeps the store true about one job.

    Parameters
    ----------
    writer : JobWriter
        Of a job that this process has claimed.
    place : JobPlace
        The job's files.

    Attributes
    ----------
    level : int
        How a client asked the job to end; 0 when none did.
    ingest : Ingest
        The reader of what the runners report.
    last_news : float
        When a runner last reported something, by the monotonic clock.
    """

    def __init__(self, writer: JobWriter, place: JobPlace) -> None:
        self._writer, self._place = writer, place
        self.ingest = Ingest(place, resumes=bool(writer.record().spec.parent))
        self.level = 0
        self.last_news = 0.0
        self._stopping = False
        self._unwritten: Batch | None = None
        self._progress: Progress | None = None
        self._next_beat = self._next_trim = self._next_thin = self._next_try = 0.0

    def tick(self) -> None:
        """Do what is due; returns soon. Raises `OwnershipLost` when the job is no longer this process's."""
        now = time.monotonic()
        if now < self._next_try:
            return
        try:
            if now >= self._next_beat:
                self._beat(now)
            if self._progress is not None:
                self._writer.update(progress=self._progress)
                self._progress = None
            self._read()
            self.level = max(self.level, self._writer.cancel_requested())
        except sqlite3.OperationalError as e:
            print(f"The database cannot be written now: {e}", file=sys.stderr, flush=True)
            self._next_try = now + _PAUSE_SECONDS

    def report(self, progress: Progress) -> None:
        """Say what the job is doing; may be called from any thread, only the last counts."""
        self._progress = progress

    def update(self, **changes: Any) -> None:
        """Set columns of the job's row."""
        if "progress" in changes:
            self._progress = None
        self._insist(lambda: self._writer.update(**changes))

    def event(self, name: str, data: Mapping[str, Any]) -> None:
        """Write down something that happened to the job itself."""
        self._insist(lambda: self._writer.add_event(name, data))

    def again(self, progress: Progress, note: str) -> None:
        """The job's server is started again: it prepares once more, and ``note`` stands behind what its runner says meanwhile."""
        self.ingest.begin_again(note)
        self.update(state=JobState.PREPARING, progress=progress)

    def stopping(self) -> None:
        """The job is on its way down."""
        if not self._stopping:
            self._stopping = True
            self.update(state=JobState.STOPPING)

    def read_all(self) -> None:
        """Keep all that the runners, which have ended, reported."""
        self._insist(lambda: self._read(final=True))

    def finish(self, state: JobState, **changes: Any) -> None:
        """Write how the job ended."""
        self._insist(lambda: self._writer.finish(state, **changes))

    def _beat(self, now: float) -> None:
        self._next_beat = now + HEARTBEAT_SECONDS
        if not self._place.folder.exists():
            raise OwnershipLost("The job's folder was deleted.")
        self._writer.beat()
        if now >= self._next_trim:
            self._next_trim = now + _LOG_SECONDS
            trim(self._place.log, _LOG_LIMIT, _LOG_KEPT)
        if now >= self._next_thin and self.ingest.ready_at is not None:
            self._next_thin = now + _THIN_SECONDS
            self._writer.thin_metrics()

    def _read(self, final: bool = False) -> None:
        while (batch := self._unwritten or self.ingest.read(final)) is not None:
            self._unwritten = batch
            if self._stopping:
                batch.changes.pop("state", None)
            self._writer.add(batch)
            self._unwritten = None
            self.last_news = time.monotonic()
            if not final:
                return

    def _insist(self, write: Callable[[], T]) -> T:
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return write()
            except sqlite3.OperationalError:
                if time.monotonic() >= end:
                    raise
                time.sleep(_PAUSE_SECONDS)
