"""From a spec to a model of `sentence_models`: which class of sentence-transformers, and with which arguments. Run by the environment
``sentence_transformers``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sentence_models import BATCH, Dense, LexicalSparse, Model, Scores, Sparse
else:
    from sentence_models import BATCH, Dense, LexicalSparse, Model, Scores, Sparse

SPARSE_HEAD = "sparse_linear.pt"


def load(spec: Mapping[str, Any]) -> Model:
    """The model of a spec, for its type."""
    import torch

    given, path, kind = dict(spec.get("arguments") or {}), str(spec["model"]), spec["type"]
    device = given.get("device")
    dtype = given.get("dtype") or ("float32" if device == "cpu" or not torch.cuda.is_available() else "auto")
    model_kwargs = {
        "dtype": dtype,
        **({"attn_implementation": v} if (v := given.get("attn_implementation")) else {}),
        **given.get("model_kwargs", {}),
    }
    common: dict[str, Any] = {
        "device": device,
        "trust_remote_code": bool(given.get("trust_remote_code", False)),
        "local_files_only": True,
        "prompts": prompts(given),
        "default_prompt_name": given.get("default_prompt_name"),
        "model_kwargs": model_kwargs,
        "processor_kwargs": given.get("processor_kwargs"),
    }
    batch = int(given.get("batch_size", BATCH))
    if kind == "rerank":
        made: Model = _scores(path, given, common, batch)
    elif given.get("embed_type") == "sparse" and os.path.exists(os.path.join(path, SPARSE_HEAD)):
        made = LexicalSparse(_encoder(path, given, common), os.path.join(path, SPARSE_HEAD), batch)
    elif given.get("embed_type") == "sparse":
        from sentence_transformers import SparseEncoder

        made = Sparse(SparseEncoder(path, **common), batch)
    else:
        made = Dense(_encoder(path, given, common), batch)
    if given.get("max_seq_length"):
        made.model.max_seq_length = made.longest = int(given["max_seq_length"])
    return made


def prompts(given: Mapping[str, Any]) -> dict[str, str] | None:
    """The prompts of the arguments, whichever way they were written."""
    said = dict(given.get("prompts") or {})
    for name, argument in (("query", "query_instruction"), ("document", "document_instruction")):
        if given.get(argument) is not None:
            said[name] = str(given[argument])
    return said or None


def _encoder(path: str, given: Mapping[str, Any], common: Mapping[str, Any]) -> Any:
    from sentence_transformers import SentenceTransformer

    if not given.get("pooling"):
        return SentenceTransformer(path, **common)
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    hub = {k: common[k] for k in ("trust_remote_code", "local_files_only")}
    first = Transformer(path, **{k: {**hub, **(common.get(k) or {})} for k in ("model_kwargs", "processor_kwargs", "config_kwargs")})
    pooled = Pooling(first.get_embedding_dimension(), pooling_mode=given["pooling"])
    return SentenceTransformer(modules=[first, pooled], **{k: common[k] for k in ("device", "prompts", "default_prompt_name")})


def _scores(path: str, given: Mapping[str, Any], common: Mapping[str, Any], batch: int) -> Scores:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(path, **common)
    if model.num_labels != 1:
        raise ValueError(f"{path} sorts texts into {model.num_labels} classes; a reranker gives one score.")
    return Scores(model, batch)
