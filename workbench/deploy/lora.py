"""LoRA adapters beside a served model: what their files say, and whether an engine can take them. Loads nothing.

The form is PEFT's: a folder with ``adapter_config.json`` and ``adapter_model.safetensors``
(https://huggingface.co/docs/peft/developer_guides/checkpoint).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import ArgumentError, ModelNotFound
from .model_files import read_json

WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt")


def rank(folder: Path) -> int:
    """The highest rank in an adapter."""
    d = read_json(folder / "adapter_config.json")
    each = d.get("rank_pattern")
    return max(int(d.get("r") or 0), *(int(v) for v in each.values() if isinstance(v, int)), 0) if isinstance(each, dict) else int(d.get("r") or 0)


def check(adapters: Mapping[str, str], served: str, engine: str) -> None:
    """Refuse adapters that are not there, that the engine cannot take, and names that are taken.

    Raises
    ------
    ModelNotFound
        When a folder holds no adapter.
    ArgumentError
        For an adapter of another kind, and one that is called as the model is.
    """
    for name, place in adapters.items():
        check_one(name, place, engine)
        if name == served:
            raise ArgumentError(f"The adapter {name!r} has the name of the model itself.", "Callers choose by the name.", "Give it another name.")


def check_one(name: str, place: str, engine: str) -> None:
    """The same for one adapter."""
    folder = Path(place)
    if not (folder / "adapter_config.json").is_file() or not any((folder / w).is_file() for w in WEIGHTS):
        cause = f"{folder} has no adapter_config.json with {WEIGHTS[0]} beside it."
        raise ModelNotFound(f"The adapter {name!r} is not there.", cause, "Give the folder that a LoRA fine-tuning left.")
    d = read_json(folder / "adapter_config.json")
    reason = ""
    if str(d.get("peft_type") or "LORA").upper() != "LORA":
        reason = f"It is of the kind {d['peft_type']}."
    elif d.get("use_dora"):
        reason = "It was trained with DoRA."
    elif d.get("modules_to_save"):
        reason = f"It holds whole layers ({', '.join(map(str, d['modules_to_save']))}) beside the LoRA weights."
    elif str(d.get("bias") or "none") != "none" or d.get("lora_bias"):
        reason = "It changes biases."
    if reason:
        raise ArgumentError(f"{engine} cannot load the adapter {name!r} beside its model.", reason, "Serve the merged model instead.")
