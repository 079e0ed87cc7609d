"""LLaMA-Factory's arguments: which there are, of what type, under which other names people know them. Starts nothing.

The list itself is ``llama_factory_arguments.json``, printed by ``runners/list_llama_factory_arguments.py`` in the
environment whose versions it names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, unknown_argument

WHERE = "finetune.llamafactory"
ALIASES = {
    "lora_r": "lora_rank",
    "r": "lora_rank",
    "lora_target_modules": "lora_target",
    "target_modules": "lora_target",
    "modules_to_save": "additional_target",
    "lr": "learning_rate",
    "epochs": "num_train_epochs",
    "num_epochs": "num_train_epochs",
    "batch_size": "per_device_train_batch_size",
    "micro_batch_size": "per_device_train_batch_size",
    "max_seq_length": "cutoff_len",
    "max_length": "cutoff_len",
    "scheduler": "lr_scheduler_type",
    "val_set_size": "val_size",
}
_SET_BY_US = {
    "model_name_or_path": "TrainableModule(base_model)",
    "dataset": "trainset(…)",
    "eval_dataset": "trainset(…, valid=…)",
    "dataset_dir": "trainset(…)",
    "output_dir": "TrainableModule(base_model, target_path)",
    "export_dir": "TrainableModule(base_model, target_path)",
    "merge_path": "TrainableModule(base_model, target_path)",
    "overwrite_output_dir": "TrainableModule(base_model, target_path)",
    "resume_from_checkpoint": "job.resume()",
    "config_path": "the arguments themselves, one by one",
    "export_config_path": "the arguments themselves, one by one",
    "do_train": "mode('finetune')",
}
_SECRET = {
    "hf_hub_token": "HF_TOKEN",
    "hub_token": "HF_TOKEN",
    "ms_hub_token": "MODELSCOPE_API_TOKEN",
    "om_hub_token": "OM_TOKEN",
    "swanlab_api_key": "SWANLAB_API_KEY",
}
_WORDS = {"bool": "True or False", "int": "a whole number", "float": "a number", "str": "a text", "list": "a list", "dict": "a dict", "none": "None"}


@lru_cache(maxsize=1)
def known() -> dict[str, dict[str, Any]]:
    """Name → types, default, choices and help, of every argument of LLaMA-Factory's training."""
    text = Path(__file__).with_name("llama_factory_arguments.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)["arguments"]
    return found


def usable() -> list[str]:
    """The names that a user may give, other names for them included."""
    return sorted({*known(), *ALIASES} - {*_SET_BY_US, *_SECRET})


def checked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments under LLaMA-Factory's names, with values of the right types.

    Raises
    ------
    ArgumentError
        For a name that nobody knows (the nearest known one is in the message), one that the workbench sets itself, two names for
        the same, or a value that cannot be.
    """
    result: dict[str, Any] = {}
    for name, value in arguments.items():
        if name in _SET_BY_US:
            raise ArgumentError(f"{WHERE} sets {name!r} itself.", "", f"Give it as {_SET_BY_US[name]}.")
        if name in _SECRET:
            raise ArgumentError(f"{WHERE} takes no {name!r}.", "Keys are never stored with a job.", f"Set the variable {_SECRET[name]} instead.")
        real = name if name in known() else ALIASES.get(name, name)
        if real not in known():
            raise unknown_argument(WHERE, name, usable())
        if real in result:
            raise ArgumentError(f"{WHERE} was given {real!r} twice.", f"{name!r} is another name for it.", f"Leave out {name}=….")
        result[real] = _value(name, value, known()[real])
    return result


def _value(name: str, value: Any, entry: Mapping[str, Any]) -> Any:
    if isinstance(value, list | tuple | set) and "list" not in entry["types"] and "str" in entry["types"]:
        value = ",".join(str(v) for v in value)  # LLaMA-Factory's own form of several names
    fitting = _fit(value, entry["types"])
    if fitting is _MISFIT:
        words = " or ".join(_WORDS.get(t, t) for t in entry["types"])
        raise ArgumentError(f"{name}={value!r} cannot be: {WHERE} takes {words}.", entry["help"], f"{name}={entry['default']!r} is the default.")
    if entry["choices"] and isinstance(fitting, str) and fitting not in map(str, entry["choices"]):
        from ..errors import nearest

        near = nearest(fitting, map(str, entry["choices"]))
        choices = ", ".join(map(repr, entry["choices"]))
        raise ArgumentError(f"{name}={value!r} is none of its choices.", f"{near!r} is the nearest." if near else "", f"Choose one of: {choices}.")
    return fitting


_MISFIT = object()


def _fit(value: Any, types: list[str]) -> Any:
    """The value as one of the types, numbers written as text included, or `_MISFIT`."""
    value = value.item() if hasattr(value, "item") and not isinstance(value, str) else value  # numpy's numbers
    if value is None:
        return None if "none" in types else _MISFIT
    if isinstance(value, bool):
        return value if "bool" in types else _MISFIT
    if isinstance(value, int):
        return value if "int" in types else float(value) if "float" in types else _MISFIT
    if isinstance(value, float):
        return value if "float" in types else int(value) if "int" in types and value.is_integer() else _MISFIT
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, str):
        return value if "str" in types else _from_text(value, types)
    kind = "list" if isinstance(value, list | tuple | set) else "dict" if isinstance(value, Mapping) else ""
    if kind in types:
        return list(value) if kind == "list" else dict(value)
    return _MISFIT


def _from_text(value: str, types: list[str]) -> Any:
    if "bool" in types and value.lower() in ("true", "false"):
        return value.lower() == "true"
    for name, kind in (("int", int), ("float", float)):
        if name in types:
            try:
                return kind(value)
            except ValueError:
                continue
    return _MISFIT
