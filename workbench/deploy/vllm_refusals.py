"""What to do about a request that vLLM refused, where an argument of the deployment decides it: a pattern in its words, and the fix.

The words are those of vLLM 0.32 (``vllm/multimodal/processing/context.py``, ``vllm/sampling_params.py``, ``vllm/entrypoints/openai``).
"""

from __future__ import annotations

import re

_FIXES: tuple[tuple[str, str], ...] = (
    (
        r"At most (\d+) (\w+)\(s\) may be provided in one prompt",
        "Give no more in one call, or start it with deploy_method(wb.deploy.vllm, limit_mm_per_prompt={{'{1}': …}}) and a larger number than {0}.",
    ),
    (
        r"logprobs of \d+,\s*which is greater than max allowed: (\d+)",
        "Ask for {0} at most, or start it with deploy_method(wb.deploy.vllm, max_logprobs=…).",
    ),
    (
        r"--enable-auto-tool-choice|--tool-call-parser",
        "Its chat template writes tool calls in no form that is known. Where the model writes some, say which with "
        "deploy_method(wb.deploy.vllm, tool_call_parser='hermes'); else bind the answer to a schema with response_format=….",
    ),
    (
        r"does not support Matryoshka",
        "Leave dimensions= out. A model that was trained for shorter vectors and does not say so: "
        "deploy_method(wb.deploy.vllm, hf_overrides={{'is_matryoshka': True}}).",
    ),
)


def fix(message: str) -> str:
    """The next thing to type; empty where the words tell of no such argument."""
    for pattern, text in _FIXES:
        if found := re.search(pattern, message, re.I | re.S):
            return text.format(*(g or "" for g in found.groups()))
    return ""
