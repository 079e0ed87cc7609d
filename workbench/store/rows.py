"""Between the tables' rows and the values of `workbench.core.jobs`. Does not read or write the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ..core.jobs import EventRow, Failure, JobRecord, JobSpec, JobState, MetricRow, Progress
from .liveness import Owner


def to_text(value: object) -> str:
    """JSON as Python writes it: NaN and infinity stay, because a loss that became NaN is news."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def as_column(value: object) -> object:
    """A value of a record as its column holds it."""
    if isinstance(value, Progress | Failure):
        return to_text(asdict(value))
    if isinstance(value, Mapping):
        return to_text(dict(value))
    return str(value) if isinstance(value, JobState) else value


def as_record(row: sqlite3.Row) -> JobRecord:
    """A row of ``jobs``; `lost` is not told yet."""
    return JobRecord(
        id=row["id"],
        spec=JobSpec(row["kind"], row["backend"], row["name"], json.loads(row["payload"]), row["share_key"], row["parent"]),
        state=JobState(row["state"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        heartbeat_at=row["heartbeat_at"],
        supervisor_pid=row["supervisor_pid"],
        pid=row["pid"],
        exit_code=row["exit_code"],
        cancel_requested=row["cancel_requested"],
        progress=Progress(**json.loads(row["progress"])) if row["progress"] else Progress(),
        failure=Failure(**json.loads(row["failure"])) if row["failure"] else None,
        endpoint=json.loads(row["endpoint"]) if row["endpoint"] else None,
        result=json.loads(row["result"]) if row["result"] else {},
        step=row["step"],
        max_steps=row["max_steps"],
        revision=row["revision"],
        parent_step=row["parent_step"],
    )


def as_owner(row: sqlite3.Row) -> Owner | None:
    """Who looks after the job, or None before anybody does."""
    return None if row["supervisor_pid"] is None else Owner(row["host"], row["supervisor_pid"], row["supervisor_start"])


def as_lost(record: JobRecord, log_tail: str) -> JobRecord:
    """The record of an active job whose supervisor is gone."""
    who = "never started" if record.supervisor_pid is None else f"(process {record.supervisor_pid}) ended without a word"
    failure = Failure(
        f"The supervisor of this job {who}; somebody killed it, or the machine went down.",
        "Continue it with .resume()." if record.kind == "finetune" else "Start it again with .start().",
        log_tail,
    )
    return replace(record, state=JobState.LOST, failure=failure, ended_at=record.heartbeat_at or record.created_at)


def as_metrics(found: Sequence[tuple[int, int, float | None, float, str]]) -> list[MetricRow]:
    """Rows of ``metrics``; their values are parsed as one text, which is several times faster than each alone."""
    values = json.loads("[" + ",".join([data for *_, data in found]) + "]")
    return [MetricRow(seq, step, epoch, at, v) for (seq, step, epoch, at, _), v in zip(found, values, strict=True)]


def as_events(rows: Iterable[sqlite3.Row]) -> list[EventRow]:
    """Rows of ``events``."""
    return [EventRow(r["seq"], r["time"], r["event"], json.loads(r["data"])) for r in rows]


def spec_columns(spec: JobSpec) -> dict[str, Any]:
    """The columns that hold a spec."""
    return {
        "kind": spec.kind,
        "backend": spec.backend,
        "name": spec.name,
        "payload": to_text(dict(spec.payload)),
        "share_key": spec.share_key,
        "parent": spec.parent,
    }
