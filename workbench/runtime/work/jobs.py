"""What a client does with jobs: submit, stop, command, resume, wait, read the log. Does not show anything.

Every function takes a job's id, the beginning of one, or a name; see `workbench.store.Store.job`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ...core.jobs import STOP_AND_SAVE, STOP_NOW, Failure, JobRecord, JobSpec, JobState, MetricRow
from ...errors import JobError
from ...settings import settings
from ...store import JobWriter, Store
from ...store.logs import tail
from ...store.schema import DATABASE
from ..supervision import sweep as _sweep
from ..supervision.detach import start_supervisor
from ..supervision.stage import say, write_file

Command = Literal["save", "pause", "resume"]
_LOOK_SECONDS = 0.02
_END_SECONDS = 20.0
_stores: dict[tuple[int, Path], Store] = {}


def store() -> Store:
    """The store of the current home; one per process and home."""
    key = (os.getpid(), settings().folder())  # a connection must not be carried over a fork
    found = _stores.get(key)
    if found is None or not found.current:
        found = _stores[key] = Store(key[1])
    return found


def submit(spec: JobSpec, *, files: Mapping[str, str | bytes] | None = None) -> JobRecord:
    """Add a job and start its supervisor, or give the living job with the same ``share_key``.

    Parameters
    ----------
    spec : JobSpec
        What to do.
    files : Mapping, optional
        Files to write into the job's folder before it starts, by their relative names.

    Raises
    ------
    EnvironmentFailed
        For a deployment whose environment can neither be had nor built.
    JobError
        When the supervisor cannot be started.
    """
    return _submit(spec, files or {}, None)


def _submit(spec: JobSpec, files: Mapping[str, str | bytes], parent_step: int | None) -> JobRecord:
    sweep()
    if spec.kind == "deploy":
        _check_environment(spec)
    record, created = store().insert(spec, parent_step=parent_step)
    if not created:
        return record
    place = store().place(record.id)
    try:
        place.folder.parent.mkdir(mode=0o700, exist_ok=True)
        place.folder.mkdir(mode=0o700)
        for name, content in files.items():
            write_file(place.folder / name, content)
        start_supervisor(record.id, store().home, place.folder)
    except BaseException as e:
        place.credentials.unlink(missing_ok=True)
        with contextlib.closing(JobWriter(store().home, record.id, None)) as writer, contextlib.suppress(Exception):
            writer.finish(JobState.FAILED, failure=Failure(str(e)))
        raise
    return store().job(record.id)


def _check_environment(spec: JobSpec) -> None:
    """Refuse what would fail before its first stage begins, while whoever asks is still there to read it."""
    from ... import registry
    from ...envs import check

    name = getattr(registry.get(spec.kind, spec.backend), "environment", "")
    if name:
        check(name, str(spec.payload.get("python") or ""))


def stop(job_id: str, *, save: bool = True) -> JobRecord:
    """Ask a job to end, and return at once.

    Parameters
    ----------
    save : bool
        Let a trainer finish its step and write a checkpoint, a server its answers; otherwise end it now.
    """
    record = store().job(job_id)
    store().request_cancel(record.id, STOP_AND_SAVE if save else STOP_NOW)
    sweep()
    return store().job(record.id)


def command(job_id: str, name: Command) -> None:
    """Say something to a job's runner: ``save`` a checkpoint, ``pause``, ``resume``.

    Raises
    ------
    JobError
        When the job has ended.
    """
    record = store().job(job_id)
    if not record.state.active:
        raise JobError(f"The job {record.name!r} cannot {name}.", f"It is {record.state}.", "workbench.jobs(active=True)", job_id=record.id)
    say(store().place(record.id), name)


def resume(job_id: str, *, files: Mapping[str, str | bytes] | None = None) -> JobRecord:
    """Start a new job that continues an ended one at its last checkpoint; it shows the first one's rows up to there.

    A deployment is started again as it was. ``files`` go into the new job's folder beside those of the first one.

    Raises
    ------
    JobError
        When the job is still at work, or has done all there was to do.
    """
    sweep()
    parent = store().job(job_id)
    if parent.state.active:
        raise JobError(f"The job {parent.name!r} cannot be resumed.", f"It is {parent.state}.", "Stop it first.", job_id=parent.id)
    if parent.state is JobState.SUCCEEDED and parent.kind != "deploy":
        raise JobError(f"The job {parent.name!r} cannot be resumed.", "It finished; nothing is left to do.", "Start a new one.", job_id=parent.id)
    payload = dict(parent.spec.payload)
    checkpoint = last_checkpoint(parent.id)
    if checkpoint is not None and "resume_from" in payload:
        payload["resume_from"] = str(checkpoint[1].parent)
    spec = replace(parent.spec, payload=payload, parent=parent.id)
    folder = store().place(parent.id).folder
    try:
        kept = {name: (folder / name).read_bytes() for name in payload.get("files") or ()}
    except OSError as e:
        raise JobError(f"The job {parent.name!r} cannot be resumed.", str(e), "Start a new one.", job_id=parent.id) from None
    return _submit(spec, {**kept, **(files or {})}, checkpoint[0] if checkpoint else None)


def last_checkpoint(job_id: str) -> tuple[int, Path] | None:
    """Step and folder of the newest checkpoint that is still there, of the job or the one it resumed."""
    seen: set[str] = set()
    while job_id and job_id not in seen:
        seen.add(job_id)
        for event in reversed(store().events_since(job_id)):
            path = Path(str(event.data.get("path", "")))
            if event.event == "checkpoint" and path.is_dir():
                return int(event.data.get("step") or 0), path
        job_id = store().job(job_id).spec.parent
    return None


def wait(job_id: str, timeout: float | None = None, ready: bool = False) -> JobRecord:
    """Wait until a job has ended, or with ``ready`` until it runs or has ended.

    Returns
    -------
    JobRecord
        The job then; as it is, when ``timeout`` seconds were not enough.
    """
    end = None if timeout is None else time.monotonic() + timeout
    job_id = store().job(job_id).id
    while True:
        record = store().job(job_id)
        if record.state is JobState.LOST:
            sweep()
        if not record.state.active or (ready and record.state is JobState.RUNNING):
            return record
        if end is not None and time.monotonic() >= end:
            return record
        _until_news(0.5)


def _until_news(seconds: float) -> None:
    version, end = store().data_version(), time.monotonic() + seconds
    while store().data_version() == version and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)


def log_tail(job_id: str, lines: int = 40) -> str:
    """The last lines of a job's log, progress bars as they stood at last."""
    return tail(store().place(store().job(job_id).id).log, lines)


def all_metrics(job_id: str) -> list[MetricRow]:
    """Every measured row of a job, those of the jobs that it continues included."""
    job_id, seq = store().job(job_id).id, 0
    found: list[MetricRow] = []
    while page := store().metrics_since(job_id, seq):
        found += page
        seq = page[-1].seq
    return found


def sweep() -> list[str]:
    """End every process that lost jobs left behind, and write `lost` down; the ids of those jobs."""
    return _sweep.sweep(store())


def end_all() -> None:
    """Stop every job of this home now, and wait until it ended."""
    home = settings().home
    if not (Path(home).expanduser() / DATABASE).exists():
        return
    for record in store().jobs(active=True, limit=10_000):
        store().request_cancel(record.id, STOP_NOW)
    end = time.monotonic() + _END_SECONDS
    for record in store().jobs(active=True, limit=10_000):
        wait(record.id, timeout=max(0.0, end - time.monotonic()))
    sweep()
