"""What vLLM has to be told on a machine without a GPU, where its own defaults take the whole memory and every core.

Source: https://docs.vllm.ai/en/latest/getting_started/installation/cpu/ and ``vllm/v1/worker/cpu_worker.py`` (0.32).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core import kv_cache
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import model_files

BINDING = "VLLM_CPU_OMP_THREADS_BIND"
TILES = "WORKBENCH_CPU_TILES"  # `runners/guarded/cpu_tiles.py` reads it
GPU_QUANTIZATIONS = frozenset({"bitsandbytes", "gguf"})
_SEQUENCES = 8  # of full length that have room at once
_SMALLEST, _STEP = 64 << 20, 64 << 20
_SHARE = 0.4  # of the memory that the weights leave: others use this machine, too


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a server on a CPU, but for what the user's environment says.

    Unbound it does not take all cores for itself alone (``OMP_NUM_THREADS`` says how many it uses). It then computes in the engine's own process:
    one process less to start, a third of the time and of the memory of a small model. vLLM takes a process for each worker in order to bind
    its threads, and still does so for several workers.
    """
    out = {TILES: "1"}
    if BINDING not in given:
        out |= {BINDING: "nobind", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    return {name: value for name, value in out.items() if name not in given}


def check(spec: DeploySpec) -> None:
    """Refuse what the build for CPUs cannot do.

    Raises
    ------
    ArgumentError
    """
    method = spec.arguments.get("quantization")
    if method in GPU_QUANTIZATIONS or _own_method(Path(spec.model)) in GPU_QUANTIZATIONS or spec.model.endswith(".gguf"):
        name = "gguf" if spec.model.endswith(".gguf") else method or _own_method(Path(spec.model))
        raise ArgumentError(
            f"vLLM's build for CPUs cannot serve {name} weights.",
            "Their kernels are made for GPUs.",
            "Choose deploy_method(workbench.deploy.llama_cpp) for GGUF files, or give the model without that quantization.",
        )


def defaults(spec: DeploySpec, free: int) -> dict[str, Any]:
    """The arguments that a user did not give and vLLM needs here.

    Parameters
    ----------
    spec : DeploySpec
        With vLLM's own names for its arguments.
    free : int
        Bytes of memory that are free now.
    """
    given, out = spec.arguments, dict[str, Any]()
    if not {"enforce_eager", "compilation_config", "optimization_level"} & set(given):
        out["enforce_eager"] = True
    if not {"kv_cache_memory_bytes", "gpu_memory_utilization", "device_memory_utilization", "num_gpu_blocks_override"} & set(given):
        config = model_files.config(Path(spec.model))
        own = model_files.context_length(config)
        asked = given.get("max_model_len")
        room, fits = cache_bytes(
            config, int(asked) if isinstance(asked, int) and asked > 0 else own, free - model_files.weights_size(Path(spec.model))
        )
        out["kv_cache_memory_bytes"] = f"{room >> 20}M"
        if not fits and "max_model_len" not in given:
            out["max_model_len"] = "auto"  # the longest that fits
    return out


def cache_bytes(config: Mapping[str, Any], context: int, free: int) -> tuple[int, bool]:
    """Bytes for the KV cache, and whether a sequence of full length fits: room for some of them, and never most of the memory."""
    shape = kv_cache.of_config(config)
    one = 2 * shape.numbers(context) if shape else 0  # keys and values have two bytes each
    most = max(_SMALLEST, int(free * _SHARE))
    wanted = max(_SMALLEST, one * _SEQUENCES)
    room = min(-(-wanted // _STEP) * _STEP, most // _STEP * _STEP)
    return room, one <= room


def _own_method(folder: Path) -> str:
    quantization = model_files.config(folder).get("quantization_config")
    return str(quantization.get("quant_method", "")) if isinstance(quantization, dict) else ""
