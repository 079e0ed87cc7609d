"""Why a request to a deployment failed, as far as the deployment's own record tells: its engine died, is being started again, hangs,
was stopped, replaced, or ended because nobody asked. Sends nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ... import registry
from ...core.jobs import JobRecord, JobState
from ...errors import AuthenticationFailed, BadRequest, EndpointDown, EndpointError, EndpointTimeout, StreamBroken
from ...runtime.deployments.health import BUSY, HUNG
from ...runtime.work import jobs

_LAST_WORDS = 3.0  # seconds a supervisor may take to write down that its engine died
_STOPPED, _BACK = "Its deployment was ended, here or in another notebook.", "Type start() to deploy it again."
_MEANWHILE = 10.0  # seconds in which an engine that was started again may have come up already


def explained(job_id: str, error: EndpointError, name: str) -> EndpointError:
    """The error with what the deployment's record adds; as it is where that adds nothing.

    Parameters
    ----------
    name : str
        What the user calls the model.
    """
    if isinstance(error, BadRequest):
        return _refused(jobs.store().job(job_id), error)
    if isinstance(error, EndpointTimeout):
        return _late(jobs.store().job(job_id), error)
    if not isinstance(error, EndpointDown | StreamBroken | AuthenticationFailed):  # a port that another server has now refuses the key
        return error
    deadline = time.monotonic() + _LAST_WORDS
    while (record := jobs.store().job(job_id)).state.active:
        leaving = record.state is JobState.STOPPING or record.cancel_requested > 0
        again = None if leaving else jobs.store().last_event(job_id, "restart")
        if again is not None and (record.state is JobState.PREPARING or again.time > time.time() - _MEANWHILE):
            return _restarting(record, error, name, again.data)
        if isinstance(error, AuthenticationFailed):
            return error
        if time.monotonic() > deadline:
            return _down(error, f"{name} is being stopped.", _STOPPED, _BACK, "") if leaving else error
        time.sleep(0.05)
    return _ended(record, error, name)


def _refused(record: JobRecord, error: BadRequest) -> BadRequest:
    """The engine's own words may tell of an argument that decides it."""
    engine = registry.get("deploy", record.spec.backend) if record.spec.backend in registry.names("deploy") else None
    if engine is not None and hasattr(engine, "refused"):  # a plugin's may be no `Engine`
        error.fix = engine.refused(error.cause) or error.fix
    return error


def _restarting(record: JobRecord, error: EndpointError, name: str, told: Mapping[str, Any]) -> EndpointError:
    up = record.state is JobState.RUNNING
    if told.get("asked"):
        what, why = f"{name}'s engine {'was' if up else 'is being'} started anew.", "Somebody asked for it."
    else:
        what = f"{name}'s engine died and {'was' if up else 'is being'} started again."
        why = f"{told.get('cause', '')} This is restart {told.get('attempt')} of {told.get('of')} in a row."
    fix = "Ask again: it answers." if up else "Ask again: the call waits until it answers, and so does start()."
    return _down(error, what, why, fix, str(told.get("log_tail") or "") or error.log_tail)


def _ended(record: JobRecord, error: EndpointError, name: str) -> EndpointError:
    failure, back = record.failure, "start() brings it back."
    if record.state is JobState.SUCCEEDED:
        ttl = float(record.spec.payload.get("ttl") or 0.0)
        after = f"after {ttl:g} s " if ttl else ""
        return _down(error, f"{name} ended {after}without a request.", "Its idle time-out (ttl=) has passed.", back, "")
    if record.state is JobState.CANCELLED:
        if record.progress.text.startswith("Replaced by"):
            return _down(error, f"{name} was replaced.", f"{record.progress.text.replace('Replaced by', 'It gave way to')}.", back, "")
        return _down(error, f"{name} was stopped.", _STOPPED, _BACK, "")
    cause = failure.cause if failure else error.cause
    log = failure.log_tail if failure else error.log_tail
    return _down(error, f"{name}'s engine has ended while it was in use.", cause, _BACK, log)


def _late(record: JobRecord, error: EndpointTimeout) -> EndpointError:
    """A hung engine looks like a slow one from here."""
    if not record.state.active or record.progress.phase not in (HUNG, BUSY):
        return error
    fix = "restart() starts the engine anew." if record.progress.phase == HUNG else error.fix
    return EndpointTimeout(
        error.what, f"{record.progress.text}.", fix, source=error.source, model=error.model, log_tail=error.log_tail, partial=error.partial
    )


def _down(error: EndpointError, what: str, cause: str, fix: str, log: str) -> EndpointError:
    """An answer that broke off stays one: what came of it is in the error."""
    kind = StreamBroken if isinstance(error, StreamBroken) and error.partial else EndpointDown
    if error.partial:
        fix = f"{fix} What came until then, {len(error.partial):,} characters, is in the error's 'partial'."
    return kind(what, cause, fix, source=error.source, model=error.model, log_tail=log, partial=error.partial)
