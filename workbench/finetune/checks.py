"""What can be refused before a fine-tuning starts: a base model, a data set or a target that cannot be. Knows no trainer."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.specs import DataRef
from ..errors import ArgumentError, DataError, ModelNotFound

MARK = "workbench.json"  # the file that tells a folder as ours, with where the model came from
_FORMATS = ("alpaca", "sharegpt", "openai")


def check_model(model: str) -> None:
    """Raises `ModelNotFound` for what LLaMA-Factory cannot load."""
    path = Path(model)
    if path.suffix == ".gguf":
        raise ModelNotFound(f"{model} cannot be fine-tuned.", "A GGUF file is for serving.", "Give the folder with the model's safetensors.")
    if not (path / "config.json").is_file():
        raise ModelNotFound(
            f"{model} is no model that can be fine-tuned.", "There is no config.json in it.", "Give the folder with the model's safetensors."
        )
    if not any(path.glob("*.safetensors")) and not any(path.glob("*.bin")):
        raise ModelNotFound(f"{model} has no weights.", "There is no .safetensors file in it.", "Give the folder with the model's safetensors.")


def check_data(ref: DataRef) -> None:
    """Raises `DataError` for a reference to rows that cannot be trained on."""
    if ref.format not in _FORMATS:
        raise DataError(f"The format {ref.format!r} cannot be trained on.", "", f"Use one of: {', '.join(_FORMATS)}.")
    if not Path(ref.path).is_file():
        raise DataError(f"The data set {ref.path} is not there.", "It was moved or deleted after it was checked.", "Give it again with trainset(…).")


def check_target(target: str, base_model: str) -> None:
    """Raises `ArgumentError` for a target that would hide or mix with something of the user's."""
    path = Path(target)
    if not path.is_absolute():
        raise ArgumentError(f"target_path={target!r} is not absolute.", "", f"Give {Path.cwd() / target}.")
    if path == Path(base_model):
        raise ArgumentError("The target is the base model itself.", "It would be replaced.", f"Give another name, such as {target}-tuned.")
    if path.is_file():
        raise ArgumentError(
            f"The target {target} is a file.", "The trained model becomes a folder.", f"Give another name, such as {path.stem}-tuned."
        )
    parent = next(p for p in path.parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ArgumentError(f"The target {target} cannot be made.", f"{parent} is no folder that you may write to.", "Give another target_path.")
    if path.is_dir() and any(path.iterdir()) and not (path / MARK).is_file():
        raise ArgumentError(
            f"The target {target} holds files that the workbench did not make.",
            "Nothing of yours is ever replaced.",
            f"Give another name, such as {target}-tuned, or move what is there.",
        )
