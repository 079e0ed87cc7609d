"""``transformers serve``: every model that transformers can generate with, behind a guard that asks for the key.

Plans the process; `workbench/runners/serve_transformers.py` is what runs in it. A model that listens is served by our own server around the
same transformers (`speech_server`): transformers' own hears the first half minute only, and takes neither language nor times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import default_parameters, request_defaults
from .common import explain_end, runner, spec_file
from .engine import Engine
from .speech_server import speech_stages

ARGUMENTS = {
    "device": "cpu, cuda, cuda:1, mps or auto",
    "dtype": "auto, float32, bfloat16 or float16",
    "attn_implementation": "eager, sdpa, flash_attention_2 or a kernel of the hub",
    "quantization": "bnb-4bit or bnb-8bit",
    "chat_template_kwargs": "JSON of what the chat template is told with every request",
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
LISTENING = ("attn_implementation", "device", "dtype", "trust_remote_code")  # those for a model that listens


class TransformersServe(Engine):
    """Serves a safetensors folder with transformers itself."""

    name, title, environment = "transformers", "transformers serve", "transformers"
    types = ("llm", "vlm", "stt")
    takes = frozenset({"chat_template"})
    aliases: ClassVar[Mapping[str, str]] = {"torch_dtype": "dtype", "attention": "attn_implementation", "device_map": "device"}

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: those of ``transformers serve``."""
        return sorted(ARGUMENTS)

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """The spec with its arguments under the engine's own names. Refuses defaults that it cannot be given."""
        spec = super().checked(payload)
        if spec.type != "stt":
            default_parameters.checked(self.name, spec.defaults)
            return spec
        spec = replace(spec, defaults=request_defaults.checked("speech", spec.defaults, "stt"))
        if unfit := sorted(set(spec.arguments) - set(LISTENING)):
            cause, fix = f"Those are: {', '.join(LISTENING)}.", "Leave it out, or write deploy_method(wb.deploy.speech)."
            raise ArgumentError(f"{', '.join(unfit)} is no argument for a model that listens.", cause, fix)
        return spec

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process."""
        spec = DeploySpec.from_json(payload)
        if spec.type == "stt":
            return speech_stages(self.checked(payload), "speech")
        defaults = default_parameters.checked(self.name, spec.defaults)
        arguments = self.settle(spec.arguments)
        if told := default_parameters.template_values(defaults):
            arguments = {"chat_template_kwargs": json.dumps(told), **arguments}
        fields = {name: defaults[name] for name in ("max_tokens", "seed") if name in defaults}
        generation = default_parameters.for_transformers(defaults)
        text = spec_file(spec, arguments=arguments, chat_template=spec.chat_template, generation=generation, fields=fields)
        env = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        argv = (runner("serve_transformers"), "../serve.json")
        return [Stage("serve", "Starting transformers serve", self.environment, argv, env, {"serve.json": text}, serves=True, stop_grace=5.0)]

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        return explain_end("transformers serve", exit_code, log_tail)
