"""Serves a function, flow or module over HTTP: the backend behind `ServerModule` and ``workbench serve``.

What is served lies pickled in the job's folder, readable for its owner only; this says which process loads it. Does not
know what it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import FunctionSpec
from ..errors import ArgumentError
from .common import explain_end, runner


class FunctionServer:
    """One process: uvicorn, and what is served."""

    name = "function"
    environment = "current"
    needs_model = False

    @staticmethod
    def arguments() -> list[str]:
        """None that a user gives."""
        return []

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse what does not come from `ServerModule`."""
        if "function" not in payload:
            raise ArgumentError("deploy.function serves functions, not models.", "", "Write wb.ServerModule(function).start().")

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process."""
        spec = FunctionSpec.from_json(payload)
        files = {"serve.json": json.dumps(spec.to_json(), ensure_ascii=False, indent=1)}
        env = {"PYTHONPATH": spec.pythonpath} if spec.pythonpath else {}
        argv = (runner("serve_function"), "../serve.json")
        stage = Stage("serve", f"Starting {spec.model}", self.environment, argv, env, files, serves=True, stop_grace=5.0)
        return [replace(stage, asks_vendors=True, own_temp=False)]

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """A server leaves nothing behind."""
        return {}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong."""
        return explain_end("The server", exit_code, log_tail)
