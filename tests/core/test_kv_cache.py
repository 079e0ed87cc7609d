"""The cache of well-known models against the numbers that were published for them."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.core.kv_cache import CacheShape, of_config, of_gguf

LLAMA_8B = {"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_size": 4096}
QWEN_72B = {"num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "hidden_size": 8192}
LLAMA_405B = {"num_hidden_layers": 126, "num_attention_heads": 128, "num_key_value_heads": 8, "hidden_size": 16384}
DEEPSEEK_V3 = {
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "hidden_size": 7168,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
}
GEMMA3 = {
    "model_type": "gemma3",
    "text_config": {
        "num_hidden_layers": 34,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "hidden_size": 2560,
        "sliding_window": 1024,
        "sliding_window_pattern": 6,
    },
}


@pytest.mark.parametrize(
    ("config", "bytes_a_token"),
    [
        pytest.param(DEEPSEEK_V3, 70_272, id="DeepSeek-V3: 70.272 KB, arXiv 2505.09343, table 1"),
        pytest.param(QWEN_72B, 327_680, id="Qwen-2.5 72B: 327.680 KB, the same table"),
        pytest.param(LLAMA_405B, 516_096, id="LLaMA-3.1 405B: 516.096 KB, the same table"),
    ],
)
def test_a_token_takes_what_was_published(config: dict[str, Any], bytes_a_token: int) -> None:
    shape = of_config(config)
    assert shape is not None
    assert shape.numbers(1) * 2 == bytes_a_token


def test_a_long_sequence_takes_what_vllm_says() -> None:
    shape = of_config(LLAMA_8B)  # "To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed"
    assert shape is not None
    assert shape.numbers(131_072) * 2 == 16 << 30


def test_heads_are_shared_out_and_never_split() -> None:
    shape = of_config(LLAMA_8B)
    assert shape is not None
    assert shape.per_layer(2) * 2 == shape.per_layer()
    assert shape.per_layer(16) == shape.per_layer(8)
    latent = of_config(DEEPSEEK_V3)
    assert latent is not None
    assert latent.per_layer(8) == latent.per_layer() == 576
    assert latent.per_layer(compressed=False) == 128 * (192 + 128)


def test_layers_with_a_window_keep_no_more_than_that() -> None:
    shape = of_config(GEMMA3)
    assert shape is not None
    assert (shape.full_layers, shape.window_layers, shape.window) == (5, 29, 1024)
    assert shape.numbers(32_768) == shape.per_layer() * (5 * 32_768 + 29 * 1024)
    assert shape.numbers(32_768, windows=False) == shape.per_layer() * 34 * 32_768
    kinds = ["sliding_attention", "full_attention"] * 18
    assert of_config({**LLAMA_8B, "num_hidden_layers": 36, "layer_types": kinds, "sliding_window": 128}) == CacheShape(18, 18, 128, 32, 8, 128, 128)


@pytest.mark.parametrize(
    ("more", "full", "local"),
    [
        ({"sliding_window": 4096}, 0, 32),
        ({"sliding_window": 4096, "use_sliding_window": False}, 32, 0),
        ({"sliding_window": 4096, "use_sliding_window": True, "max_window_layers": 28}, 28, 4),
        ({"layer_types": ["linear_attention"] * 24 + ["full_attention"] * 8}, 8, 0),
        ({"full_attention_interval": 4}, 8, 0),
        ({"num_kv_shared_layers": 10}, 22, 0),
    ],
)
def test_which_layers_keep_what(more: dict[str, Any], full: int, local: int) -> None:
    shape = of_config({**LLAMA_8B, **more})
    assert shape is not None
    assert (shape.full_layers, shape.window_layers) == (full, local)


@pytest.mark.parametrize(
    "config",
    [{}, {"num_hidden_layers": 2}, {"num_hidden_layers": "many", "num_attention_heads": 4}, {"num_hidden_layers": 0, "num_attention_heads": 4}],
)
def test_what_is_not_told_is_not_guessed(config: dict[str, Any]) -> None:
    assert of_config(config) is None


def test_other_names_for_the_same() -> None:
    falcon = of_config({"n_layer": 32, "n_head": 71, "hidden_size": 4544, "multi_query": True})
    glm = of_config(
        {
            "num_layers": 40,
            "num_attention_heads": 32,
            "hidden_size": 4096,
            "multi_query_attention": True,
            "multi_query_group_num": 2,
            "kv_channels": 128,
        }
    )
    assert falcon is not None
    assert glm is not None
    assert (falcon.kv_heads, falcon.key) == (1, 64)
    assert (glm.kv_heads, glm.key) == (2, 128)


def test_a_gguf_tells_the_same_as_the_configuration() -> None:
    values = {
        "general.architecture": "llama",
        "llama.block_count": 32,
        "llama.attention.head_count": 32,
        "llama.attention.head_count_kv": 8,
        "llama.embedding_length": 4096,
    }
    assert of_gguf(values) == of_config(LLAMA_8B)
    hybrid = {**values, "llama.attention.head_count_kv": 32}
    shape = of_gguf(hybrid, {"llama.attention.head_count_kv": (0, 0, 0, 8) * 8})
    assert shape is not None
    assert (shape.full_layers, shape.kv_heads) == (8, 8)
    assert of_gguf({"general.architecture": "bert"}) is None
