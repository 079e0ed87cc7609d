"""``transformers serve``: every model that transformers can generate with, behind a guard that asks for the key.

Plans the process; `workbench/runners/serve_transformers.py` is what runs in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from .common import check_spec, explain_end, runner, spec_file

WHERE = "deploy.transformers"
ARGUMENTS = {
    "device": "cpu, cuda, cuda:1, mps or auto",
    "dtype": "auto, float32, bfloat16 or float16",
    "attn_implementation": "eager, sdpa, flash_attention_2 or a kernel of the hub",
    "quantization": "bnb-4bit or bnb-8bit",
    "compile": "compile the model",
    "trust_remote_code": "run code that comes with the model",
    "continuous_batching": "answer several callers at once (on unless turned off)",
    "cb_block_size": "tokens in a block of the cache",
    "cb_num_blocks": "blocks of the cache",
    "cb_max_batch_tokens": "tokens in one step",
    "cb_max_memory_percent": "part of the free memory that the cache may take",
    "cb_use_cuda_graph": "record CUDA graphs",
    "default_seed": "seed of torch",
    "reasoning": "on, off or auto",
    "log_level": "of transformers, such as warning",
}


class TransformersServe:
    """Serves a safetensors folder with transformers itself."""

    name = "transformers"
    environment = "transformers"

    @staticmethod
    def arguments() -> list[str]:
        """The names it knows: those of ``transformers serve``."""
        return sorted(ARGUMENTS)

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse unknown arguments and types that it does not serve."""
        check_spec(WHERE, payload, ARGUMENTS, ("llm", "vlm", "stt"))

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process."""
        spec = DeploySpec.from_json(payload)
        files = {"serve.json": spec_file(spec, arguments=dict(spec.arguments))}
        env = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        argv = (runner("serve_transformers"), "../serve.json")
        return [Stage("serve", "Starting transformers serve", self.environment, argv, env, files, serves=True, stop_grace=5.0)]

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """A deployment leaves nothing behind."""
        return {}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        return explain_end("transformers serve", exit_code, log_tail)
