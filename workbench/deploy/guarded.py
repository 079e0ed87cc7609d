"""Engines whose server lacks a check of keys that could be trusted here: their own module, run behind our guard.

None where a key would have to be an argument, which every user of the machine can read, or where the server writes its arguments
into its log. `workbench/runners/serve_guarded.py` is what puts the guard in front.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from . import default_parameters, lora
from .command_line import command_stage
from .common import runner, served_name
from .engine import Engine


class GuardedEngine(Engine):
    """Base of these engines.

    Attributes
    ----------
    module : str
        What ``python -m`` runs.
    health, guarded : str
        The path that answers 200 once it serves, and one that shows whether the guard stands.
    metrics : str
        Whose numbers `serving.watch` reads.
    options : Mapping
        What clients must know of its form; goes into the endpoint.
    variables : Mapping
        Environment variables for the server.
    """

    module: ClassVar[str] = ""
    health: ClassVar[str] = "/health"
    guarded: ClassVar[str] = "/v1/models"
    metrics: ClassVar[str] = ""
    options: ClassVar[Mapping[str, Any]] = {}
    variables: ClassVar[Mapping[str, str]] = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "DO_NOT_TRACK": "1"}

    def line(self, spec: DeploySpec) -> list[str]:
        """The server's arguments for a spec whose own are settled; ``{port}`` stands for the port."""
        raise NotImplementedError

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """The spec with its arguments under the engine's own names. None of these servers fills in generation parameters for every client."""
        spec = super().checked(payload)
        default_parameters.checked(self.name, spec.defaults)
        lora.check(spec.adapters, served_name(spec), self.title)
        self.line(spec)  # raises what cannot be served
        return spec

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process: the engine's own server behind the guard."""
        spec = DeploySpec.from_json(payload)
        spec = replace(spec, arguments=self.settle(spec.arguments))
        stage = command_stage(
            spec,
            ["{python}", runner("serve_guarded"), self.module, *self.line(spec)],
            title=self.title,
            environment=self.environment,
            key_env="",
            env=self.variables,
            health=self.health,
            guarded=self.guarded,
            metrics=self.metrics,
            progress=self.name,
            endpoint={"options": {"engine": self.name, **self.options}},
            grace=15.0,
        )
        return [stage]

    def command(self, payload: Mapping[str, Any]) -> list[str]:
        """The engine's own line; the guard that asks for the key is not in it."""
        return ["python", "-m", self.module, *self.line(self.checked(payload))]
