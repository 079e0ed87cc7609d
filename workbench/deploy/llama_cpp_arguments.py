"""The arguments of llama.cpp's server that people set, as data: where each lives in its parameters, of what kind it is, and its other names.

From ``llama-server --help`` and ``common/common.h`` of October 2026; a test lets llama.cpp's own parser read what is here. Address, key and
model are not arguments; the workbench sets them.
"""

from __future__ import annotations

from typing import NamedTuple


class Argument(NamedTuple):
    """One argument.

    Attributes
    ----------
    places : tuple of str
        Where it lives in xllamacpp's ``CommonParams``; none for what `llama_cpp_values` makes something else of.
    kind : str
        ``int``, ``number``, ``switch``, ``text``, ``texts``, ``file``, ``numbers``, ``layers``, ``mapping``, ``mask``, ``adapters``, or one of
        `llama_cpp_values.WORDS`.
    flag : str
        Its flag in ``llama-server``, without the dashes.
    """

    places: tuple[str, ...]
    kind: str
    flag: str


# name | kind | place, where it is not the name | flag, where it is not the name with dashes | other names; one that begins with ! means the opposite
_TABLE = """
n_ctx                  | int     | | ctx-size | c context_length context_size ctx_len max_context_len max_total_token_num num_ctx
n_batch                | int     | | batch-size | b num_batch
n_ubatch               | int     | | ubatch-size | ub
n_parallel             | int     | | parallel | np num_parallel max_num_seqs
n_predict              | int     | | predict | n num_predict
n_keep                 | int     | | keep | num_keep
n_threads              | int     | cpuparams.n_threads | threads | t num_thread
n_threads_batch        | int     | cpuparams_batch.n_threads | threads-batch | tb
n_threads_http         | int     | | threads-http |
n_gpu_layers           | layers  | | gpu-layers | ngl num_gpu
main_gpu               | int     | | | mg
split_mode             | split   | | | sm
tensor_split           | numbers | | | ts
override_tensor        | text    | - | | ot tensor_buft_overrides
cpu_moe                | switch  | - | | cmoe
n_cpu_moe              | int     | - | | ncmoe
n_cpu_ffn              | int     | - | | ncffn
moe_cache_mib          | int     | - | |
flash_attn_type        | onoff   | | flash-attn | fa flash_attention
cache_type_k           | cache   | | | ctk type_k
cache_type_v           | cache   | | | ctv type_v
kv_unified             | switch  | | | kvu !no_kvu
kv_unified_per_slot    | int     | | |
cont_batching          | switch  | | | cb !nocb
ctx_shift              | switch  | | context-shift |
swa_full               | switch  | | |
no_kv_offload          | switch  | | | nkvo !kv_offload !kvo !offload_kqv
no_op_offload          | switch  | | | !op_offload
no_extra_bufts         | switch  | | no-repack | nr !repack
no_host                | switch  | | |
numa                   | numa    | | | numa_strategy
load_mode              | loading | | | lm
lazy_mode              | onoff   | | | lzm
warmup                 | switch  | | |
check_tensors          | switch  | | |
no_perf                | switch  | no_perf sampling.no_perf | | !perf
fit_params             | switch  | | fit |
fit_ctx                | int     | fit_params_min_ctx | | fitc fit_params_min_ctx
fit_target             | numbers | - | | fitt fit_params_target
cache_prompt           | switch  | | |
cache_ram_mib          | int     | | cache-ram | cram
cache_idle_slots       | switch  | | |
n_cache_reuse          | int     | | cache-reuse |
n_ctx_checkpoints      | int     | | ctx-checkpoints | ctxcp swa_checkpoints
checkpoint_min_step    | int     | | | cms
slot_prompt_similarity | number  | | | sps
slot_save_path         | text    | | |
rope_scaling_type      | rope    | | rope-scaling |
rope_scale             | number  | - | |
rope_freq_base         | number  | | | rope_frequency_base
rope_freq_scale        | number  | | | rope_frequency_scale
yarn_orig_ctx          | int     | | |
yarn_ext_factor        | number  | | |
yarn_attn_factor       | number  | | |
yarn_beta_fast         | number  | | |
yarn_beta_slow         | number  | | |
cpu_mask               | mask    | - | | C
cpu_strict             | switch  | cpuparams.strict_cpu cpuparams_batch.strict_cpu | |
prio                   | prio    | cpuparams.priority cpuparams_batch.priority | | priority
poll                   | int     | cpuparams.poll cpuparams_batch.poll | |
chat_template          | text    | | |
enable_chat_template   | switch  | | |
default_template_kwargs | mapping | | chat-template-kwargs |
use_jinja              | switch  | | jinja |
force_pure_content_parser | switch | | skip-chat-parsing |
reasoning_format       | thought | | |
enable_reasoning       | onoff   | - | reasoning | rea
reasoning_effort       | text    | - | |
reasoning_preserve     | switch  | - | |
reasoning_budget       | int     | sampling.reasoning_budget_tokens | | reasoning_budget_tokens
reasoning_budget_message | text  | sampling.reasoning_budget_message | |
prefill_assistant      | switch  | | |
special                | switch  | | | sp
embedding              | switch  | | |
pooling_type           | pooling | | pooling |
embd_normalize         | int     | | |
timeout                | int     | timeout_read timeout_write | | to
timeout_read           | int     | | timeout |
timeout_write          | int     | | timeout |
sse_ping_interval      | int     | | |
sleep_idle_seconds     | int     | | |
verbosity              | int     | | | lv log_verbosity
mmproj                 | file    | mmproj.path | | mm clip_model_path
mmproj_use_gpu         | switch  | | mmproj-offload |
mmproj_device          | text    | | | mmdev
image_min_tokens       | int     | | |
image_max_tokens       | int     | | |
mtmd_batch_max_tokens  | int     | | |
video_fps              | number  | | |
media_path             | text    | | |
lora_adapters          | adapters | - | lora |
seed                   | int     | sampling.seed | | s
temp                   | number  | sampling.temp | | temperature
top_k                  | int     | sampling.top_k | |
top_p                  | number  | sampling.top_p | |
min_p                  | number  | sampling.min_p | |
typ_p                  | number  | sampling.typ_p | typical | typical_p
dynatemp_range         | number  | sampling.dynatemp_range | |
dynatemp_exponent      | number  | sampling.dynatemp_exponent | dynatemp-exp |
penalty_last_n         | int     | sampling.penalty_last_n | repeat-last-n |
penalty_repeat         | number  | sampling.penalty_repeat | repeat-penalty | repetition_penalty
penalty_freq           | number  | sampling.penalty_freq | frequency-penalty |
penalty_present        | number  | sampling.penalty_present | presence-penalty |
dry_multiplier         | number  | sampling.dry_multiplier | |
dry_base               | number  | sampling.dry_base | |
dry_allowed_length     | int     | sampling.dry_allowed_length | |
dry_penalty_last_n     | int     | sampling.dry_penalty_last_n | |
xtc_probability        | number  | sampling.xtc_probability | |
xtc_threshold          | number  | sampling.xtc_threshold | |
adaptive_target        | number  | sampling.adaptive_target | |
adaptive_decay         | number  | sampling.adaptive_decay | |
mirostat               | int     | sampling.mirostat | |
mirostat_tau           | number  | sampling.mirostat_tau | mirostat-ent |
mirostat_eta           | number  | sampling.mirostat_eta | mirostat-lr |
n_probs                | int     | sampling.n_probs | |
min_keep               | int     | sampling.min_keep | |
ignore_eos             | switch  | sampling.ignore_eos | |
samplers               | texts   | sampling.samplers | |
backend_sampling       | switch  | sampling.backend_sampling | | bs
spec_type              | draft   | speculative.types | |
spec_draft_model       | file    | speculative.draft.mparams.path | | md model_draft draft_model
spec_draft_n_max       | int     | speculative.draft.n_max | | draft draft_n draft_max
spec_draft_n_min       | int     | speculative.draft.n_min | | draft_n_min draft_min
spec_draft_p_min       | number  | speculative.draft.p_min | | draft_p_min
spec_draft_p_split     | number  | speculative.draft.p_split | | draft_p_split
spec_draft_ngl         | layers  | speculative.draft.n_gpu_layers | | ngld gpu_layers_draft n_gpu_layers_draft
spec_draft_type_k      | cache   | speculative.draft.cache_type_k | | ctkd cache_type_k_draft
spec_draft_type_v      | cache   | speculative.draft.cache_type_v | | ctvd cache_type_v_draft
spec_draft_threads     | int     | speculative.draft.cpuparams.n_threads | | td threads_draft
spec_draft_threads_batch | int   | speculative.draft.cpuparams_batch.n_threads | | tbd threads_batch_draft
spec_draft_sampling    | drafting | - | |
override_tensor_draft  | text    | speculative.draft.tensor_buft_overrides | | otd spec_draft_override_tensor
lookup_cache_static    | text    | speculative.ngram_cache.lookup_cache_static | | lcs
lookup_cache_dynamic   | text    | speculative.ngram_cache.lookup_cache_dynamic | | lcd
spec_draft_backend_sampling | switch | speculative.draft.backend_sampling | |
spec_ngram_mod_n_min   | int     | speculative.ngram_mod.n_min | |
spec_ngram_mod_n_max   | int     | speculative.ngram_mod.n_max | |
spec_ngram_mod_n_match | int     | speculative.ngram_mod.n_match | |
spec_ngram_simple_size_n | int   | speculative.ngram_simple.size_n | |
spec_ngram_simple_size_m | int   | speculative.ngram_simple.size_m | |
spec_ngram_simple_min_hits | int | speculative.ngram_simple.min_hits | |
spec_ngram_map_k_size_n | int    | speculative.ngram_map_k.size_n | |
spec_ngram_map_k_size_m | int    | speculative.ngram_map_k.size_m | |
spec_ngram_map_k_min_hits | int  | speculative.ngram_map_k.min_hits | |
spec_ngram_map_k4v_size_n | int  | speculative.ngram_map_k4v.size_n | |
spec_ngram_map_k4v_size_m | int  | speculative.ngram_map_k4v.size_m | |
spec_ngram_map_k4v_min_hits | int | speculative.ngram_map_k4v.min_hits | |
"""


def _read(table: str) -> tuple[dict[str, Argument], dict[str, str], dict[str, str]]:
    arguments: dict[str, Argument] = {}
    aliases: dict[str, str] = {}
    opposites: dict[str, str] = {}
    for line in table.strip().splitlines():
        name, kind, place, flag, others = (part.strip() for part in line.split("|"))
        places = () if place == "-" else tuple(place.split()) or (name,)
        arguments[name] = Argument(places, kind, flag or name.replace("_", "-"))
        names = [name, (flag or name).replace("-", "_"), *others.split()]
        aliases |= {other: name for other in names if not other.startswith("!")}
        opposites |= {other[1:]: name for other in names if other.startswith("!")}
        if kind == "switch" and not name.startswith("no_"):
            opposites |= {f"no_{other}": name for other in names if not other.startswith("!")}
    return arguments, {k: v for k, v in aliases.items() if k not in arguments}, {k: v for k, v in opposites.items() if k not in arguments}


ARGUMENTS, ALIASES, OPPOSITES = _read(_TABLE)
"""The arguments; other names → ours (llama.cpp's flags, llama-cpp-python's, Ollama's and vLLM's); names that say the opposite → ours."""
ALIASES |= {"embeddings": "embedding"}
LOADING: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("mmap", "use_mmap"), ("mmap", "none")),
    **dict.fromkeys(("mlock", "use_mlock"), ("mlock", "")),
    **dict.fromkeys(("direct_io", "dio"), ("dio", "")),
    "no_mmap": ("none", ""),
}
"""Switches of older versions → the ``load_mode`` that on and off mean; empty for none in particular."""

CHOICES = ("gguf", "outtype", "enable_lora")
"""What is not the server's: which of several GGUF files, what a conversion writes, and whether adapters may be loaded while it runs."""
OUTTYPES = ("q8_0", "f16", "bf16", "f32", "tq1_0", "tq2_0", "auto")
QUANTIZED = ("q4_k_m", "q4_k_s", "q5_k_m", "q5_k_s", "q6_k", "q3_k_m", "q2_k", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl", "iq4_xs")
"""What a conversion writes in two steps: the converter 16 bits, and ggml fewer of them."""
SLOTS = 4
"""How many answers are made side by side, where nobody says."""

ELSEWHERE = {
    **dict.fromkeys(("model", "m", "model_url", "mu", "hf_repo", "hf", "hfr", "hf_file", "hff", "model_path"), "Name it in wb.TrainableModule(…)."),
    **dict.fromkeys(("host", "reuse_port", "path", "api_prefix"), "The server listens on 127.0.0.1; deploy_method(…, port=…) asks for a port."),
    **dict.fromkeys(("api_key_file", "ssl_key_file", "ssl_cert_file"), "Every deployment has a key of its own: m.endpoint knows it."),
    **dict.fromkeys(("alias", "a"), "Callers use the model's name."),
    **dict.fromkeys(("metrics", "slots", "props"), "The workbench reads them itself: m.job shows them."),
    **dict.fromkeys(("rerank", "reranking"), "Write wb.TrainableModule(…, type='rerank')."),
    **dict.fromkeys(("chat_template_file",), "Write deploy_method(…, chat_template=…): it takes a file, a text or a name."),
    **dict.fromkeys(("grammar", "grammar_file", "json_schema", "json_schema_file", "j", "jf"), "Give it with a question: m(…, response_format=…)."),
    **dict.fromkeys(("logit_bias", "l", "reverse_prompt", "r", "stop", "top_n_sigma", "top_nsigma"), "Give it with a question: m(…)."),
    **dict.fromkeys(("sampler_seq", "sampling_seq"), "Write samplers='top_k;top_p;temperature'."),
    **dict.fromkeys(("hf_token", "hft", "offline"), "Models are fetched before they are served: wb.config says from where, and with which token."),
    **dict.fromkeys(("cpu_range", "Cr"), "Write cpu_mask=, in hexadecimal digits."),
    **dict.fromkeys(("verbose", "v", "log_verbose"), "Write verbosity=4."),
    **dict.fromkeys(("log_disable", "log_file", "log_jsonl", "log_colors", "log_prefix", "log_timestamps"), "m.job has the log."),
    **dict.fromkeys(("ui", "webui", "no_ui", "no_webui", "ui_config", "tools", "agent", "mcp_servers_config"), "The server has no web page here."),
    **dict.fromkeys(("cors_origins", "cors_methods", "cors_headers", "cors_credentials"), "The server is for programs of this machine."),
    **dict.fromkeys(("lora_init_without_apply",), "Write adapters={'name': …}: callers choose by the name."),
    **dict.fromkeys(("lora_scaled",), "Write lora_adapters={'adapter.gguf': 0.5}."),
    **dict.fromkeys(
        ("control_vector", "control_vector_scaled", "override_kv", "rpc", "dry_sequence_breaker"), "xllamacpp, its wheel, does not offer it."
    ),
    **dict.fromkeys(("no_mmproj", "mmproj_auto", "no_mmproj_auto", "mmproj_url", "mmu"), "Write type='llm' for no eyes, or mmproj= their file."),
    **dict.fromkeys(("device", "dev"), "Set CUDA_VISIBLE_DEVICES, or write n_gpu_layers=0 for none."),
}
"""Arguments of ``llama-server`` that are not given here, and what to do instead, as a sentence."""


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
