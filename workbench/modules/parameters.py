"""The parameters a call may carry, so that a misspelt one is refused before it is sent. Knows names, not meanings.

The names are those of OpenAI's chat completions, and the sampling parameters that llama.cpp, vLLM and transformers add. What
an engine knows beyond them goes through ``extra_body={…}``, as in OpenAI's own client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ArgumentError, unknown_argument
from . import schemas

OPENAI = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "store",
        "temperature",
        "tool_choice",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
ENGINES = frozenset(
    {
        "add_generation_prompt",
        "add_special_tokens",
        "allowed_token_ids",
        "bad_words",
        "best_of",
        "cache_prompt",
        "cache_salt",
        "chat_template_kwargs",
        "continue_final_message",
        "do_sample",
        "documents",
        "dry_multiplier",
        "echo",
        "enable_thinking",
        "generation_config",
        "grammar",
        "guided_choice",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "ignore_eos",
        "include_reasoning",
        "include_stop_str_in_output",
        "json_schema",
        "kv_transfer_params",
        "length_penalty",
        "logprob_token_ids",
        "media_io_kwargs",
        "min_p",
        "min_tokens",
        "mirostat",
        "mirostat_eta",
        "mirostat_tau",
        "mm_processor_kwargs",
        "n_predict",
        "n_probs",
        "priority",
        "prompt_logprobs",
        "repeat_last_n",
        "repeat_penalty",
        "repetition_detection",
        "repetition_penalty",
        "return_token_ids",
        "return_tokens_as_token_ids",
        "samplers",
        "skip_special_tokens",
        "spaces_between_special_tokens",
        "stop_token_ids",
        "structured_outputs",
        "thinking_token_budget",
        "top_k",
        "truncate_prompt_tokens",
        "truncation_side",
        "typical_p",
        "use_beam_search",
        "vllm_xargs",
        "watermarking",
        "xtc_probability",
        "xtc_threshold",
    }
)
KNOWN = OPENAI | ENGINES

_BESIDE = frozenset({"extra_body", "files", "lazyllm_files", "llm_chat_history", "max_retries", "stream", "stream_output", "tools"})


def check(parameters: Mapping[str, Any], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The parameters to send, ``extra_body`` spread over them.

    Parameters
    ----------
    optional : frozenset of str
        Names that are allowed beyond the known ones.

    Raises
    ------
    ArgumentError
        For a name nobody knows; the nearest known name is in the message.
    """
    if not parameters:
        return {}
    sent = dict(parameters)
    extra = sent.pop("extra_body", None) or {}
    if not isinstance(extra, Mapping):
        raise ArgumentError(f"extra_body cannot be a {type(extra).__name__}.", "", "Give a dict of the engine's own parameters.")
    for name in sent:
        if name not in KNOWN and name not in optional:
            raise unknown_argument("A call", name, {*KNOWN, *optional, *_BESIDE})
    return schemas.written({**sent, **extra})
