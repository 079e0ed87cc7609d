"""A model's weights rounded and packed as the files of quantized models have them: ``quantized(folder, "gptq", to)``.

Plain rounding to the nearest, in groups of `GROUP` inputs: no calibration, so that nothing but the layout of the file is under test.
The layouts are those of the published tools: AutoGPTQ (the first version, whose zero points are stored less one), AutoAWQ's ``gemm``,
compressed-tensors' ``pack-quantized`` and ``int-quantized``, and the ``fp8`` of transformers with a scale for each matrix. Written by the
interpreter of vLLM's environment, which has torch and safetensors. It knows matrices of linear layers only.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

FORMS = ("gptq", "awq", "compressed-tensors-4", "compressed-tensors-8", "compressed-tensors-fp8", "compressed-tensors-fp8-static", "fp8", "fp8-block")
BLOCK = 128
GROUP = 32
AWQ_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)


def quantized(folder: Path, form: str, to: Path) -> Path:
    """Write the model of ``folder`` to ``to``, quantized in one of `FORMS`, and return ``to``."""
    from workbench import envs

    command = [str(envs.ensure("vllm")), __file__, str(folder), form, str(to)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return to


def _write(folder: Path, form: str, to: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.gguf", "*.safetensors"))
    tensors: dict[str, Any] = {}
    for name, tensor in load_file(folder / "model.safetensors").items():
        stem, is_matrix = name.removesuffix(".weight"), name.endswith("_proj.weight")
        new = _layer(tensor.float(), form) if is_matrix else {"weight" if name.endswith(".weight") else "": tensor}
        tensors.update({f"{stem}.{part}" if part else name: t.contiguous() for part, t in new.items()})
    save_file(tensors, to / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (to / "config.json").write_text(json.dumps({**config, "quantization_config": _config(form)}))


def _layer(weight: Any, form: str) -> dict[str, Any]:
    """The tensors of one linear layer; ``weight`` is outputs × inputs."""
    import torch

    rows, columns = weight.shape
    if form == "fp8":
        scale = weight.abs().max() / 448.0
        return {"weight": (weight / scale).to(torch.float8_e4m3fn), "weight_scale": scale.reshape(1)}
    if form == "fp8-block":  # as DeepSeek's and Qwen's own: a scale for each square
        tall, wide = -(-rows // BLOCK), -(-columns // BLOCK)
        padded = torch.zeros(tall * BLOCK, wide * BLOCK)
        padded[:rows, :columns] = weight
        squares = padded.reshape(tall, BLOCK, wide, BLOCK)
        scale = squares.abs().amax(dim=(1, 3)) / 448.0
        codes = (squares / scale[:, None, :, None]).reshape(tall * BLOCK, wide * BLOCK)[:rows, :columns]
        return {"weight": codes.to(torch.float8_e4m3fn), "weight_scale_inv": scale}
    if form == "compressed-tensors-fp8":
        scale = weight.abs().amax(dim=1, keepdim=True) / 448.0
        return {"weight": (weight / scale).to(torch.float8_e4m3fn), "weight_scale": scale}
    if form == "compressed-tensors-fp8-static":
        scale = weight.abs().max() / 448.0
        return {"weight": (weight / scale).to(torch.float8_e4m3fn), "weight_scale": scale.reshape(1), "input_scale": torch.tensor([0.05])}
    if form == "compressed-tensors-8":
        scale = weight.abs().amax(dim=1, keepdim=True) / 127.0
        return {"weight": (weight / scale).round().to(torch.int8), "weight_scale": scale}
    grouped = weight.reshape(rows, columns // GROUP, GROUP)
    if form == "awq":  # with zero points of its own
        low, high = grouped.amin(dim=2).clamp(max=0), grouped.amax(dim=2).clamp(min=0)
        scale = (high - low) / 15
        zero = (-low / scale).round()
    else:
        scale = grouped.abs().amax(dim=2) / 7.5
        zero = torch.full_like(scale, 8)
    codes = ((grouped / scale[..., None]).round() + zero[..., None]).clamp(0, 15).reshape(rows, columns).to(torch.int64)
    if form == "gptq":
        return {
            "qweight": _packed(codes.t().reshape(columns // 8, 8, rows).transpose(1, 2)),
            "qzeros": _packed((zero.t().to(torch.int64) - 1).reshape(-1, rows // 8, 8)),
            "scales": scale.t().half(),
            "g_idx": torch.arange(columns, dtype=torch.int32) // GROUP,
        }
    if form == "awq":
        return {
            "qweight": _packed(codes.t().reshape(columns, rows // 8, 8)[..., AWQ_ORDER]),
            "qzeros": _packed(zero.t().to(torch.int64).reshape(-1, rows // 8, 8)[..., AWQ_ORDER]),
            "scales": scale.t().half(),
        }
    shape = torch.tensor([rows, columns])
    return {"weight_packed": _packed(codes.reshape(rows, columns // 8, 8)), "weight_scale": scale.bfloat16(), "weight_shape": shape}


def _packed(codes: Any) -> Any:
    """Eight numbers of four bits in one of 32, the first one lowest: … × 8 → …"""
    import torch

    whole = (codes << (4 * torch.arange(8))).sum(dim=-1)
    return torch.where(whole >= 1 << 31, whole - (1 << 32), whole).to(torch.int32)


def _config(form: str) -> dict[str, Any]:
    if form == "gptq":
        return {"quant_method": "gptq", "bits": 4, "group_size": GROUP, "desc_act": False, "sym": True, "checkpoint_format": "gptq"}
    if form == "awq":
        return {"quant_method": "awq", "bits": 4, "group_size": GROUP, "zero_point": True, "version": "gemm", "modules_to_not_convert": ["lm_head"]}
    if form.startswith("fp8"):
        square = {"weight_block_size": [BLOCK, BLOCK]} if form == "fp8-block" else {}
        return {"quant_method": "fp8", "activation_scheme": "dynamic", **square}
    weights: dict[str, Any] = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": GROUP}
    group: dict[str, Any] = {"targets": ["Linear"], "weights": weights}
    if form == "compressed-tensors-8":
        group["weights"] = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}
        group["input_activations"] = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "token", "dynamic": True}
    if "fp8" in form:
        static = form.endswith("static")
        group["weights"] = {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "tensor" if static else "channel"}
        group["input_activations"] = {
            "num_bits": 8,
            "type": "float",
            "symmetric": True,
            "strategy": "tensor" if static else "token",
            "dynamic": not static,
        }
    return {
        "quant_method": "compressed-tensors",
        "format": "float-quantized" if "fp8" in form else "int-quantized" if form.endswith("8") else "pack-quantized",
        "quantization_status": "compressed",
        "config_groups": {"group_0": group},
        "ignore": ["lm_head"],
    }


if __name__ == "__main__":
    _write(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
