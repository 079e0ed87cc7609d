"""Writes LoRA adapters as GGUF files for llama.cpp: ``convert_lora.py SPEC.json``; PEFT's folders in, one file each out.

What llama.cpp's converter does to a model's weights (names, the order of rows) is done to the two halves of each change of them, and checked:
the halves' product must be what the converter makes of the whole change. Standard library, and what the environment ``gguf`` has.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import serving
    from .whole_file import Refused, begin, whole
else:
    import serving
    from whole_file import Refused, begin, whole

_HALF = re.compile(r"^(?:base_model\.model\.)?(.+?)\.lora_([AB])(?:\.\w+)?\.weight$")
_BLOCK = re.compile(r"\.(\d+)\.")


def main() -> None:
    spec = begin()
    serving.report("progress", phase="convert", text="Importing the converter")
    written = 0
    for one in spec["adapters"]:
        target = Path(one["target"])
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole(target, what=f"The adapter {one['name']!r}: ") as part:
            serving.report("progress", phase="convert", text=f"Converting the adapter {one['name']} to GGUF")
            (target.parent / "origin.json").write_text(json.dumps({"model": one["path"], "base": one["base"]}), encoding="utf-8")
            convert(Path(one["base"]), Path(one["path"]), part, one["name"])
        written += target.stat().st_size
    serving.report("result", values={"adapter_bytes": written})
    serving.report("exit", code=0)


def convert(base: Path, adapter: Path, out: Path, name: str) -> None:
    """Write one adapter. Raises `Refused`."""
    import gguf
    import torch
    from conversion import ModelBase, ModelType, get_model_architecture, get_model_class

    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    architecture = get_model_architecture(ModelBase.load_hparams(base, False), ModelType.TEXT)
    try:
        kind: Any = get_model_class(architecture)
    except NotImplementedError:
        raise Refused(f"llama.cpp's converter does not know {architecture}.") from None
    with torch.inference_mode():
        model = kind(base, gguf.LlamaFileType.ALL_F32, out, eager=True)
        alpha = float(config.get("lora_alpha") or config.get("r") or 1)
        writer = gguf.GGUFWriter(out, gguf.MODEL_ARCH_NAMES[model.model_arch])
        writer.add_type("adapter")
        writer.add_name(name)
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        for place, a, b in pairs(adapter):
            written, half_a, half_b = halves(model, place, a, b, bool(config.get("fan_in_fan_out")))
            rank = a.shape[0]
            half_b = half_b * (scale(config, place, rank) * rank / alpha)  # llama.cpp takes alpha / rank for all
            writer.add_tensor(f"{written}.lora_a", half_a.contiguous().numpy())
            writer.add_tensor(f"{written}.lora_b", half_b.contiguous().numpy())
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def pairs(adapter: Path) -> Iterator[tuple[str, Any, Any]]:
    """The changed layers: a layer's name, and the two halves of its change, in 32 bits."""
    found: dict[str, dict[str, Any]] = {}
    for name, tensor in tensors(adapter).items():
        half = _HALF.match(name)
        if half is None:
            raise Refused(f"it changes {name}, which llama.cpp takes from no adapter.")
        found.setdefault(half[1], {})[half[2]] = tensor.float()
    for place, both in found.items():
        if set(both) != {"A", "B"}:
            raise Refused(f"it has only one half of {place}.")
        yield place, both["A"], both["B"]
    if not found:
        raise Refused("it changes nothing.")


def tensors(adapter: Path) -> dict[str, Any]:
    """All tensors of an adapter's file."""
    import torch
    from safetensors.torch import load_file

    if (file := adapter / "adapter_model.safetensors").is_file():
        return dict(load_file(file))
    return dict(torch.load(next(adapter.glob("adapter_model.*")), map_location="cpu", weights_only=True))


def halves(model: Any, place: str, a: Any, b: Any, across: bool) -> tuple[str, Any, Any]:
    """What the converter makes of a layer's change, again in two halves; ``across`` for layers whose weights stand on their side."""
    import torch

    change = b @ a
    name, whole = one_of(model, place, change.T if across else change)
    rows = b if across else one_of(model, place, b)[1]
    if rows.shape[-1] != a.shape[0] or whole.shape != change.shape or not torch.allclose(whole, rows @ a, rtol=1e-3, atol=1e-4 * whole.abs().max()):
        raise Refused(f"llama.cpp keeps {place} in an order that two halves cannot have.")
    return name, a, rows


def one_of(model: Any, place: str, value: Any) -> tuple[str, Any]:
    """The one tensor that the converter makes of a layer's weights."""
    item = model.filter_tensors((f"{place}.weight", lambda: value))
    block = _BLOCK.search(place)
    try:
        made = [] if item is None else list(model.modify_tensors(item[1](), item[0], int(block[1]) if block else None))
    except ValueError as e:
        raise Refused(f"the model has no layer {place} ({e}).") from None
    if len(made) != 1:
        raise Refused(f"llama.cpp makes {len(made) or 'no'} tensors of {place}, and an adapter's is one.")
    return made[0][0].removesuffix(".weight") + ".weight", made[0][1]


def scale(config: dict[str, Any], place: str, rank: int) -> float:
    """How strongly a layer's change counts, as PEFT takes it."""
    alphas = config.get("alpha_pattern") or {}
    alpha = next((v for k, v in alphas.items() if place.endswith(k)), config.get("lora_alpha") or rank)
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


if __name__ == "__main__":
    main()
