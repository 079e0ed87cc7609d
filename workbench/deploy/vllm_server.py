"""vLLM's OpenAI server, for machines with a GPU. vLLM itself comes from the user: its environment is large.

Plans the process; `workbench/runners/serve_vllm.py` starts vLLM's own command line, and tells when it is ready.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import unknown_argument
from .common import check_spec, explain_end, runner, spec_file
from .vllm_arguments import ARGUMENTS

WHERE = "deploy.vllm"


class VLLM:
    """Serves a safetensors folder on a GPU."""

    name = "vllm"
    environment = "vllm"

    @staticmethod
    def arguments() -> list[str]:
        """The names it knows: vLLM's own, with underscores."""
        return sorted(ARGUMENTS)

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse unknown arguments; either spelling of a name is taken."""
        spec = DeploySpec.from_json(payload)
        for name in spec.arguments:
            if _plain(name) not in ARGUMENTS:
                raise unknown_argument(WHERE, name, ARGUMENTS)
        check_spec(WHERE, replace(spec, arguments={}).to_json(), (), ("llm", "vlm"))

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process, which starts vLLM's."""
        spec = DeploySpec.from_json(payload)
        files = {"serve.json": spec_file(spec, flags=flags(spec.arguments))}
        argv = (runner("serve_vllm"), "../serve.json")
        env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
        return [Stage("serve", "Starting vLLM", self.environment, argv, env, files, serves=True, stop_grace=10.0)]

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """A deployment leaves nothing behind."""
        return {}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        found = explain_end("vLLM", exit_code, log_tail)
        if "KV cache" in log_tail and "memory" in log_tail:
            return replace(found, fix="Give max_model_len=… a smaller value, or gpu_memory_utilization=… a larger one.")
        return found


def flags(arguments: Mapping[str, Any]) -> list[str]:
    """vLLM's command line for some arguments: ``True`` is a bare flag, ``False`` its ``--no-`` form, a list several values.

    A mapping is passed as JSON, as vLLM's configuration arguments want it.
    """
    out: list[str] = []
    for name, value in arguments.items():
        flag = "--" + _plain(name).replace("_", "-")
        if value is None:
            continue
        if isinstance(value, bool):
            out.append(flag if value else flag.replace("--", "--no-", 1))
        elif isinstance(value, Mapping):
            out += [flag, json.dumps(value)]
        elif isinstance(value, list | tuple):
            out += [flag, *map(str, value)]
        else:
            out += [flag, str(value)]
    return out


def _plain(name: str) -> str:
    return name.strip("-").replace("-", "_")
