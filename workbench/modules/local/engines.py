"""From a model and the chosen method to a deployment's job: which engine, and why. Knows models and engines' payload; does
not start or show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ... import registry
from ...core.jobs import JobSpec
from ...core.models import ModelMeta
from ...core.specs import DeploySpec
from ...errors import ArgumentError
from .deploy_arguments import ATTACHING, OWN_ARGUMENTS, check, held, split
from .methods import AUTO, NONE, Method, method, settled

__all__ = ["OWN_ARGUMENTS", "Plan", "chosen", "needs_model", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to deploy.

    Attributes
    ----------
    spec : JobSpec
        The deployment; its payload is a `DeploySpec`, and the arguments in it are under the engine's own names.
    engine, why : str
        The engine as people know it, and the reason.
    start : Mapping
        Our own arguments that say how to start it, such as ``replace`` (see `deploy_arguments.OWN`), where they were given.
    """

    spec: JobSpec
    engine: str
    why: str
    start: Mapping[str, Any] = field(default_factory=dict)


def chosen(engine: Any, arguments: Mapping[str, Any], *, attach: bool = True) -> Method:
    """The method for what was written in ``deploy_method``, checked as far as that can be done without a model.

    Parameters
    ----------
    attach : bool
        Whether an address may be given.
    """
    if "dry_run" in arguments:
        raise ArgumentError("deploy_method() only notes what is chosen, so that every call of it is a dry run.", "", "Write start(dry_run=True).")
    if isinstance(engine, tuple) and len(engine) == 2 and isinstance(engine[1], Mapping):
        engine = (engine[0], held(engine[1]))
    found = method("deploy", engine, held(arguments), OWN_ARGUMENTS if attach else OWN_ARGUMENTS - ATTACHING)
    check(found.arguments)
    from ...deploy import default_parameters, request_defaults

    if isinstance(told := found.arguments.get("defaults"), Mapping):
        if found.name in default_parameters.TAKES:
            default_parameters.checked(found.name, told)
        elif request_defaults.fields(found.name):
            request_defaults.checked(found.name, told)
    return found


def needs_model(method: Method) -> bool:
    """Whether the engine or trainer needs files of a model; one for dry runs does not."""
    return method.name in (AUTO, NONE) or bool(getattr(registry.get(method.group, method.name), "needs_model", True))


def plan(model: str, method: Method, type: str = "", name: str = "") -> Plan:
    """The deployment of a model, by its path.

    Parameters
    ----------
    type : str
        What kind of model it is; told from its files when empty.
    name : str
        What people see; the model's name when empty.

    Raises
    ------
    ArgumentError
        For an argument that the engine does not know, a type that the model is not, and an engine that does not serve it.
    """
    from ...deploy.choose import check_engine, check_pairing, choose
    from ...runtime.deployments.endpoints import deployment_spec
    from ...runtime.inspecting.models import inspect

    engine, why = method.name, f"{method.name}, as you chose"
    if needs_model(method):
        meta = inspect(model)
        check_pairing(meta, type, "" if method.name == AUTO else method.name, method.arguments)
        type = type or meta.type
        if method.name == AUTO:
            from ...runtime.machine import snapshot

            choice = choose(replace(meta, type=type), snapshot())
            engine, why = choice.engine, choice.why.rstrip(".")
    else:
        check_engine(engine, type or "llm", "It has no model.")
    wishes, rest = split(method.settled(), model)
    if needs_model(method):
        _check_quantization(meta, engine, str(wishes.fields.get("python") or ""))
    rest = settled(Method("deploy", engine, rest), OWN_ARGUMENTS)
    spec = DeploySpec(model=model, type=type or "llm", arguments=rest, **wishes.fields)
    return Plan(deployment_spec(spec, engine, name=name), engine, why, wishes.start)


def _check_quantization(meta: ModelMeta, engine: str, python: str) -> None:
    from ...deploy import quantization
    from ...envs import device

    if quantization.form_of(meta) and engine in quantization.SERVES:
        backend = registry.get("deploy", engine)
        quantization.check(meta, engine, gpu=device(backend.environment, python) == "gpu", python=python)


def engine_of(model: str, method: Method) -> str:
    """The engine that would serve a model, by its path."""
    if method.name != AUTO:
        return method.name
    from ...deploy.choose import choose
    from ...runtime.inspecting.models import inspect
    from ...runtime.machine import snapshot

    return choose(inspect(model), snapshot()).engine
