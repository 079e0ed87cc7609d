"""The arguments of LightLLM's server, as data: the names in ``lightllm/server/api_cli.py`` of version 1.1.0, its main branch of
2026 (https://lightllm-en.readthedocs.io/en/latest/tutorial/api_server_args.html). Its flags are written with underscores.

Not among them: what the workbench sets itself (model, its name, address), servers that are only a part of one (``run_mode`` and what
belongs to it), and the form of its answers.
"""

from __future__ import annotations

_NAMES = """
afs_embed_capacity afs_image_embed_dir auto_update_redundancy_expert batch_max_tokens cache_capacity chat_template chunked_prefill_size
config_server_host config_server_port config_server_visual_redis_port cpu_cache_storage_size cpu_cache_token_page_size data_type detail_log
disable_aggressive_schedule disable_audio disable_chunked_prefill disable_cudagraph disable_custom_allreduce disable_dynamic_prompt_cache
disable_log_stats disable_shm_warning disable_vision disk_cache_dir disk_cache_storage_size diverse_mode dp dp_balancer embed_cache_storage_size
enable_cpu_cache enable_custom_allgather enable_decode_microbatch_overlap enable_disk_cache enable_dp_prefill_balance enable_dp_prompt_cache_fetch
enable_ep_moe enable_fused_shared_experts enable_monitor_auth enable_mps
enable_prefill_cudagraph enable_prefill_microbatch_overlap enable_torch_fallback enable_tpsp_mix_mode
enable_triton_fallback eos_id ep_redundancy_expert_config_path first_token_constraint_mode graph_grow_step_size graph_max_batch_size
graph_max_len_in_batch graph_split_batch_size grouping_key hardware_platform health_monitor httpserver_workers job_name
kv_quant_calibration_config_path llm_decode_att_backend llm_kv_quant_group_size llm_kv_type llm_prefill_att_backend load_way log_stats_interval
long_truncation_mode mamba_cache_ratio mamba_cache_size mamba_ssm_data_type max_req_total_len max_total_token_num mem_fraction
metric_gateway model_owner mtp_draft_model_dir mtp_mode mtp_step multinode_httpmanager_port multinode_router_gloo_port nccl_host nccl_port
nnodes node_rank output_constraint_mode penalty_counter_mode prefll_cudagraph_max_handle_token push_interval quant_cfg quant_type reasoning_parser
return_all_prompt_logprobs router_max_wait_tokens router_token_ratio running_max_req_size sampling_backend schedule_time_interval
token_healing_mode tokenizer_mode tool_call_parser tp trust_remote_code use_config_server_to_init_nccl
use_dynamic_prompt_cache use_reward_model visual_dp visual_gpu_ids visual_infer_batch_size visual_nccl_ports visual_rpyc_port
visual_send_batch_size visual_tp visual_use_proxy_mode vit_att_backend vit_quant_cfg vit_quant_type zmq_mode
"""
ARGUMENTS = frozenset(_NAMES.split())
ALIASES = {
    "tensor_parallel_size": "tp",
    "tp_size": "tp",
    "data_parallel_size": "dp",
    "max_model_len": "max_req_total_len",
    "session_len": "max_req_total_len",
    "max_total_tokens": "max_total_token_num",
    "max_num_seqs": "running_max_req_size",
    "max_batch_size": "running_max_req_size",
    "dtype": "data_type",
    "quantization": "quant_type",
    "kv_cache_dtype": "llm_kv_type",
    "enforce_eager": "disable_cudagraph",
    "mem_fraction_static": "mem_fraction",
}
"""Names that vLLM and other front ends have for the same."""
_ATTENTION = "Give llm_prefill_att_backend=[…] and llm_decode_att_backend=[…]: 'fa3', 'flashinfer', 'triton' or 'auto'."
RETIRED = {
    "enable_fa3": _ATTENTION,
    "enable_flashinfer_decode": _ATTENTION,
    "enable_flashinfer_prefill": _ATTENTION,
    "enable_multimodal": "Leave it out: the model's files say so, and disable_vision=True turns it off.",
    "enable_multimodal_audio": "Leave it out: the model's files say so, and disable_audio=True turns it off.",
    "max_req_input_len": "Give max_req_total_len=…, which counts the answer, too.",
    "mode": "Give llm_kv_type='int8kv', 'int4kv' or another.",
    "splitfuse_block_size": "Give chunked_prefill_size=….",
    "splitfuse_mode": "Leave it out: long prompts are read in pieces unless disable_chunked_prefill=True.",
}
"""Names that LightLLM has given up, and what to write instead."""
