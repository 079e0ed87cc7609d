"""The deployment behind a module and all its faces. Knows jobs and endpoints; which model and engine it is, it is told."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from ...core.endpoints import Endpoint
from ...core.jobs import JobRecord, JobSpec, JobState
from ...errors import EndpointError, WorkbenchError
from ...runtime.deployments import joining
from ...runtime.deployments.endpoints import endpoint_of
from ...runtime.supervision import succession
from ...runtime.supervision.succession import Succession
from ...runtime.work import jobs
from . import engine_ends
from .following import failed, follow

_ATTEMPTS = 3
_END_SECONDS = 20.0
_LOOK_SECONDS = 0.1  # an engine that was started again takes longer to come up elsewhere
_users: defaultdict[str, weakref.WeakSet[Serving]] = defaultdict(weakref.WeakSet)


class Serving:
    """What a module answers through: nothing yet, a deployment, or an address the user gave."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._endpoint: Endpoint | None = None
        self._looked = 0.0  # when the endpoint was looked up last
        self.kind = ""  # the type of the model that answers, where it is known
        self.job_id = ""
        self.shown_in: int | None = None  # the cell in whose output the start of one of the modules has put a card
        self._coming = ""
        self._failed = ""  # the deployment that did not come up, while nothing else answers
        self._share_key = ""
        self._own = False
        self._announced: tuple[JobSpec, str, bool] | None = None  # what was asked for, its job, and whether that was made here

    def __deepcopy__(self, memo: dict[int, object]) -> Serving:
        """A deployment is not copied; an address that the user gave is taken over."""
        other = Serving()
        if self.endpoint is not None and not self.job_id:
            other.endpoint, other.kind = self.endpoint, self.kind
        return other

    @property
    def endpoint(self) -> Endpoint | None:
        """Where it answers; a deployment that was started again may have moved since the last call."""
        if self.job_id and time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            with contextlib.suppress(WorkbenchError):
                self._moved(jobs.store().job(self.job_id))
        return self._endpoint

    @endpoint.setter
    def endpoint(self, endpoint: Endpoint | None) -> None:
        self._endpoint = endpoint

    def _moved(self, record: JobRecord) -> None:
        now = self._endpoint
        url = str((record.endpoint or {}).get("url", ""))
        if now is not None and record.state is JobState.RUNNING and url and _place(url) != _place(now.url):
            self._endpoint = Endpoint.from_json(record.endpoint or {})

    @property
    def shown_id(self) -> str:
        """The deployment that is coming up, else the one that answers, else the one that did not come up."""
        return self._coming or self.job_id or self._failed

    @property
    def record(self) -> JobRecord | None:
        """That deployment's record now."""
        return jobs.store().job(self.shown_id) if self.shown_id else None

    @property
    def alive(self) -> bool:
        """Whether there is something to ask: an address of the user's, or a deployment that has not ended."""
        record = self.record
        return record.state.active if record is not None else self.endpoint is not None

    def attach(self, endpoint: Endpoint, kind: str = "") -> None:
        """Answer through an address, without deploying; ``kind`` is the model's type where no deployment tells it."""
        with self.lock:
            self._leave()
            self.endpoint, self.job_id, self._share_key = endpoint, endpoint.job_id, ""
            record = self.record
            self.kind = (kind_of(record) if record is not None else "") or kind

    def is_of(self, spec: JobSpec) -> bool:
        """Whether what answers was asked for with this spec, or by somebody else."""
        return self._share_key in ("", spec.share_key)

    def serves(self, spec: JobSpec) -> bool:
        """Whether this very model is deployed here and alive, and stays so; its idle time-out becomes the longer one."""
        record = self.record
        if record is None or self._share_key != spec.share_key or record.state is not JobState.RUNNING or record.cancel_requested:
            return False
        return joining.join(record, spec)

    def announce(self, spec: JobSpec) -> None:
        """Ask for a deployment without waiting: the `start` of the same that follows waits for it."""
        with self.lock:
            if self._announced is None or self._announced[0] != spec:
                self._announced = (spec, *_submit(spec))

    def withdraw(self) -> None:
        """End what was announced, unless a start has taken it or it was there before."""
        announced, self._announced = self._announced, None
        if announced is not None and announced[2]:
            jobs.stop(announced[1], save=False)

    def start(
        self,
        spec: JobSpec,
        on_change: Callable[[JobRecord], None],
        *,
        private: bool = False,
        files: Mapping[str, str | bytes] | None = None,
        replace: bool = False,
        first: bool = False,
    ) -> JobRecord:
        """Deploy, or join the deployment of the same model that is there already, in whichever process it was started.

        Parameters
        ----------
        private : bool
            The model is a result of this module's own: the deployment ends when the next one takes its place. That of a
            base model stays, because other notebooks may have joined it.
        files : Mapping, optional
            Files for the job's folder, by their relative names.
        replace : bool
            End the other deployments of the same model once this one answers.
        first : bool
            End them before, because there is no room for both; when this one then does not come up, they are brought back.

        Raises
        ------
        JobFailed
            With the cause and the engine's last lines.
        """
        with self.lock:
            asked_at, others = time.time(), joining.others(spec) if replace or first else []
            takes = Succession(tuple(record.id for record in others), asked_at, first)
            try:
                record = self._brought_up(spec, on_change, {**(files or {}), **takes.files()}, private)
            except BaseException:
                if first and not (self._failed and jobs.store().job(self._failed).state is JobState.CANCELLED):
                    joining.bring_back(others)
                raise
            joining.replace(others, f"{record.name} ({record.id})", asked_at)
            return record

    def _brought_up(self, spec: JobSpec, on_change: Callable[[JobRecord], None], files: Mapping[str, str | bytes] | None, private: bool) -> JobRecord:
        for attempt in range(1, _ATTEMPTS + 1):
            announced, self._announced = self._announced, None
            job_id, created = announced[1:] if announced is not None and announced[0] == spec else _submit(spec, files)
            self._coming, self._failed = job_id, ""
            try:
                record = follow(job_id, on_change, ready=True)
            except KeyboardInterrupt:
                if created:
                    jobs.stop(job_id, save=False)
                if created and succession.FILE in (files or {}):
                    jobs.wait(job_id, timeout=_END_SECONDS)  # what it has ended meanwhile is to be known
                raise
            finally:
                self._coming = ""
            if record.state is JobState.RUNNING:
                self._switch(record, spec, private and created)
                return record
            if created or attempt == _ATTEMPTS or record.state not in (JobState.CANCELLED, JobState.SUCCEEDED):
                break  # a deployment joined while it was on its way down is no failure: the next attempt makes one
        self._failed = record.id
        raise failed(record, f"{spec.name} could not be started.", f"Look at wb.job({record.id!r}).logs().")

    def stop(self) -> None:
        """End the deployment, also one that is just coming up; an address that the user gave is only left."""
        if coming := self._coming:  # whoever starts it holds the lock until it is up
            jobs.stop(coming, save=False)
        with self.lock:
            if self.job_id and (record := self.record) is not None and record.state.active:
                jobs.stop(self.job_id, save=False)
                jobs.wait(self.job_id)
            self._leave()

    def explained(self, error: EndpointError, name: str) -> EndpointError:
        """For a request that failed: what became of the engine, and its last lines."""
        return engine_ends.explained(self.job_id, error, name) if self.job_id else error

    def _switch(self, record: JobRecord, spec: JobSpec, own: bool) -> None:
        """Answer through this deployment from now on. The one before ends when it was our own and nobody here uses it."""
        before, was_own = self.job_id, self._own
        self._leave()
        self.endpoint, self.job_id, self._share_key = endpoint_of(record), record.id, spec.share_key
        self.kind = str(spec.payload.get("type") or "") or kind_of(record)  # a deployment of pictures may be shared by two types
        self._own = own or (was_own and before == record.id)
        _users[record.id].add(self)
        if was_own and before != record.id and not _users.get(before):
            with contextlib.suppress(WorkbenchError):  # it may have ended by itself
                jobs.stop(before, save=False)

    def _leave(self) -> None:
        if (users := _users.get(self.job_id)) is not None:
            users.discard(self)
            if not users:
                _users.pop(self.job_id, None)
        self.endpoint, self.kind, self.job_id, self._failed, self._share_key, self._own = None, "", "", "", "", False


def _place(url: str) -> str:
    return urlsplit(url).netloc


def kind_of(record: JobRecord) -> str:
    """The type of a deployment's model; empty for a served function."""
    return str(record.spec.payload.get("type") or "")


def _submit(spec: JobSpec, files: Mapping[str, str | bytes] | None = None) -> tuple[str, bool]:
    """The job of a deployment, and whether it was made just now."""
    record, created = joining.submit(spec, files)
    return record.id, created
