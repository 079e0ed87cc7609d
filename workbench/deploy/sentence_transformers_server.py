"""sentence-transformers behind our own server: vectors, dense and sparse, of texts and of pictures, and rankings.

Plans the process; `workbench/runners/serve_sentence_transformers.py` is what runs in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import model_files
from .common import explain_end, runner, spec_file
from .engine import Engine

ARGUMENTS = {
    "device": "cpu, cuda, cuda:1 or mps; the best there is when not given",
    "dtype": "float32, bfloat16, float16 or auto (the model's own, the default on a GPU; float32 on a CPU)",
    "attn_implementation": "eager, sdpa or flash_attention_2",
    "trust_remote_code": "run code that comes with the model",
    "batch_size": "the most texts of one pass (32)",
    "max_seq_length": "tokens of a text that are read; the model's own when not given",
    "truncate": "cut what is longer (on); off refuses it",
    "embed_type": "dense or sparse",
    "pooling": "cls, max, mean or lasttoken, for an encoder that does not say it itself (mean)",
    "normalize_embeddings": "give vectors length 1 also where the model does not",
    "truncate_dim": "numbers of a vector that are kept, for models trained for it",
    "prompts": "what goes before texts, by name: {'query': '…', 'document': '…'}",
    "default_prompt_name": "the prompt of requests that name none",
    "query_instruction": "the prompt called query",
    "document_instruction": "the prompt called document",
    "raw_scores": "rerank: scores as the model gives them, not between 0 and 1",
    "model_kwargs": "more for transformers' from_pretrained",
    "processor_kwargs": "more for the tokenizer or processor",
}
ALIASES = {
    "torch_dtype": "dtype",
    "max_length": "max_seq_length",
    "max_model_len": "max_seq_length",
    "max_batch_size": "batch_size",
    "max_num_seqs": "batch_size",
    "normalize": "normalize_embeddings",
    "dimensions": "truncate_dim",
    "prompt_name": "default_prompt_name",
    "pooling_method": "pooling",
    "pooling_mode": "pooling",
    "query_instruction_for_retrieval": "query_instruction",
    "query_instruction_for_rerank": "query_instruction",
    "passage_instruction_for_retrieval": "document_instruction",
    "tokenizer_kwargs": "processor_kwargs",
}
POOLINGS = ("cls", "lasttoken", "max", "mean", "mean_sqrt_len_tokens", "weightedmean")
KINDS = ("dense", "sparse")


class SentenceTransformers(Engine):
    """Serves a safetensors folder that makes vectors or scores pairs, on a GPU or a CPU."""

    name, title, environment = "sentence_transformers", "sentence-transformers", "sentence_transformers"
    types: ClassVar[tuple[str, ...]] = ("embed", "cross_modal_embed", "rerank")
    aliases = ALIASES

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: those of sentence-transformers, and a few of ours."""
        return sorted(ARGUMENTS)

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """The spec, when the model can do what is asked.

        Raises
        ------
        ArgumentError
            For a model that ranks and is asked for vectors, or the other way round, and arguments that mean nothing.
        """
        spec = super().checked(payload)
        for name, choices in (("embed_type", KINDS), ("pooling", POOLINGS)):
            if spec.arguments.get(name, choices[0]) not in choices:
                cause = f"It was {spec.arguments[name]!r}."
                raise ArgumentError(f"deploy.{self.name} does not know this {name}.", cause, f"Choose one of: {', '.join(choices)}.")
        for name in ("batch_size", "max_seq_length", "truncate_dim"):
            value = spec.arguments.get(name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ArgumentError(f"deploy.{self.name}: {name} cannot be {value!r}.", "", "Give a whole number from 1.")
        if Path(spec.model).suffix == ".gguf":
            raise ArgumentError(f"{spec.model} is a GGUF file.", "sentence-transformers reads safetensors.", "Use wb.deploy.llama_cpp.")
        ranks = ranks_texts(Path(spec.model))
        if spec.type == "rerank" and ranks is False:
            cause = "Its files make vectors; nothing in them scores a pair of texts, and untrained weights would."
            raise ArgumentError(f"{Path(spec.model).name} is no reranker.", cause, "Say type='embed', or give a reranker.")
        if spec.type != "rerank" and ranks:
            cause = "Its files score pairs of texts."
            raise ArgumentError(f"{Path(spec.model).name} makes no vectors.", cause, "Say type='rerank', or give an embedding model.")
        return spec

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process."""
        spec = self.checked(payload)
        files = {"serve.json": spec_file(spec, type=spec.type, arguments=dict(spec.arguments))}
        env = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        argv = (runner("serve_sentence_transformers"), "../serve.json")
        return [Stage("serve", "Starting sentence-transformers", self.environment, argv, env, files, serves=True, stop_grace=5.0)]

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        found = explain_end(self.title, exit_code, log_tail)
        if "trust_remote_code" in log_tail:
            fix = "If you trust who made it, give trust_remote_code=True."
            return Failure("The model brings code of its own, which is not run unasked.", fix, log_tail)
        return found


def ranks_texts(model: Path) -> bool | None:
    """Whether a model scores pairs of texts, from its files; None where they do not say."""
    kind = model_files.read_json(model / "config_sentence_transformers.json").get("model_type")
    if kind in ("CrossEncoder", "SentenceTransformer", "SparseEncoder"):
        return bool(kind == "CrossEncoder")
    config = model_files.config(model)
    architecture = str(next(iter(config.get("architectures") or ()), ""))
    if not architecture:
        return None
    if architecture.endswith("ForSequenceClassification"):
        return True
    if (model / "modules.json").exists():
        return False
    return None if architecture.endswith(("ForCausalLM", "ForConditionalGeneration")) else False
