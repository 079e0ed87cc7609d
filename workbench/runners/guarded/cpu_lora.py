"""Keeps LoRA adapters from the answers of the model itself, where vLLM 0.32 computes both at once on a CPU.

Its table of adapters is indexed with -1 for the tokens of a request without one (``vllm/lora/punica_wrapper/utils.py``); its operators for CPUs
take that for the last adapter of the table (``bgmv_shrink`` in ``vllm/lora/ops/torch_ops/lora_ops.py``, on which the other operators
build), those for GPUs skip it. Imports nothing.
"""

from __future__ import annotations

from typing import Any


def mend(module: Any) -> None:
    """Let the operator give zeros for tokens that have no adapter; a module that has it no more is left as it is."""
    shrink = getattr(module, "bgmv_shrink", None)
    if shrink is None:
        return

    def bgmv_shrink(inputs: Any, lora_b_weights: Any, output_tensor: Any, lora_indices_tensor: Any, scaling: float = 1.0) -> None:
        shrink(inputs, lora_b_weights, output_tensor, lora_indices_tensor, scaling)
        output_tensor.masked_fill_((lora_indices_tensor < 0).unsqueeze(-1), 0)

    module.bgmv_shrink = bgmv_shrink
