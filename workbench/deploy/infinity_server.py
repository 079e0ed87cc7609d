"""Infinity: vectors and rankings by a server of its own, for those who know its arguments (https://github.com/michaelfeil/infinity).

Plans the process; `workbench/runners/serve_command.py` starts ``infinity_emb v2`` behind our guard, because Infinity's own check of a key
leaves ``/metrics`` and its documentation open. It pins transformers 4, so that models newer than that need another engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from .command_line import command_stage, flags
from .common import explain_end, runner, served_name
from .sentence_transformers_server import SentenceTransformers

ARGUMENTS = {
    "batch_size": "the most texts of one pass (32)",
    "engine": "torch, optimum (ONNX), ctranslate2 or neuron",
    "device": "cpu, cuda, mps, tensorrt or auto",
    "device_id": "which GPUs, such as 0 or 0,1",
    "dtype": "float32, float16, bfloat16, int8, fp8 or auto",
    "embedding_dtype": "float32, or int8, uint8, binary, ubinary for quantized vectors",
    "pooling_method": "mean, cls or auto",
    "lengths_via_tokenize": "count tokens for usage instead of letters",
    "model_warmup": "run the model before it serves",
    "vector_disk_cache": "remember vectors on disk",
    "trust_remote_code": "run code that comes with the model (off, other than in Infinity)",
    "compile": "torch.compile: a slow start and faster answers (off, other than in Infinity)",
    "bettertransformer": "BetterTransformer, which newer versions of optimum no longer have (off, other than in Infinity)",
    "onnx_disable_optimize": "leave ONNX models as they are",
    "onnx_do_not_prefer_quantized": "take ONNX models that are not quantized",
    "log_level": "critical, error, warning, info, debug or trace",
}
ALIASES = {
    "max_batch_size": "batch_size",
    "max_num_seqs": "batch_size",
    "torch_dtype": "dtype",
    "pooling": "pooling_method",
    "gpu": "device_id",
}
_OFF = {"trust_remote_code": False, "compile": False, "bettertransformer": False}
_ENV = {"INFINITY_ANONYMOUS_USAGE_STATS": "0", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
INPUTS = 256  # of one request


class Infinity(SentenceTransformers):
    """Serves a folder that makes vectors or scores pairs."""

    name, title, environment = "infinity", "Infinity", "infinity"
    types: ClassVar[tuple[str, ...]] = ("embed", "rerank")
    aliases = ALIASES

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: Infinity's own, with underscores."""
        return sorted(ARGUMENTS)

    def line(self, spec: DeploySpec) -> list[str]:
        """The arguments of ``infinity_emb``."""
        where = ["--host", "127.0.0.1", "--port", "{port}", "--url-prefix", "/v1", "--served-model-name", served_name(spec)]
        return ["v2", "--model-id", spec.model, *where, *flags({**_OFF, **spec.arguments})]

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process, which starts Infinity's."""
        spec = DeploySpec.from_json(payload)
        spec = replace(spec, arguments=self.settle(spec.arguments))
        stage = command_stage(
            spec,
            ["{python}", runner("serve_guarded"), "infinity_emb.cli", *self.line(spec)],
            title=self.title,
            environment=self.environment,
            key_env="",
            env=_ENV,
            metrics="infinity",
            progress="infinity",
            endpoint={"options": {"engine": self.name, "batch_size": INPUTS, **({"encoding": "base64"} if spec.type == "embed" else {})}},
        )
        return [stage]

    def command(self, payload: Mapping[str, Any]) -> list[str]:
        """The line of Infinity's own."""
        return ["infinity_emb", *self.line(self.checked(payload))]

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        found = explain_end(self.title, exit_code, log_tail)
        if "does not recognize this architecture" in log_tail or "model type" in log_tail:
            return replace(found, fix="Infinity's transformers is too old for this model: use wb.deploy.sentence_transformers.")
        return found
