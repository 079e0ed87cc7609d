"""One deployment for all who ask for the same, and a new one in the place of others. Knows deployments' jobs; not who asks, nor why.

Who joins, and who takes whose place, is settled in each deployment's own `asked` file, so that notebooks that ask at the same moment
find one order.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence

from ...core.jobs import JobRecord, JobSpec, JobState
from ...errors import JobError, WorkbenchError
from ..supervision import asked
from ..work import jobs

_TRIES = 5


def submit(spec: JobSpec, files: Mapping[str, str | bytes] | None = None) -> tuple[JobRecord, bool]:
    """The deployment of a spec: the one that lives, which is joined, or a new one; and whether it is new.

    Joining makes its idle time-out the longer of the two (0 is for ever).
    """
    for _ in range(_TRIES):
        began = time.time()
        record = jobs.submit(spec, files=files)
        if record.created_at >= began:
            return record, True
        if join(record, spec):
            return record, False
        jobs.wait(record.id)  # another takes its place
    return record, False


def join(record: JobRecord, spec: JobSpec) -> bool:
    """Say that a deployment is used from now on; False when it is about to end because another takes its place."""
    return asked.join(jobs.store().place(record.id), float(spec.payload.get("ttl") or 0.0))


def others(spec: JobSpec) -> list[JobRecord]:
    """The deployments of the same model that answer now, and are not this one.

    Those that are still coming up are not among them: whoever asked for them at the same moment shall have them.
    """
    model = str(spec.payload.get("model", ""))
    return [
        record
        for record in jobs.store().jobs("deploy", True, 10_000)
        if record.spec.backend != "function"
        and record.spec.payload.get("model") == model
        and record.spec.share_key != spec.share_key
        and (record.state is JobState.RUNNING or record.endpoint)
        and not record.cancel_requested
    ]


def replace(old: Sequence[JobRecord], by: str, at: float) -> list[JobRecord]:
    """End deployments whose place a new one takes, and wait for that.

    Parameters
    ----------
    by : str
        What people call the new one.
    at : float
        When the new one was asked for. A deployment that somebody joined after that stays.

    Returns
    -------
    list of JobRecord
        Those that have ended.
    """
    going = []
    for record in old:
        place = jobs.store().place(record.id)
        if place.folder.is_dir():
            asked.replace(place, by, at)
            if asked.replaced_by(asked.read(place)) is not None:
                going.append(record)
    return [jobs.wait(record.id) for record in going]


def restart(job_id: str) -> JobRecord:
    """Ask for a fresh start of a deployment's engine, or start one that has ended again as it was; returns at once.

    Raises
    ------
    JobError
        For a job that is no deployment.
    """
    record = jobs.store().job(job_id)
    if record.kind != "deploy":
        raise JobError(f"The job {record.name!r} cannot be started anew.", "It is no deployment.", "resume() continues a training.", job_id=record.id)
    if not record.state.active:
        return jobs.resume(record.id)
    asked.restart(jobs.store().place(record.id))
    return record


def bring_back(old: Sequence[JobRecord]) -> None:
    """Wait until deployments answer again, or cannot, that had to go for one that did not come up; those that its supervisor could not
    bring back are started here."""
    for record in old:
        place = jobs.store().place(record.id)
        with contextlib.suppress(WorkbenchError):  # the error that is on its way says more
            if jobs.store().job(record.id).state.active and asked.replaced_by(asked.read(place)) is None:
                continue
            jobs.wait(record.id)
            back = next((r for r in jobs.store().jobs("deploy", True, 10_000) if r.spec.parent == record.id), None)
            jobs.wait((back or jobs.resume(record.id)).id, ready=True)
