"""Clears up after supervisors that were killed: ends what their jobs left running, keeps what their runners still wrote,
and writes `lost` down. Does not decide which jobs are lost; the store tells.

It acts in the dead supervisor's name and every step may be done twice, so two clients may sweep at once.
"""

from __future__ import annotations

import contextlib
import time

from ...core.jobs import JobRecord, JobState
from ...store import JobWriter, Owner, OwnershipLost, Store
from ...store.liveness import FORGOTTEN_SECONDS
from ...store.logs import tail
from ...store.rows import as_lost
from . import job_processes, temporary
from .ingest import Ingest


def sweep(store: Store) -> list[str]:
    """Clear up after every lost job of a home; the ids of those jobs.

    One that ran where its processes cannot be seen, in another container or before the machine's last start, is left alone
    for ten minutes.
    """
    swept = []
    for record, owner in store.abandoned():
        near = owner is None or owner.near
        if near or time.time() - (record.heartbeat_at or record.created_at) > FORGOTTEN_SECONDS:
            if near:
                job_processes.end_job(record.id, record.pid, store.stage_start(record.id))
                temporary.clear(store.place(record.id))
            _write_down(store, record, owner)
            swept.append(record.id)
    return swept


def _write_down(store: Store, record: JobRecord, owner: Owner | None) -> None:
    place = store.place(record.id)
    place.credentials.unlink(missing_ok=True)
    writer = JobWriter(store.home, record.id, owner)
    try:
        with contextlib.suppress(OwnershipLost):  # another was quicker
            ingest = Ingest(place, writer.events_read(), record.result, resumes=bool(record.spec.parent) and record.step is None)
            while (batch := ingest.read(final=True)) is not None:
                batch.changes.pop("state", None)
                writer.add(batch)
            lost = as_lost(writer.record(), tail(place.log))
            writer.finish(JobState.LOST, failure=lost.failure, ended_at=lost.ended_at, pid=None)
    finally:
        writer.close()
