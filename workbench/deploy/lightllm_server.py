"""LightLLM's server, on a GPU.

After its main branch of 2026 (https://lightllm-en.readthedocs.io): it speaks OpenAI's form beside its own ``/generate`` and
``/generate_stream``, and checks no key: it runs behind our guard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ..core.jobs import Failure
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import peer_parsers
from .command_line import flags
from .common import served_name
from .guarded import GuardedEngine
from .lightllm_arguments import ALIASES, ARGUMENTS, RETIRED


class LightLLM(GuardedEngine):
    """Serves a safetensors folder on a GPU."""

    name, title, environment = "lightllm", "LightLLM", "lightllm"
    types = ("llm", "vlm")
    aliases, retired = ALIASES, RETIRED
    module = "lightllm.server.api_server"
    guarded = "/get_model_name"  # /v1/models is younger
    metrics = "lightllm"
    options: ClassVar[Mapping[str, Any]] = {"constraints": "lightllm", "nest": {"enable_thinking": "chat_template_kwargs"}}

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: LightLLM's own."""
        return sorted(ARGUMENTS)

    def line(self, spec: DeploySpec) -> list[str]:
        """Its arguments.

        Raises
        ------
        ArgumentError
            For LoRA adapters, which it has not.
        """
        if spec.adapters:
            cause = f"{', '.join(spec.adapters)} cannot be loaded."
            raise ArgumentError("LightLLM serves no LoRA adapters.", cause, "Serve with wb.deploy.vllm, or merge the adapter into its base model.")
        arguments: dict[str, Any] = dict(spec.arguments)
        if spec.chat_template:
            arguments["chat_template"] = spec.chat_template
        if parser := peer_parsers.tool_parser(self.name, spec):
            arguments.setdefault("tool_call_parser", parser)
        where = ["--model_dir", spec.model, "--model_name", served_name(spec), "--host", "127.0.0.1", "--port", "{port}"]
        return [*where, *flags(arguments, negatable=(), underscores=True, repeated={"grouping_key"})]

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        found = super().explain(stage, exit_code, log_tail)
        if "out of memory" in log_tail.lower():
            return replace(found, fix="Give mem_fraction=… (0.9 by default) or max_total_token_num=… a smaller value, or tp=… more GPUs.")
        return found
