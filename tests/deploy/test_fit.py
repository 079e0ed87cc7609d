"""Whether well-known models fit well-known devices, and the argument that would make them."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.core.kv_cache import of_config
from workbench.core.models import ModelMeta
from workbench.deploy.fit import Device, fit, larger_cache, tighter

GIB = 1 << 30


def described(config: dict[str, Any], parameters: int, context: int, vocabulary: int, **more: Any) -> ModelMeta:
    shape = of_config(config)
    assert shape is not None
    details = {"cache": shape.to_json(), "hidden_size": config["hidden_size"], "tied": False, **more.pop("details", {})}
    return ModelMeta(
        "/models/x",
        "x",
        "safetensors",
        type="llm",
        parameters=parameters,
        size_bytes=more.pop("size", parameters * 2),
        dtype=more.pop("dtype", "bfloat16"),
        context_length=context,
        vocabulary=vocabulary,
        details=details,
    )


QWEN3_8B = described(
    {"num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "hidden_size": 4096},
    8_190_735_360,
    40_960,
    151_936,
)
LLAMA_70B = described(
    {"num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "hidden_size": 8192}, 70_553_706_496, 131_072, 128_256
)


def machine(total: float, free: float, count: int = 1, memory: float = 60) -> list[Device]:
    gpus = [Device(f"GPU {i}", int(total * GIB), int(free * GIB), True) for i in range(count)]
    return [*gpus, Device("memory", 64 * GIB, int(memory * GIB))]


def test_the_parts_are_those_of_the_model() -> None:
    found = fit(QWEN3_8B, "vllm", {}, machine(80, 79))
    assert found is not None
    assert found.fits
    assert found.fix == ""
    assert found.weights == 16_381_470_720
    assert found.kv_per_token == 147_456
    assert found.kv == 40_960 * 147_456  # "(5.62 GiB KV cache is needed" in vLLM's words
    assert round(found.kv / GIB, 2) == 5.62
    assert found.need == int(80 * GIB * 0.92)  # vLLM takes its part of the device whole


@pytest.mark.parametrize(
    ("arguments", "weights", "kv_per_token"),
    [
        ({"dtype": "float32"}, 8_190_735_360 * 4, 147_456 * 2),
        ({"kv_cache_dtype": "fp8"}, 16_381_470_720, 147_456 // 2),
        ({"tensor_parallel_size": 2}, 8_190_735_360, 147_456 // 2),
        ({"pipeline_parallel_size": 2}, 8_190_735_360, 147_456 // 2),
    ],
)
def test_arguments_change_the_parts(arguments: dict[str, Any], weights: int, kv_per_token: int) -> None:
    found = fit(QWEN3_8B, "vllm", arguments, machine(80, 79, 2))
    assert found is not None
    assert (found.weights, found.kv_per_token) == (weights, kv_per_token)


def test_four_bits_leave_the_vocabulary_as_it_is() -> None:
    found = fit(QWEN3_8B, "vllm", {"quantization": "bitsandbytes"}, machine(24, 23.5))
    assert found is not None
    tables = 2 * 151_936 * 4096
    assert found.weights == int((8_190_735_360 - tables) * 0.5625 + tables * 2)


@pytest.mark.parametrize(
    ("engine", "arguments", "devices", "fix"),
    [
        ("vllm", {"gpu_memory_utilization": 0.7}, machine(24, 23.5), "gpu_memory_utilization=0.95"),
        ("vllm", {}, machine(80, 40), "gpu_memory_utilization=0.5"),
        ("vllm", {"max_model_len": 32768}, machine(16, 15.5, 2), "tensor_parallel_size=2"),
        ("vllm", {}, machine(24, 21), "gpu_memory_utilization=0.87, max_model_len="),
        ("vllm", {}, machine(20, 19.5), "max_model_len="),
        ("vllm", {}, machine(16, 15.5), "quantization="),
        ("vllm", {"kv_cache_memory_bytes": "1G"}, machine(80, 79), "max_model_len=7168"),
        ("vllm", {"kv_cache_memory_bytes": "1G", "max_model_len": 16384}, machine(80, 79), "kv_cache_memory_bytes="),
        ("vllm", {"kv_cache_memory_bytes": "1G", "max_model_len": 40960}, machine(20, 19.5), "max_model_len=7168"),
        ("vllm", {"kv_cache_memory_bytes": "70G", "max_model_len": 8192}, machine(80, 79), "kv_cache_memory_bytes="),
        ("sglang", {}, machine(24, 21), "context_length="),
        ("lmdeploy", {}, machine(16, 15.5, 2), "tp=2"),
        ("transformers", {}, machine(16, 15.5), "quantization='bnb-8bit'"),
        ("transformers", {}, machine(4, 3.5), "device='cpu'"),
        ("transformers", {"cb_num_blocks": 100_000}, machine(80, 79), "cb_num_blocks="),
        ("vllm", {"kv_cache_memory_bytes": "1K", "max_model_len": 256}, machine(80, 79), "kv_cache_memory_bytes="),
        ("vllm", {"kv_cache_memory_bytes": "900G"}, machine(80, 79), "kv_cache_memory_bytes="),
        ("llama_cpp", {"n_ctx": 1_000_000}, machine(80, 79), "n_ctx="),
        ("llama_cpp", {"outtype": "f32"}, machine(80, 79, memory=24), "outtype='q8_0'"),
    ],
)
def test_the_argument_that_helps_is_named_and_helps(engine: str, arguments: dict[str, Any], devices: list[Device], fix: str) -> None:
    found = fit(QWEN3_8B, engine, arguments, devices)
    assert found is not None
    assert not found.fits
    assert found.fix.startswith(fix)
    changed = {**arguments, **eval(f"dict({found.fix})")}
    after = fit(QWEN3_8B, engine, changed, devices)
    assert after is not None
    assert after.fits


def test_a_length_is_the_longest_that_fits() -> None:
    found = fit(QWEN3_8B, "vllm", {"kv_cache_memory_bytes": 2 * GIB}, machine(80, 79))
    assert found is not None
    assert found.device == "kv_cache_memory_bytes"
    assert found.fix == f"max_model_len={2 * GIB // 147_456 // 1024 * 1024}"


def test_a_cache_that_is_too_small_for_the_length_gets_the_bytes_that_it_needs() -> None:
    asked = {"kv_cache_memory_bytes": "1G", "max_model_len": 16_300}
    found = fit(QWEN3_8B, "vllm", asked, machine(80, 79))
    assert found is not None
    assert found.fix == f"kv_cache_memory_bytes='{-(-(16_384 + 128) * 147_456 // (64 << 20)) * 64}M'"  # whole blocks, and one more
    assert larger_cache(QWEN3_8B, "vllm", asked, machine(80, 79), 5 * GIB) == "kv_cache_memory_bytes='5120M'"
    assert larger_cache(QWEN3_8B, "vllm", asked, machine(80, 79), 90 * GIB) == ""
    assert larger_cache(QWEN3_8B, "vllm", {"kv_cache_memory_bytes": "9G"}, machine(80, 79), 5 * GIB) == ""
    assert larger_cache(QWEN3_8B, "vllm", {"max_model_len": 16_384}, machine(80, 79), 5 * GIB) == ""


def test_two_arguments_where_one_is_not_enough_and_none_where_nothing_helps() -> None:
    small = fit(QWEN3_8B, "vllm", {}, machine(12, 11.5))
    none = fit(LLAMA_70B, "vllm", {}, machine(8, 7.5))
    assert small is not None
    assert none is not None
    assert small.fix.startswith("quantization='fp8', max_model_len=")
    assert not none.fits
    assert none.fix == ""


def test_a_large_model_needs_several_devices() -> None:
    found = fit(LLAMA_70B, "vllm", {"max_model_len": 8192}, machine(80, 79, 4))
    assert found is not None
    assert not found.fits
    assert found.fix == "tensor_parallel_size=2"


def test_quantized_files_count_as_they_are() -> None:
    awq = described(
        {"num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "hidden_size": 4096},
        2_100_000_000,
        40_960,
        151_936,
        size=6_100_000_000,
        details={"quantization": "awq"},
    )
    found = fit(awq, "vllm", {"max_model_len": 8192}, machine(12, 11.8))
    assert found is not None
    assert found.fits
    assert found.weights == 6_100_000_000


def test_what_is_not_known_is_not_refused() -> None:
    unknown = ModelMeta("/models/x", "x", "safetensors")
    assert fit(unknown, "vllm", {}, machine(8, 7)) is None
    assert fit(QWEN3_8B, "an engine of a plugin", {}, machine(8, 7)) is None
    assert fit(QWEN3_8B, "vllm", {}, []) is None
    assert fit(LLAMA_70B, "vllm", {"tensor_parallel_size": 16}, machine(80, 79)) is None  # several machines


def test_a_model_without_a_cache_is_its_weights() -> None:
    embedder = ModelMeta(
        "/m", "bge", "safetensors", type="embed", parameters=568_000_000, size_bytes=2_272_000_000, dtype="float32", context_length=8192
    )
    found = fit(embedder, "sentence_transformers", {}, [Device("memory", 4 * GIB, 2 * GIB)])
    assert found is not None
    assert not found.fits
    assert (found.kv, found.weights) == (0, 2_272_000_000)


def test_lengths_are_read_as_people_write_them() -> None:
    as_text = fit(QWEN3_8B, "vllm", {"max_model_len": "8k"}, machine(80, 79))
    auto = fit(QWEN3_8B, "vllm", {"max_model_len": "auto"}, machine(24, 23.8))
    assert as_text is not None
    assert auto is not None
    assert (as_text.tokens, auto.tokens) == (8000, 1)
    assert auto.fits


def test_after_it_ran_out_the_argument_asks_for_less() -> None:
    assert tighter(QWEN3_8B, "llama_cpp", {"n_ctx": 65_536}, machine(80, 79)).startswith("n_ctx=")
    assert tighter(QWEN3_8B, "an engine of a plugin", {}, machine(80, 79)) == ""


def test_a_calculation_is_told_in_one_line() -> None:
    found = fit(QWEN3_8B, "vllm", {"max_model_len": 4096}, machine(24, 23.5))
    parts = "weights 15.3 GiB, cache 576 MiB for 4,096 tokens (144 KiB each), about "
    assert str(found).startswith(f"fits: needs 22.1 GiB of 23.5 GiB free on GPU 0 ({parts}")


def test_vllm_without_a_gpu_leaves_most_of_the_memory_to_others() -> None:
    here = [Device("memory", 64 * GIB, 40 * GIB)]
    asked = fit(QWEN3_8B, "vllm", {"max_model_len": 131_072}, here)
    own = fit(QWEN3_8B, "vllm", {}, here)
    assert asked is not None
    assert own is not None
    assert (own.fits, asked.fits) == (True, False)
    assert asked.fix.startswith("max_model_len=")
    assert int(asked.fix.partition("=")[2]) * 147_456 <= 0.4 * (40 * GIB - asked.weights)


def test_no_length_is_advised_that_is_longer_than_the_model_was_made_for() -> None:
    found = fit(QWEN3_8B, "llama_cpp", {"n_ctx": 2**31 - 1, "n_parallel": 2}, machine(80, 79))
    assert found is not None
    assert not found.fits
    assert found.fix == f"n_ctx={2 * QWEN3_8B.context_length}"
