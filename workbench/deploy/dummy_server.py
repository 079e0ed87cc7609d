"""A server without a model: it answers ``reply for {input}, and parameters is {…}`` in pieces. For dry runs, and for trying
what happens when a server is slow, falls silent or dies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import unknown_argument
from .common import explain_end, runner, spec_file

WHERE = "deploy.dummy"
ARGUMENTS = {
    "delay": "seconds between two pieces",
    "first_delay": "seconds before the first piece",
    "text": "what to answer instead of the echo",
    "piece": "characters in a piece",
    "die_after": "pieces after which the process is gone",
    "load_delay": "seconds until it answers at all",
    "die_loading": "whether the process is gone after that instead",
    "stall_after": "pieces after which nothing more comes",
}


class DummyDeploy:
    """Echoes; needs no model and no environment."""

    name = "dummy"
    environment = "current"
    needs_model = False
    types = ("llm", "vlm")  # it echoes texts; a made-up vector would only be taken for a real one

    @staticmethod
    def arguments() -> list[str]:
        """The names it knows."""
        return sorted(ARGUMENTS)

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse unknown arguments. Any model will do, there or not."""
        for name in payload.get("arguments") or {}:
            if name not in ARGUMENTS:
                raise unknown_argument(WHERE, name, ARGUMENTS)

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process."""
        spec = DeploySpec.from_json(payload)
        files = {"serve.json": spec_file(spec, arguments=dict(spec.arguments))}
        argv = (runner("serve_dummy"), "../serve.json")
        return [Stage("serve", "Starting the dummy", self.environment, argv, files=files, serves=True, stop_grace=2.0)]

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """A deployment leaves nothing behind."""
        return {}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong."""
        return explain_end("The dummy server", exit_code, log_tail)
