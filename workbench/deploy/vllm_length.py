"""Whether vLLM would refuse the length that was asked for, known before anything starts. Reads the model's configuration only.

Source: ``_get_and_verify_max_len`` in ``vllm/config/model.py`` (0.32). Where the configuration scales positions, or says nothing that is
certain, vLLM itself decides.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import model_files
from .fit_case import number

ALLOWED = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"
_OTHER_CONFIGURATION = ("hf_overrides", "hf_config_path", "config_format", "disable_sliding_window", "tokenizer_mode")
_SCALING = ("rope_scaling", "rope_parameters")


def check(spec: DeploySpec) -> None:
    """Refuse a ``max_model_len`` beyond what the model was made for.

    Parameters
    ----------
    spec : DeploySpec
        With vLLM's own names for its arguments.

    Raises
    ------
    ArgumentError
    """
    asked = number(spec.arguments.get("max_model_len"), 0)
    if asked <= 0 or spec.type not in ("llm", "vlm") or any(n in spec.arguments for n in _OTHER_CONFIGURATION) or allowed(os.environ):
        return
    config = model_files.config(Path(spec.model))
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else {}
    merged = {**config, **(text or {})}
    longest = max((merged[n] for n in ("model_max_length", "max_seq_len", "max_seq_length") if isinstance(merged.get(n), int)), default=0)
    own = max(model_files.context_length(config), longest)
    if not own or asked <= own or any(_scales(merged.get(n)) for n in _SCALING):
        return
    raise ArgumentError(
        f"The model was made for {own:,} tokens, and max_model_len={spec.arguments['max_model_len']!r} asks for more.",
        "Beyond that its answers are noise, so vLLM does not start.",
        f"Give max_model_len={own} or less, or leave it out. A model that you stretch: hf_overrides={{…}} with its rope parameters, or {ALLOWED}=1.",
    )


def allowed(environ: Mapping[str, str]) -> bool:
    """Whether the user has told vLLM to take any length."""
    return environ.get(ALLOWED, "0").strip().lower() not in ("", "0", "false")


def _scales(rope: Any) -> bool:
    """Whether positions are scaled; layers may have parameters of their own."""
    if not isinstance(rope, Mapping):
        return False
    kind = rope.get("rope_type", rope.get("type"))
    return kind not in (None, "default") or rope.get("factor") not in (None, 1, 1.0) or any(_scales(v) for v in rope.values())
