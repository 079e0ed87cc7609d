"""LMDeploy's OpenAI server: TurboMind and PyTorch kernels for NVIDIA GPUs, Ascend and others.

After the documents of LMDeploy 0.18.0 (https://lmdeploy.readthedocs.io/en/latest/llm/api_server.html). Its key can only be given as an
argument, so that it runs behind our guard instead.
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
from .lmdeploy_arguments import ALIASES, ARGUMENTS, RETIRED


class LMDeploy(GuardedEngine):
    """Serves a safetensors folder, or one that LMDeploy, AWQ or GPTQ has quantized, on a GPU."""

    name, title, environment = "lmdeploy", "LMDeploy", "lmdeploy"
    types = ("llm", "vlm")
    aliases, retired = ALIASES, RETIRED
    module = "lmdeploy"
    metrics = "lmdeploy"
    options: ClassVar[Mapping[str, Any]] = {"constraints": "lmdeploy", "nest": {"enable_thinking": "chat_template_kwargs"}}

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: LMDeploy's own, with underscores."""
        return sorted(ARGUMENTS)

    def line(self, spec: DeploySpec) -> list[str]:
        """``serve api_server …``.

        Raises
        ------
        ArgumentError
            For a chat template that is not in LMDeploy's form, and LoRA adapters on the backend that has none.
        """
        arguments: dict[str, Any] = dict(spec.arguments)
        if spec.chat_template:
            if not spec.chat_template.endswith(".json"):
                cause = f"{spec.chat_template} is no JSON file, and LMDeploy reads templates in no other form."
                raise ArgumentError("LMDeploy cannot use this chat template.", cause, "Serve with wb.deploy.vllm, or give LMDeploy's JSON.")
            arguments["chat_template"] = spec.chat_template
        if parser := peer_parsers.tool_parser(self.name, spec):
            arguments.setdefault("tool_call_parser", parser)
        adapters: list[str] = []
        if spec.adapters:
            if arguments.setdefault("backend", "pytorch") != "pytorch":
                cause = f"backend={arguments['backend']!r} was given; only its PyTorch backend has them."
                raise ArgumentError("LMDeploy cannot load LoRA adapters so.", cause, "Leave backend= out, or write backend='pytorch'.")
            adapters = ["--adapters", *(f"{name}={folder}" for name, folder in spec.adapters.items())]
        if "async" in arguments:
            arguments["async"] = int(arguments["async"])
        where = ["--server-name", "127.0.0.1", "--server-port", "{port}", "--model-name", served_name(spec)]
        return ["serve", "api_server", spec.model, *where, *flags(arguments, negatable=()), *adapters]

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        found = super().explain(stage, exit_code, log_tail)
        if "out of memory" in log_tail.lower():
            return replace(found, fix="Give session_len=… or cache_max_entry_count=… (0.8 by default) a smaller value, or tp=… more GPUs.")
        return found
