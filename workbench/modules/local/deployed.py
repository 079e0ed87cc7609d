"""A module for a deployment that somebody made: of the right kind, told everything that the deployment was told. Starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.jobs import JobState
from .deploy_arguments import OWN

if TYPE_CHECKING:
    from ...runtime.deployments.deployment import Deployment
    from ..served.url_module import UrlModule
    from .trainable import TrainableModule


def module_of(deployment: Deployment) -> TrainableModule | UrlModule:
    """A module that answers through a deployment, once that answers; its ``start`` joins it, or brings it back as it was."""
    from ..served.url_module import UrlModule
    from .trainable import TrainableModule

    record = deployment.record
    if record.spec.backend == "function":
        return UrlModule(url=record.id)
    payload = record.spec.payload
    fields = {name: payload.get(own.field) for name, own in OWN.items() if own.field}
    given: dict[str, Any] = {name: value for name, value in fields.items() if value or (value is not None and name == "restarts")}
    module = TrainableModule(str(payload.get("model", "")), type=str(payload.get("type") or "") or None, name=record.name)
    module.deploy_method(record.spec.backend, **{**dict(payload.get("arguments") or {}), **given})
    if record.state is JobState.RUNNING:
        module.attach(record.id)
    return module
