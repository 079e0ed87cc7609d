"""A module for a deployment that somebody made: of the right kind, told everything that the deployment was told. Starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.jobs import JobState

if TYPE_CHECKING:
    from ..runtime.deployment import Deployment
    from .trainable import TrainableModule
    from .url_module import UrlModule

_OWN = ("port", "python", "ttl", "chat_template", "defaults", "adapters", "variant")  # fields of a `DeploySpec` that are empty unless given


def module_of(deployment: Deployment) -> TrainableModule | UrlModule:
    """A module that answers through a deployment, once that answers; its ``start`` joins it, or brings it back as it was."""
    from .trainable import TrainableModule
    from .url_module import UrlModule

    record = deployment.record
    if record.spec.backend == "function":
        return UrlModule(url=record.id)
    payload = record.spec.payload
    given: dict[str, Any] = {name: payload[name] for name in _OWN if payload.get(name)}
    if "restarts" in payload:
        given["restarts"] = payload["restarts"]
    module = TrainableModule(str(payload.get("model", "")), type=str(payload.get("type") or "") or None, name=record.name)
    module.deploy_method(record.spec.backend, **{**dict(payload.get("arguments") or {}), **given})
    if record.state is JobState.RUNNING:
        module.attach(record.id)
    return module
