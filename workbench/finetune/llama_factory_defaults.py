"""What LLaMA-Factory is told where the user said nothing: sensible for the method and the size of the data set.

What depends on the device is left to the runner, which knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.specs import FinetuneSpec

_EVAL_FROM_ROWS, _EVAL_SHARE, _EVAL_MOST = 40, 0.05, 500  # rows from which some are held out, which part, and how many at most


def defaults(spec: FinetuneSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is chosen where the user chose nothing: sensible for the method and the size of the data set."""
    lora = given.get("finetuning_type", "lora") == "lora"
    batch = given.get("per_device_train_batch_size", 4)
    chosen: dict[str, Any] = {
        "finetuning_type": "lora",
        "cutoff_len": 2048,
        "learning_rate": 1e-4 if lora else 1e-5,
        "num_train_epochs": 3.0,
        "per_device_train_batch_size": batch,
        "per_device_eval_batch_size": batch,
        "lr_scheduler_type": "cosine",
        "logging_steps": 1,
        "logging_first_step": True,
        "include_num_input_tokens_seen": "non_padding",
        "save_strategy": "steps",
        "save_steps": 0.25,
        "save_total_limit": 2,
        "plot_loss": False,
        "report_to": "none",
    }
    if lora:
        chosen |= {"lora_rank": 8, "lora_target": "all"}
    if "warmup_ratio" not in given:
        chosen["warmup_steps"] = 0.05
    chosen |= _evaluation(spec, given)
    if given.get("load_best_model_at_end") or given.get("early_stopping_steps"):
        chosen |= {"load_best_model_at_end": True, "save_steps": given.get("eval_steps", chosen.get("eval_steps", 0.1))}
    return {k: v for k, v in chosen.items() if k not in given}


def _evaluation(spec: FinetuneSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("eval_strategy") == "no":
        return {}
    chosen: dict[str, Any] = {"eval_strategy": "steps", "eval_steps": 0.1}
    if spec.valid is not None:
        return {**chosen, "eval_dataset": "valid"}
    if "val_size" in given:
        return chosen if given["val_size"] else {}
    if spec.train.rows < _EVAL_FROM_ROWS:
        return {}
    return {**chosen, "val_size": max(2, min(_EVAL_MOST, round(spec.train.rows * _EVAL_SHARE)))}
