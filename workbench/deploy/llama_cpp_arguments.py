"""The arguments of llama.cpp's server that people set, under its own names: where each lives in its parameters.

Names and meanings: https://github.com/ggml-org/llama.cpp/tree/master/tools/server and ``common/common.h``. Address, key and
model are not arguments; the workbench sets them.
"""

from __future__ import annotations

_PLAIN = """
n_ctx n_batch n_ubatch n_parallel n_predict n_keep n_threads_http n_gpu_layers main_gpu split_mode tensor_split
flash_attn_type cache_type_k cache_type_v kv_unified cont_batching ctx_shift swa_full no_kv_offload no_op_offload
no_extra_bufts numa warmup check_tensors fit_params cache_prompt cache_ram_mib cache_idle_slots n_cache_reuse
slot_prompt_similarity slot_save_path rope_freq_base rope_freq_scale rope_scaling_type yarn_orig_ctx yarn_ext_factor
yarn_attn_factor yarn_beta_fast yarn_beta_slow chat_template enable_chat_template default_template_kwargs use_jinja
reasoning_format enable_reasoning prefill_assistant special embedding pooling_type embd_normalize timeout_read
timeout_write sse_ping_interval sleep_idle_seconds verbosity image_min_tokens image_max_tokens lora_adapters
"""
_SAMPLING = """
seed temp top_k top_p min_p typ_p dynatemp_range dynatemp_exponent penalty_last_n penalty_repeat penalty_freq
penalty_present dry_multiplier dry_base dry_allowed_length dry_penalty_last_n xtc_probability xtc_threshold mirostat
mirostat_tau mirostat_eta n_probs min_keep ignore_eos samplers
"""

PLACES: dict[str, str] = {
    **{name: name for name in _PLAIN.split()},
    **{name: f"sampling.{name}" for name in _SAMPLING.split()},
    "n_threads": "cpuparams.n_threads",
    "n_threads_batch": "cpuparams_batch.n_threads",
    "mmproj": "mmproj.path",
}
CHOICES = ("gguf", "outtype")
"""What is not the server's: which of several GGUF files, and what a conversion writes."""
OUTTYPES = ("q8_0", "f16", "bf16", "f32", "tq1_0", "tq2_0", "auto")
SLOTS = 4
"""How many answers are made side by side, where nobody says."""

ALIASES = {
    **dict.fromkeys(("c", "context_length", "context_size", "ctx_len", "ctx_size", "max_context_len", "max_total_token_num", "num_ctx"), "n_ctx"),
    **dict.fromkeys(("gpu_layers", "ngl", "num_gpu"), "n_gpu_layers"),
    **dict.fromkeys(("num_thread", "t", "threads"), "n_threads"),
    **dict.fromkeys(("max_num_seqs", "np", "num_parallel", "parallel"), "n_parallel"),
    **dict.fromkeys(("ctk",), "cache_type_k"),
    **dict.fromkeys(("ctv",), "cache_type_v"),
    **dict.fromkeys(("fa", "flash_attn", "flash_attention"), "flash_attn_type"),
    **dict.fromkeys(("repeat_penalty", "repetition_penalty"), "penalty_repeat"),
    "b": "n_batch",
    "batch_size": "n_batch",
    "cache_ram": "cache_ram_mib",
    "fit": "fit_params",
    "frequency_penalty": "penalty_freq",
    "jinja": "use_jinja",
    "lora": "lora_adapters",
    "mg": "main_gpu",
    "mm": "mmproj",
    "n": "n_predict",
    "numa_strategy": "numa",
    "predict": "n_predict",
    "presence_penalty": "penalty_present",
    "repeat_last_n": "penalty_last_n",
    "sm": "split_mode",
    "tb": "n_threads_batch",
    "temperature": "temp",
    "threads_batch": "n_threads_batch",
    "ts": "tensor_split",
    "typical_p": "typ_p",
    "ub": "n_ubatch",
    "ubatch_size": "n_ubatch",
}
"""Other names → ours: llama.cpp's flags, llama-cpp-python's, Ollama's and vLLM's."""

FLAGS = {
    "n_ctx": "--ctx-size",
    "n_batch": "--batch-size",
    "n_ubatch": "--ubatch-size",
    "n_parallel": "--parallel",
    "n_predict": "--predict",
    "n_keep": "--keep",
    "n_threads": "--threads",
    "n_threads_batch": "--threads-batch",
    "n_threads_http": "--threads-http",
    "n_gpu_layers": "--gpu-layers",
    "flash_attn_type": "--flash-attn",
    "n_cache_reuse": "--cache-reuse",
    "cache_ram_mib": "--cache-ram",
    "penalty_last_n": "--repeat-last-n",
    "penalty_repeat": "--repeat-penalty",
    "penalty_freq": "--frequency-penalty",
    "penalty_present": "--presence-penalty",
    "typ_p": "--typical",
    "pooling_type": "--pooling",
    "rope_scaling_type": "--rope-scaling",
    "lora_adapters": "--lora",
    "default_template_kwargs": "--chat-template-kwargs",
    "ctx_shift": "--context-shift",
    "fit_params": "--fit",
}
"""Arguments whose flag in ``llama-server`` is not their own name with dashes."""


def defaults_of(generation: dict[str, object]) -> dict[str, object]:
    """Sampling as the model's own ``generation_config.json`` says, so that it answers here as it does in transformers.

    There, a model that does not say ``do_sample`` takes the likeliest token; and sampling without a word on ``top_k``
    means 50.
    """
    if not generation:
        return {}
    if not generation.get("do_sample"):
        return {"temp": 0.0}
    names = (("temp", "temperature", 1.0), ("top_k", "top_k", 50), ("top_p", "top_p", 1.0), ("min_p", "min_p", 0.0))
    out = {ours: theirs if (theirs := generation.get(name)) is not None else default for ours, name, default in names}
    if generation.get("repetition_penalty") is not None:
        out["penalty_repeat"] = generation["repetition_penalty"]
    return out
