"""Writes a model with a LoRA adapter merged into its weights: ``merge_lora.py BASE ADAPTER OUT``, with torch and safetensors."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path


def main() -> None:
    from safetensors.torch import load_file, save_file

    base, adapter, out = map(Path, sys.argv[1:])
    shutil.copytree(base, out)
    weights, changes = load_file(base / "model.safetensors"), load_file(adapter / "adapter_model.safetensors")
    config = json.loads((adapter / "adapter_config.json").read_text())
    for name in [n for n in changes if n.endswith(".lora_A.weight")]:
        place = name.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight")
        change = changes[name.replace("lora_A", "lora_B")].float() @ changes[name].float()
        weights[place] = (weights[place].float() + change * config["lora_alpha"] / config["r"]).to(weights[place].dtype)
    save_file(weights, out / "model.safetensors", {"format": "pt"})


if __name__ == "__main__":
    main()
