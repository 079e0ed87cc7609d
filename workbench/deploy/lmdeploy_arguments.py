"""The arguments of LMDeploy's server, as data: the names that the parser of ``lmdeploy serve api_server`` of LMDeploy 0.18.0 has, with
underscores (https://lmdeploy.readthedocs.io/en/latest/llm/api_server.html).

Not among them: what the workbench sets itself (model, its name, address, key, certificates, allowed origins, adapters).
"""

from __future__ import annotations

_NAMES = """
allow_terminate_by_client allowed_media_domains async backend cache_block_seq_len cache_max_entry_count chat_template communicator cp
cudagraph_capture_batch_sizes device disable_fastapi_docs disable_metrics dist_init_addr distributed_executor_backend
dllm_block_length dllm_confidence_threshold dllm_denoising_steps dllm_unmasking_strategy download_dir dp dtype eager_mode empty_init
enable_abort_handling enable_eplb enable_microbatch enable_prefix_caching enable_return_routed_experts ep generation_config hf_overrides
kernel_block_size kv_transfer_config language_model_only log_level logprobs_mode max_batch_size max_concurrent_requests max_log_len
max_prefill_iters max_prefill_token_num migration_backend model_format moe_a2a_backend nnodes node_rank num_gpu_blocks num_tokens_per_iter
piecewise_cudagraph_max_tokens prefix_cache_decode_state_interval prefix_cache_state_budget quant_policy reasoning_parser revision role
rope_scaling_factor session_len speculative_algorithm speculative_dflash_block_size speculative_draft_model speculative_num_draft_tokens
tool_call_parser tp trust_remote_code vision_max_batch_size
"""
ARGUMENTS = frozenset(_NAMES.split())
ALIASES = {
    "tensor_parallel_size": "tp",
    "data_parallel_size": "dp",
    "max_model_len": "session_len",
    "max_num_seqs": "max_batch_size",
    "quantization": "model_format",
    "kv_cache_dtype": "quant_policy",
    "enforce_eager": "eager_mode",
    "lmdeploy_eager_mode": "eager_mode",
    "LMDEPLOY_EAGER_MODE": "eager_mode",
    "tool_parser": "tool_call_parser",
    "async_": "async",
}
"""Names that vLLM and other front ends have for the same."""
RETIRED = {
    "disable_vision_encoder": "Give language_model_only=True.",
    "use_logn_attn": "Leave it out.",
}
"""Names that LMDeploy has given up, and what to write instead."""
