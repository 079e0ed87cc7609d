"""Models that llama.cpp serves for their vectors or rankings: how the vectors of a text's tokens become one, and in which passes it is read.

A GGUF file says in ``{architecture}.pooling_type`` how; that of a chat model says nothing, and llama.cpp then makes no vector of a whole text.
https://github.com/ggml-org/llama.cpp/tree/master/examples/embedding
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.gguf_header import read_header
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import model_files
from .gguf_files import models_in

POOLED: dict[str, dict[str, Any]] = {"embed": {}, "rerank": {"pooling_type": "rank"}}
CONTEXT = 2048
OF_CHATS = "mean"
"""What sentence-transformers takes, too, where nothing is said; models that were trained to end in their vector say ``last`` themselves."""


def pooled(spec: DeploySpec) -> dict[str, Any]:
    """What vectors need: llama.cpp reads a text in one pass or not at all, so that a pass holds the longest; and one text at a time, because
    with several slots it gives wrong vectors for some of them.
    """
    if spec.type not in POOLED:
        return {}
    known = model_files.config(Path(spec.model)).get("max_position_embeddings")
    length = int(spec.arguments.get("n_ctx") or min(known or CONTEXT, CONTEXT))
    way = {"pooling_type": OF_CHATS} if spec.type == "embed" and not _says_how(Path(spec.model)) else {}
    return {"embedding": True, "n_parallel": 1, "n_ctx": length, "n_batch": length, "n_ubatch": length, **POOLED[spec.type], **way}


def check_pooling(spec: DeploySpec) -> None:
    """Refuse a way of pooling that makes no vectors, or no rankings. Raises `ArgumentError`."""
    said = spec.arguments.get("pooling_type")
    if said is None or spec.type not in POOLED:
        return
    if spec.type == "embed" and said in ("none", "rank"):
        cause = "It gives a vector for each token." if said == "none" else "It gives a score, for pairs of texts."
        raise ArgumentError(f"deploy.llama_cpp makes no embeddings with pooling_type={said!r}.", cause, "Write mean, cls or last, or leave it out.")
    if spec.type == "rerank" and said != "rank":
        raise ArgumentError(f"deploy.llama_cpp ranks nothing with pooling_type={said!r}.", "", "Leave it out, or write type='embed'.")


def _says_how(model: Path) -> bool:
    """Whether a model's files say how its vectors are pooled; the converter writes what a folder says into the GGUF file."""
    if model.is_dir():
        chats = str(next(iter(model_files.config(model).get("architectures") or ()), "")).endswith("ForCausalLM")
        ggufs = models_in(model)
        return _file_says(ggufs[0]) if ggufs else not chats or (model / "modules.json").exists()
    return _file_says(model)


def _file_says(file: Path) -> bool:
    values = read_header(file).values
    return bool(values.get(f"{values.get('general.architecture')}.pooling_type"))
