"""How vLLM is told that a model embeds or ranks, as data: https://docs.vllm.ai/en/latest/models/pooling_models/.

Rerankers that are chat models in form answer "yes" or "no"; which two words, vLLM has to be told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

POOLING = frozenset({"embed", "cross_modal_embed", "rerank"})


class YesNo(NamedTuple):
    """A family of rerankers by its name, and what is put in place of its configuration."""

    name: str
    overrides: Mapping[str, Any]


_YES_NO: tuple[YesNo, ...] = (
    YesNo(
        r"qwen3.*reranker",
        {"architectures": ["Qwen3ForSequenceClassification"], "classifier_from_token": ["no", "yes"], "is_original_qwen3_reranker": True},
    ),
    YesNo(
        r"bge-reranker.*gemma",
        {"architectures": ["GemmaForSequenceClassification"], "classifier_from_token": ["Yes"], "method": "no_post_processing"},
    ),
    YesNo(
        r"mxbai-rerank.*v2",
        {"architectures": ["Qwen2ForSequenceClassification"], "classifier_from_token": ["0", "1"], "method": "from_2_way_softmax"},
    ),
)


def arguments(type: str, architecture: str, name: str) -> dict[str, Any]:
    """The arguments that make vLLM serve a model of this type; none for one that writes."""
    if type not in POOLING:
        return {}
    out: dict[str, Any] = {"runner": "pooling"}
    if architecture.endswith(("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")):
        out["convert"] = "classify" if type == "rerank" else "embed"
        if type == "rerank" and (family := next((f for f in _YES_NO if re.search(f.name, name.lower())), None)):
            out["hf_overrides"] = dict(family.overrides)
    return out
