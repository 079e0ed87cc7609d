"""SGLang's OpenAI server, on a GPU: language and vision models, embeddings, reranking.

After SGLang 0.5.23 (https://docs.sglang.ai/advanced_features/server_arguments.html). It takes a key as an argument only and writes its
arguments, the key among them, into its log: it runs behind our guard instead. Its warm-up asks itself without a key, so that it is left
out; asking ``/health_generate``, which makes one token, warms it up as well. What it asks itself to do after that, to leave what it has
loaded out of Python's garbage collection, the guard refuses: it says so in its log and goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ..core.jobs import Failure
from ..core.specs import DeploySpec
from . import model_files, peer_parsers
from .command_line import flags
from .common import served_name
from .guarded import GuardedEngine
from .sglang_arguments import ALIASES, ARGUMENTS, LISTS, NEGATABLE, RETIRED

_TOO_SMALL = re.compile(r"(?:raise|increas\w+) `?--mem-fraction-static`?(?: above ([\d.]*\d))?", re.I)
_CROSS_ENCODER = {"disable_radix_cache": True, "chunked_prefill_size": -1}  # what SGLang's documents ask for there


class SGLang(GuardedEngine):
    """Serves a safetensors folder on a GPU."""

    name, title, environment = "sglang", "SGLang", "sglang"
    types = ("llm", "vlm", "embed", "rerank")
    aliases, retired = ALIASES, RETIRED
    module = "sglang.launch_server"
    health = "/health_generate"
    metrics = "sglang"
    variables: ClassVar[Mapping[str, str]] = {**GuardedEngine.variables, "SGLANG_RUST_SERVER": "0"}  # that one would pass by the guard
    options: ClassVar[Mapping[str, Any]] = {"tokens": "sglang", "constraints": "sglang", "nest": {"enable_thinking": "chat_template_kwargs"}}

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: SGLang's own, with underscores."""
        return sorted(ARGUMENTS)

    def line(self, spec: DeploySpec) -> list[str]:
        """Its arguments, with what the type of the model needs."""
        arguments: dict[str, Any] = {"enable_metrics": True}
        scores = spec.type == "rerank" and _classifies(Path(spec.model))
        if scores:
            arguments.update(_CROSS_ENCODER)
        if parser := peer_parsers.tool_parser(self.name, spec):
            arguments["tool_call_parser"] = parser
        if spec.chat_template:
            arguments["chat_template"] = spec.chat_template
        arguments.update({k: v for k, v in spec.arguments.items() if k != "chat_template" or not spec.chat_template})
        kind = ["--is-embedding"] if spec.type == "embed" or scores else []
        adapters: list[str] = []
        if spec.adapters:
            arguments["enable_lora"] = True
            adapters = ["--lora-paths", *(f"{name}={folder}" for name, folder in spec.adapters.items())]
        where = ["--model-path", spec.model, "--served-model-name", served_name(spec), "--host", "127.0.0.1", "--port", "{port}"]
        return [*where, "--skip-server-warmup", *kind, *flags(arguments, negatable=NEGATABLE, lists=LISTS), *adapters]

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        found = super().explain(stage, exit_code, log_tail)
        if more := _TOO_SMALL.search(log_tail):
            least = f" above {more[1]}" if more[1] else ""
            return replace(
                found, fix=f"Give mem_fraction_static=… a larger value{least}: weights and cache have no room in it. Or tp_size=… more GPUs."
            )
        if "out of memory" in log_tail.lower():
            return replace(found, fix="Give mem_fraction_static=… or context_length=… a smaller value, or tp_size=… more GPUs.")
        return found


def _classifies(model: Path) -> bool:
    """Whether a reranker is a cross-encoder, and not a language model that is asked for yes or no."""
    return not model_files.architecture(model).endswith("ForCausalLM")
