"""How each engine uses memory, as data: which of its arguments set lengths, shares and types, and what it needs beside weights and cache.

Sources: vLLM's ``--help`` and ``config/cache.py`` (0.32), LMDeploy's ``TurbomindEngineConfig``, SGLang's and LightLLM's server arguments,
llama.cpp's ``common.h``. What an engine takes beside weights and cache is measured on small models here (on the CPU) or what its
documents tell (on a GPU: context, buffers, graphs), and rounded up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MIB = 1 << 20
NF4, INT8, FP8 = 0.5625, 1.03, 1.0
"""Bytes a weight: bitsandbytes' four bits with a 32-bit factor for 64 (arXiv 2305.14314, 3), its eight bits with the rows' factors, and float8."""
GGUF_BYTES = {
    "q4_0": 18 / 32,
    "q4_1": 20 / 32,
    "q5_0": 22 / 32,
    "q5_1": 24 / 32,
    "q8_0": 34 / 32,
    "f16": 2.0,
    "bf16": 2.0,
    "f32": 4.0,
    "iq4_nl": 18 / 32,
    "iq4_xs": 136 / 256,
    "q2_k": 0.42,
    "q3_k_m": 0.49,
    "q4_k_s": 0.57,
    "q4_k_m": 0.61,
    "q5_k_s": 0.69,
    "q5_k_m": 0.71,
    "q6_k": 210 / 256,
}
"""Bytes a number in llama.cpp's types, a block of 32 or 256 each (``ggml-common.h``); of mixed ones about as many as a model of 8 B has."""
DTYPES = {"float32": 4.0, "float": 4.0, "bfloat16": 2.0, "float16": 2.0, "half": 2.0, "float64": 8.0, "float8": 1.0, "int8": 1.0, "uint8": 1.0}


@dataclass(frozen=True, slots=True)
class Memory:
    """One engine.

    Attributes
    ----------
    length : str
        The argument that says how many tokens must have room at least; empty where it keeps no cache that counts.
    lengths : tuple of str
        Arguments whose product is the room, where it is not one number.
    default_length : int
        Room without that argument, 0 is the model's context.
    slots, slots_default : str and int
        The argument for sequences at once that share the default room, and its default.
    shards : tuple of str
        Arguments that spread the model over devices.
    share, share_default : str and float
        The argument that says which part of a device it takes, and its default.
    share_of : str
        ``total``: it takes that part of the device, used or not; ``free``: weights and cache fit in that part of what is free;
        ``rest``: the cache fits in that part of what the weights leave.
    share_on_cpu : float
        The part of what the weights leave that the cache gets at most where there is no GPU; 0 is no such rule. With it, and without a
        length, the cache takes what there is (see `workbench.deploy.vllm_cpu`).
    cache_bytes : str
        The argument that sets the cache's bytes, instead of a share.
    cache_dtype : tuple of str
        The arguments for the type of keys and values.
    dtype, device : str
        The arguments for the weights' type and for the device.
    quantizations : Mapping of (argument, value) to float
        Quantizations at the start, gentle ones first: bytes a weight.
    compressed, windows : bool
        Whether it keeps latent vectors as they are, and forgets what a window has passed.
    gpu : bool
        Whether it uses a GPU where there is one.
    quantizes_on_cpu : bool
        Whether ``quantizations`` work without a GPU.
    logits : int
        How many rows of the vocabulary's length it keeps a buffer for.
    beside_gpu, beside_cpu : int
        Bytes beside weights and cache.
    """

    length: str = ""
    lengths: tuple[str, ...] = ()
    default_length: int = 0
    slots: str = ""
    slots_default: int = 1
    shards: tuple[str, ...] = ()
    share: str = ""
    share_default: float = 1.0
    share_of: str = ""
    share_on_cpu: float = 0.0
    cache_bytes: str = ""
    cache_dtype: tuple[str, ...] = ()
    dtype: str = ""
    device: str = ""
    quantizations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    compressed: bool = True
    windows: bool = True
    gpu: bool = True
    quantizes_on_cpu: bool = False
    logits: int = 0
    beside_gpu: int = 700 * MIB
    beside_cpu: int = 400 * MIB


ENGINES: Mapping[str, Memory] = {
    "vllm": Memory(
        "max_model_len",
        shards=("tensor_parallel_size", "pipeline_parallel_size"),
        share="gpu_memory_utilization",
        share_default=0.92,
        share_of="total",
        share_on_cpu=0.4,
        cache_bytes="kv_cache_memory_bytes",
        cache_dtype=("kv_cache_dtype",),
        dtype="dtype",
        quantizations={("quantization", "fp8"): FP8, ("quantization", "int8_per_channel_weight_only"): INT8, ("quantization", "bitsandbytes"): NF4},
        beside_gpu=1200 * MIB,
        beside_cpu=1250 * MIB,
    ),
    "sglang": Memory(
        "context_length",
        shards=("tp_size", "pp_size"),
        share="mem_fraction_static",
        share_default=0.88,
        share_of="free",
        cache_dtype=("kv_cache_dtype",),
        dtype="dtype",
        quantizations={("quantization", "fp8"): FP8},
        beside_gpu=500 * MIB,
    ),
    "lmdeploy": Memory(
        "session_len",
        shards=("tp",),
        share="cache_max_entry_count",
        share_default=0.8,
        share_of="rest",
        cache_dtype=("quant_policy",),
        dtype="dtype",
        beside_gpu=900 * MIB,
    ),
    "lightllm": Memory(
        "max_total_token_num",
        default_length=16384,
        shards=("tp",),
        share="mem_fraction",
        share_default=0.9,
        share_of="free",
        dtype="data_type",
        windows=False,
        beside_gpu=900 * MIB,
    ),
    "llama_cpp": Memory(
        "n_ctx",
        default_length=16384,
        slots="n_parallel",
        slots_default=4,
        cache_dtype=("cache_type_k", "cache_type_v"),
        dtype="outtype",
        quantizations={("outtype", "q8_0"): 34 / 32, ("outtype", "q4_k_m"): 0.61},
        gpu=False,
        quantizes_on_cpu=True,
        logits=512,
        beside_cpu=64 * MIB,
    ),
    "transformers": Memory(
        "cb_num_blocks",
        lengths=("cb_num_blocks", "cb_block_size"),
        default_length=8192,
        dtype="dtype",
        device="device",
        quantizations={("quantization", "bnb-8bit"): INT8, ("quantization", "bnb-4bit"): NF4},
        quantizes_on_cpu=True,
        compressed=False,
        windows=False,
        beside_cpu=450 * MIB,
    ),
    "sentence_transformers": Memory(dtype="dtype", device="device", beside_cpu=450 * MIB),
    "infinity": Memory(dtype="dtype", device="device", beside_cpu=450 * MIB),
    "diffusers": Memory(dtype="dtype", device="device", beside_cpu=600 * MIB),
    "speech": Memory(dtype="dtype", device="device", beside_cpu=450 * MIB),
    "sensevoice": Memory(device="device", beside_cpu=450 * MIB),
}
