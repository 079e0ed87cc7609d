"""A deployment as a notebook handles it: a `Job` that answers. Finds it by name; serves nothing itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from ... import registry
from ...core.jobs import JobRecord, JobState
from ...errors import JobNotFound, nearest
from ..work import jobs as _jobs
from ..work.job import Job, failed
from ..work.words import detail, state_word
from . import joining
from .deployment_list import DeploymentList, type_of
from .health import Health, of_deployment
from .load import Load, load_of

_RECENT_SECONDS = 24 * 3600.0
_LOOK_SECONDS, _PAUSE_SECONDS = 0.2, 0.02
_RECENT = 20  # ended ones that are still told


class Deployment(Job):
    """A deployment, living or ended, of whichever notebook.

    Parameters
    ----------
    name : str
        Its name or id, the beginning of its id, or the name of the model it serves. Living ones come first, then the newest.

    Raises
    ------
    JobNotFound
        When no deployment is called so.

    Examples
    --------
    >>> wb.deployment('pocket').health()
    >>> m = wb.deployment('pocket').module()
    """

    def __init__(self, name: str) -> None:
        self._id = find(name).id

    @property
    def engine(self) -> str:
        """What serves it, such as ``llama_cpp``; ``function`` for a served function."""
        return self.record.spec.backend

    @property
    def model(self) -> str:
        """The path or name of the model."""
        return str(self.record.spec.payload.get("model", ""))

    @property
    def type(self) -> str:
        """What kind of model it is, such as ``llm``."""
        return type_of(self.record)

    @property
    def url(self) -> str:
        """Where it answers, or answered last; empty before it did."""
        return str((self.record.endpoint or {}).get("url", ""))

    @property
    def load(self) -> Load:
        """Requests that run and wait, tokens a second, as its engine told them last."""
        return load_of(_jobs.store(), self.record)

    @property
    def restarts(self) -> int:
        """How often its engine was started again."""
        return _jobs.store().tally(self._id, "restart")[0]

    @property
    def ttl(self) -> float:
        """Seconds without a request after which it ends by itself; 0 is never."""
        return float(self.record.spec.payload.get("ttl") or 0.0)

    def health(self, limit: float = 2.0) -> Health:
        """Ask it how it is.

        Parameters
        ----------
        limit : float
            Seconds to wait for an answer.
        """
        return of_deployment(self.record, self.load, limit)

    def restart(self, *, on_change: Callable[[JobRecord], None] | None = None) -> Deployment:
        """Start the engine anew, for everybody who uses it, and wait until it answers. One that ended is started again as it was.

        Parameters
        ----------
        on_change : callable, optional
            Told the record several times a second meanwhile.

        Returns
        -------
        Deployment
            This one; the new one when this had ended.

        Raises
        ------
        JobFailed
            When it does not come up.
        """
        last = _jobs.store().last_event(self._id, "ready")
        record = joining.restart(self._id)
        if record.id != self._id:
            again = Deployment(record.id)
            again._until_ready(0, on_change)
            return again
        self._until_ready(last.seq if last else 0, on_change)
        return self

    def _until_ready(self, before: int, on_change: Callable[[JobRecord], None] | None) -> None:
        """Wait until it answers, after the event ``before`` that said so the last time."""
        while True:
            record = _jobs.wait(self._id, timeout=_LOOK_SECONDS, ready=True)
            if on_change is not None:
                on_change(record)
            if not record.state.active:
                raise failed(record)
            last = _jobs.store().last_event(self._id, "ready")
            if record.state is JobState.RUNNING and last is not None and last.seq > before:
                return
            time.sleep(_PAUSE_SECONDS)

    def resume(self) -> Deployment:
        """Start one that ended again, as it was: a new deployment, which is not waited for."""
        if self.state.active:
            return self
        return Deployment(_jobs.resume(self._id).id)

    def module(self) -> Any:
        """A module that answers through it: a `TrainableModule` of the right type, or a `UrlModule` for a served function.

        Its ``start()`` brings back a deployment that has ended, as it was.
        """
        return registry.get("face", "deployment")(self)

    def __repr__(self) -> str:
        record = self.record
        what = detail(record)
        facts = filter(None, [state_word(record).lower(), self.url if record.state.active else "", "" if what == "Ready" else what])
        return f"<Deployment {record.id} {record.name!r} ({record.spec.backend}), {', '.join(facts)}>"


def deployment(name: str) -> Deployment:
    """The deployment of that name or id: `Deployment`."""
    return Deployment(name)


def deployments(active: bool | None = None, limit: int = 200) -> DeploymentList:
    """The deployments of every notebook, newest first: those that live, and those that ended within a day.

    Parameters
    ----------
    active : bool, optional
        Only the living, or only those that ended, whenever that was.
    limit : int
        How many at most.
    """
    _jobs.sweep()
    found = _jobs.store().jobs("deploy", active, limit)
    if active is None:
        ended = [r for r in found if not r.state.active and (r.ended_at or 0.0) > time.time() - _RECENT_SECONDS][:_RECENT]
        found = [r for r in found if r.state.active or r in ended]
    return DeploymentList(Deployment(record.id) for record in found)


def find(name: str, *, active: bool | None = None) -> JobRecord:
    """The record of the deployment that a user means.

    Parameters
    ----------
    active : bool, optional
        Only among the living.

    Raises
    ------
    JobNotFound
    """
    with contextlib.suppress(JobNotFound):
        exact = _jobs.store().job(name)
        if exact.id == name and exact.kind == "deploy" and (exact.state.active or not active):
            return exact
    _jobs.sweep()
    living = _jobs.store().jobs("deploy", True, 10_000)
    ended = [] if active else _jobs.store().jobs("deploy", False, 1_000)
    for group in (living, ended):
        for fits in (
            [r for r in group if r.id == name],
            [r for r in group if r.name == name],
            [r for r in group if r.endpoint and r.endpoint.get("model") == name],
            [r for r in group if len(name) >= 3 and r.id.startswith(name)],
        ):
            if fits:
                return next((r for r in fits if r.state is JobState.RUNNING), fits[0])
    names = list(dict.fromkeys(r.name for r in (*living, *ended)))
    near = nearest(name, names)
    cause = f"{near!r} is the nearest name." if near else f"There is: {', '.join(names[:10])}." if names else "There is none."
    raise JobNotFound(f"No deployment is called {name!r}.", cause, "wb.deployments() lists them all.", job_id=name)
