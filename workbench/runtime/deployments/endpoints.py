"""Deployments and the places where they answer. Knows jobs, engines and endpoints; sends nothing itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import registry
from ...core.endpoints import Endpoint
from ...core.jobs import JobRecord, JobSpec, JobState
from ...core.specs import DeploySpec
from ...errors import EndpointDown, JobFailed, NotStarted


def deployment_for(spec: DeploySpec, engine: str = "auto", *, name: str = "") -> JobRecord:
    """The deployment of a model: the one that is alive with the same model, engine and arguments, else a new one.

    Parameters
    ----------
    spec : DeploySpec
    engine : str
        A name in the registry group ``deploy``, or ``auto``.
    name : str
        What people see; the model's name when empty.

    Returns
    -------
    JobRecord
        Not necessarily ready yet: `wait_ready`.

    Raises
    ------
    ArgumentError, ModelNotFound
        Before anything is started.
    """
    from ..work import jobs

    return jobs.submit(deployment_spec(spec, engine, name=name))


def deployment_spec(spec: DeploySpec, engine: str = "auto", *, name: str = "") -> JobSpec:
    """The job that `deployment_for` submits, checked; the same model, engine and arguments have the same ``share_key``."""
    from ..inspecting.models import display_name, resolve
    from ..inspecting.wholeness import check_whole

    if engine == "auto" or getattr(registry.get("deploy", engine), "needs_model", True):
        spec = replace(spec, model=str(resolve(spec.model)))
        check_whole(Path(spec.model))
    spec = replace(spec, served_name=spec.served_name or display_name(spec.model))
    if engine == "auto":
        engine = engine_for(spec)
    backend = registry.get("deploy", engine)()
    spec = replace(spec, device=_device(backend, spec))
    checked = getattr(backend, "checked", None)  # the arguments under the engine's own names, so that tp=2 is tensor_parallel_size=2
    if checked is not None:
        spec = checked(spec.to_json())
    else:
        backend.check(spec.to_json())
    payload = spec.to_json()
    together: tuple[str, ...] = getattr(backend, "one_server", ())
    alike = replace(spec, type=together[0]) if spec.type in together else spec
    key = f"{alike.share_key(engine)}-{_stamp(Path(spec.model))}"
    called = "-".join(filter(None, (name or spec.served_name, spec.variant)))
    return JobSpec("deploy", engine, called, payload, share_key=key)


def _device(backend: Any, spec: DeploySpec) -> str:
    """``cpu`` for an engine made for GPUs whose interpreter holds the build for CPUs."""
    from ...envs import device
    from ...envs.definitions import DEFINITIONS

    definition = DEFINITIONS.get(getattr(backend, "environment", ""))
    if definition is None or not definition.without_gpu:
        return ""
    return "cpu" if device(definition.name, spec.python) == "cpu" else ""


def engine_for(spec: DeploySpec) -> str:
    """The engine that `workbench.deploy.choose` takes for a model on this machine."""
    from ...deploy import choose
    from ..inspecting.models import inspect
    from ..machine import snapshot

    return choose(replace(inspect(spec.model), type=spec.type), snapshot()).engine


def wait_ready(job_id: str, timeout: float | None = None) -> Endpoint:
    """Wait until a deployment answers.

    Raises
    ------
    JobFailed
        When it ended instead, with the cause and the last lines of its log.
    """
    from ..work import jobs

    return endpoint_of(jobs.wait(job_id, timeout, ready=True))


def endpoint_of(record: JobRecord) -> Endpoint:
    """Where a deployment answers.

    Raises
    ------
    EndpointDown
        When it had answered once and has ended since.
    JobFailed
        When it never came up.
    NotStarted
        When it is still coming up.
    """
    if record.state.active and record.endpoint:
        return Endpoint.from_json(record.endpoint)
    if record.state.active:
        raise NotStarted(f"{record.name} is not ready yet.", record.progress.text, "Wait for it: start() returns when it answers.")
    failure, log = record.failure, record.failure.log_tail if record.failure else ""
    cause = failure.cause if failure else ""
    fix = (failure.fix if failure else "") or "Start the model again with start()."
    if record.endpoint:
        how = "was stopped" if record.state is JobState.CANCELLED else "has ended"
        what = f"The deployment of {record.name} {how}."
        raise EndpointDown(what, cause, "Start the model again with start().", model=str(record.endpoint.get("model", "")), log_tail=log)
    what = f"{record.name} could not be deployed ({record.state})."
    raise JobFailed(what, cause, fix, job_id=record.id, exit_code=record.exit_code, log_tail=log)


def last_words(endpoint: Endpoint, lines: int = 20) -> str:
    """The last lines of the log of the deployment behind an endpoint; empty where there is none."""
    if not endpoint.job_id:
        return ""
    from ..work import jobs

    try:
        return jobs.log_tail(endpoint.job_id, lines)
    except Exception:  # an error's ornament must not hide the error
        return ""


def _stamp(model: Path) -> str:
    """Changes when the files at the model's place change, so that a model trained anew is not taken for the old one."""
    try:
        files = sorted(p for p in model.iterdir() if p.is_file()) if model.is_dir() else [model]
        seen = [(p.name, (s := p.stat()).st_size, s.st_mtime_ns) for p in files]
    except OSError:
        return ""
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:8]
