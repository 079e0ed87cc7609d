"""What a page may know of a job, as JSON: its row, a short loss curve, what can be done with it. No key, no key file."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any

from ..core.jobs import JobRecord, JobState, MetricRow
from ..core.kinds import call_of
from ..errors import WorkbenchError
from ..runtime.deployments.deploy_code import line_of
from ..runtime.inspecting.inspection import inspect
from ..runtime.work import jobs
from ..store import Store

POINTS = 60  # of a curve that is as wide as a sidebar


class Curve:
    """The loss so far as at most ``2 * POINTS`` points; when it is full, neighbours become one, so that it stays even."""

    def __init__(self) -> None:
        self.cursor = 0
        self.last: dict[str, float] = {}
        self._points: list[float] = []
        self._sum, self._count, self._per_point = 0.0, 0, 1

    def add(self, rows: list[MetricRow]) -> None:
        for row in rows:
            self.cursor = max(self.cursor, row.seq)
            self.last.update(row.values)
            if "loss" in row.values:
                self._sum, self._count = self._sum + row.values["loss"], self._count + 1
                if self._count == self._per_point:
                    self._points.append(self._sum / self._count)
                    self._sum, self._count = 0.0, 0
                if len(self._points) == 2 * POINTS:
                    self._points = [(a + b) / 2 for a, b in zip(self._points[::2], self._points[1::2], strict=True)]
                    self._per_point *= 2

    def points(self) -> list[float]:
        waiting = [self._sum / self._count] if self._count else []
        return [float(f"{v:.4g}") for v in self._points + waiting]


class JobsView:
    """The jobs of the current home. May be used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._curves: dict[str, Curve] = {}
        self._types: dict[str, str] = {}
        self._store: Store | None = None
        self._version = -1
        self._sent: dict[str, tuple[Any, ...]] = {}

    def all(self, *, kind: str | None = None, active: bool | None = None, limit: int = 200) -> list[dict[str, Any]]:
        """Jobs as JSON, newest first."""
        store = self._current()
        return [self._json(store, record) for record in store.jobs(kind, active, limit)]

    def one(self, job_id: str) -> dict[str, Any]:
        """One job as JSON."""
        store = self._current()
        return self._json(store, store.job(job_id))

    def changes(self, *, force: bool = False) -> list[dict[str, Any]]:
        """The jobs that are not as they were at the last call. Cheap when nobody wrote; ``force`` looks all the same."""
        store = self._current()
        version = store.data_version()
        if version == self._version and not force:
            return []
        self._version = version
        changed = []
        for record in store.jobs():
            sign = (record.revision, record.state, record.step, record.progress, record.cancel_requested)
            if self._sent.get(record.id) != sign:
                self._sent[record.id] = sign
                changed.append(self._json(store, record))
        return changed

    def _current(self) -> Store:
        store = jobs.store()
        with self._lock:
            if store is not self._store:
                self._store, self._version = store, -1
                self._curves.clear()
                self._types.clear()
                self._sent.clear()
        return store

    def _json(self, store: Store, record: JobRecord) -> dict[str, Any]:
        with self._lock:
            curve = self._curves.setdefault(record.id, Curve())
            if record.kind == "finetune":
                curve.add(store.metrics_since(record.id, curve.cursor))
            points, last = curve.points(), dict(curve.last)
        if record.kind == "deploy" and record.state is JobState.RUNNING:
            row = store.last_metric(record.id)
            last = dict(row.values) if row is not None else {}
        payload, endpoint = record.spec.payload, record.endpoint or {}
        return {
            "id": record.id,
            "kind": record.kind,
            "backend": record.spec.backend,
            "name": record.name,
            "parent": record.spec.parent,
            "state": str(record.state),
            "stopping": record.state is JobState.STOPPING or (record.state.active and record.cancel_requested > 0),
            "created_at": record.created_at,
            "started_at": record.started_at,
            "ended_at": record.ended_at,
            "progress": asdict(record.progress),
            "failure": asdict(record.failure) if record.failure else None,
            "exit_code": record.exit_code,
            "step": record.step,
            "max_steps": record.max_steps,
            "model": str(payload.get("model") or payload.get("base_model") or ""),
            "call": call_of(str(payload.get("type") or "")) if record.kind == "deploy" else "",
            "code": self._code(record),
            "url": str(endpoint.get("url") or ""),
            "target": str(record.result.get("model") or payload.get("target_path") or ""),
            "curve": points,
            "values": last,
            "revision": record.revision,
        }

    def _code(self, record: JobRecord) -> str:
        """What leads to a deployment that runs; the files of its model are looked at once."""
        if record.kind != "deploy" or record.state is not JobState.RUNNING:
            return ""
        with self._lock:
            kind = self._types.get(record.id)
        if kind is None:
            kind = _type_of(str(record.spec.payload.get("model") or ""))
            with self._lock:
                self._types[record.id] = kind
        return line_of(record, kind)


def _type_of(model: str) -> str:
    """What a model's files say it is; empty where they say nothing."""
    if not model:
        return ""
    try:
        return inspect(model).type
    except (WorkbenchError, OSError):
        return ""
