"""Which LoRA adapter a user means, given as a folder, a fine-tuned module, a target's name or a name on the server, and whether it fits a model.

Knows the folders that fine-tunings leave, ours (``…/adapter``) and LazyLLM's (``…/lazyllm_lora``); loads nothing.
"""

from __future__ import annotations

import json
import re
import struct
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import ArgumentError, ModelNotFound, NotStarted, nearest
from ...settings import settings
from . import runs

_INSIDE = (".", "adapter", "lazyllm_lora", "lora", "*/adapter", "*/lazyllm_lora", "*/*/lazyllm_lora")
_DULL = re.compile(r"adapters?|lazyllm_lora|lazyllm_merge|checkpoint-\d+|final|output")
_LAYER = re.compile(r"\.layers\.(\d+)\.")
_READS_HIDDEN = ("q_proj.lora_A", "k_proj.lora_A", "v_proj.lora_A", "gate_proj.lora_A", "up_proj.lora_A")  # layers whose input is the hidden state
_WRITES_KEYS = ("k_proj.lora_B", "v_proj.lora_B")


class Adapter(NamedTuple):
    """A name for callers, and the folder; without a folder it is one that the server has."""

    name: str
    path: str = ""


def found(value: Any, loaded: Iterable[str] = ()) -> Adapter:
    """The adapter that is meant.

    Parameters
    ----------
    value : str, Path or module
        A folder, or one that a fine-tuning left; a fine-tuned module; a name of those that are ``loaded``; the name of a target.
    loaded : collection of str
        Names that the server knows.

    Raises
    ------
    ModelNotFound
        When there is no such adapter; the nearest name is in the message.
    ArgumentError, NotStarted
        For a module that was not fine-tuned, or as a whole.
    """
    if hasattr(value, "finetuned_model_path"):
        return _of_module(value)
    text = str(value)
    if text in (known := list(loaded)):
        return Adapter(text)
    place = Path(text).expanduser()
    if place.suffix == ".gguf" and place.is_file():  # llama.cpp's own form
        return Adapter(place.stem, str(place.absolute()))
    if place.is_dir():
        folder = inside(place)
        if folder is None:
            whole = runs.usable(place)
            cause = f"{place} holds a whole model." if whole else f"{place} holds no adapter_config.json."
            fix = f"Serve it as a model: wb.TrainableModule({text!r})." if whole else "Give the folder that a LoRA fine-tuning left."
            raise ModelNotFound(f"{text!r} is no LoRA adapter.", cause, fix)
        return Adapter(_name(place), str(folder))
    made = [(run, folder) for run in runs.runs(runs.target_folder(text, "")) if (folder := inside(run)) is not None]
    if made:
        return Adapter(_name(made[-1][0]), str(made[-1][1]))
    near = nearest(text, [*known, *_targets()])
    cause = (
        f"{near!r} is the nearest name."
        if near
        else f"The server has: {', '.join(known)}."
        if known
        else "There is no such folder, and no such target."
    )
    raise ModelNotFound(f"No adapter is called {text!r}.", cause, "Give the folder of an adapter, a fine-tuned module, or the name of its target.")


def several(value: Any) -> dict[str, str]:
    """The adapters of ``adapters=``: one, several, or several by the names that callers use; names that are alike get a number."""
    if isinstance(value, Mapping):
        return {str(name): found(one).path for name, one in value.items()}
    out: dict[str, str] = {}
    for adapter in map(found, value if isinstance(value, list | tuple) else [value]):
        out[free(adapter.name, out)] = adapter.path
    return out


def free(name: str, taken: Iterable[str]) -> str:
    """The name, with a number when it is taken."""
    known, number = set(taken), 1
    while (candidate := name if number == 1 else f"{name}-{number}") in known:
        number += 1
    return candidate


def inside(folder: Path) -> Path | None:
    """The adapter in a folder that a fine-tuning left, the newest of several; None where there is none."""
    for pattern in _INSIDE:
        places = [folder] if pattern == "." else folder.glob(pattern)
        there = [p for p in places if (p / "adapter_config.json").is_file()]
        if there:
            return max(there, key=lambda p: (p / "adapter_config.json").stat().st_mtime).absolute()
    return None


def check_base(adapter: Adapter, model: str) -> None:
    """Whether an adapter belongs to a model: what cannot fit is refused, what is called otherwise is warned of.

    Raises
    ------
    ArgumentError
        When its layers are not those of the model.
    """
    folder, place = Path(adapter.path), Path(model)
    if not adapter.path or not model or not folder.is_dir() or not place.is_dir():
        return
    config = _json(place / "config.json")
    base = str(_json(folder / "adapter_config.json").get("base_model_name_or_path") or "")
    if difference := _difference(folder / "adapter_model.safetensors", _text(config), place.name):
        made_for = f" It was made for {base}." if base else ""
        raise ArgumentError(f"The adapter {adapter.name!r} does not fit {place.name}.", difference + made_for, "Load it beside its own base model.")
    if base and not _same(base, place, str(config.get("_name_or_path") or "")):
        warnings.warn(f"The adapter {adapter.name!r} was made for {base}, and is loaded beside {place}.", stacklevel=4)


def _of_module(module: Any) -> Adapter:
    made = str(module.finetuned_model_path)
    if not made:
        raise NotStarted(f"{module.name} has not been fine-tuned.", "There is no adapter of it.", "Call update() on it first.")
    folder = inside(Path(made))
    if folder is None:
        fix = f"Serve it as a model: wb.TrainableModule({made!r})."
        raise ArgumentError(f"{module.name} has no adapter.", "It was fine-tuned as a whole, or its adapter was not kept.", fix)
    return Adapter(str(module.name), str(folder))


def _name(place: Path) -> str:
    """What callers say: the name of the folder that was given, or of the one above where it says nothing."""
    return next((p.name for p in (place.absolute(), *place.absolute().parents) if p.name and not _DULL.fullmatch(p.name)), place.name)


def _targets() -> list[str]:
    root = settings().target_root
    return [p.name for p in root.iterdir() if p.is_dir()] if root.is_dir() else []


def _same(base: str, model: Path, origin: str) -> bool:
    """Whether a base model's name or path means a folder: the same place, or the same last name."""
    place = Path(base).expanduser()
    if place.is_dir() and place.resolve() == model.resolve():
        return True
    names = {_plain(model.name), _plain(model.resolve().name), _plain(Path(origin).name)} - {""}
    return _plain(place.name) in names


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def _text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = config.get("text_config")
    return inner if isinstance(inner, dict) else config


def _difference(file: Path, config: Mapping[str, Any], model: str) -> str:
    """What of an adapter's layers is not as a model's are, as a sentence; empty where nothing is seen to differ."""
    shapes = _shapes(file)
    hidden, layers = _number(config, "hidden_size"), _number(config, "num_hidden_layers")
    heads, kept = _number(config, "num_attention_heads"), _number(config, "num_key_value_heads")
    head = _number(config, "head_dim") or (hidden // heads if heads else 0)
    deep = max((int(m[1]) + 1 for name in shapes if (m := _LAYER.search(name))), default=0)
    reads = {shape[1] for name, shape in shapes.items() if any(part in name for part in _READS_HIDDEN)}
    keys = {shape[0] for name, shape in shapes.items() if any(part in name for part in _WRITES_KEYS)}
    if hidden and reads and hidden not in reads:
        return f"Its layers read {min(reads)} numbers, those of {model} have {hidden}."
    if layers and deep > layers:
        return f"It changes {deep} layers, {model} has {layers}."
    if (kept or heads) and head and keys and (kept or heads) * head not in keys:  # a layer may differ, not all
        return f"Its keys and values have {min(keys)} numbers, those of {model} have {(kept or heads) * head}."
    return ""


def _shapes(file: Path) -> dict[str, list[int]]:
    """The shapes of a file's matrices; none where it cannot be read."""
    try:
        with file.open("rb") as f:
            size = struct.unpack("<Q", f.read(8))[0]
            header = json.loads(f.read(min(size, 64 << 20)))
    except (OSError, ValueError, struct.error):
        return {}
    tensors = header.items() if isinstance(header, dict) else ()
    found = {name: t.get("shape") for name, t in tensors if isinstance(t, dict)}
    return {name: shape for name, shape in found.items() if isinstance(shape, list) and len(shape) == 2}


def _number(config: Mapping[str, Any], name: str) -> int:
    value = config.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _json(path: Path) -> dict[str, Any]:
    from ...runtime.inspecting.model_evidence import mapping

    return mapping(path)
