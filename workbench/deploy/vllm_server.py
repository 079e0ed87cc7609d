"""vLLM's OpenAI server: on a GPU, and where there is none, through its CPU build.

Plans the process; `workbench/runners/serve_command.py` starts vLLM's own command line, and tells when it is ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from .command_line import command_stage, flags
from .common import explain_end, served_name
from .engine import Engine
from .vllm_arguments import ALIASES, ARGUMENTS


class VLLM(Engine):
    """Serves a safetensors folder on a GPU."""

    name, title, environment = "vllm", "vLLM", "vllm"
    types = ("llm", "vlm")
    aliases = ALIASES

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: vLLM's own, with underscores."""
        return sorted(ARGUMENTS)

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process, which starts vLLM's."""
        spec = DeploySpec.from_json(payload)
        spec = replace(spec, arguments=self.settle(spec.arguments))
        env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
        argv = ["{python}", "-m", "vllm.entrypoints.cli.main", "serve", spec.model, "--host", "127.0.0.1", "--port", "{port}"]
        argv += ["--served-model-name", served_name(spec), *flags(spec.arguments)]
        stage = command_stage(
            spec,
            argv,
            title=self.title,
            environment=self.environment,
            key_env="VLLM_API_KEY",
            env=env,
            progress="vllm",
            metrics="vllm",
            endpoint={"options": {"engine": "vllm", "tokens": "vllm"}},
        )
        return [stage]

    def command(self, payload: Mapping[str, Any]) -> list[str]:
        """The line of vLLM's own."""
        spec = self.checked(payload)
        return ["vllm", "serve", spec.model, "--port", "{port}", "--served-model-name", served_name(spec), *flags(spec.arguments)]

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        found = explain_end("vLLM", exit_code, log_tail)
        if "KV cache" in log_tail and "memory" in log_tail:
            return replace(found, fix="Give max_model_len=… a smaller value, or gpu_memory_utilization=… a larger one.")
        return found
