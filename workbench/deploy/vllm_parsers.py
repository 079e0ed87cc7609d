"""Which parser of vLLM reads a model's tool calls and its thinking, as data: told from what the chat template writes, else from names.

The parsers are those of vLLM 0.32 (``vllm/tool_parsers``, ``vllm/reasoning``; https://docs.vllm.ai/en/latest/features/tool_calling/).
A template that mentions no tools gets none: the model was not taught to call any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """A parser, and how one sees that it is the right one: everything that is given has to be found.

    ``template`` is text of the chat template, ``name`` a pattern for the model's name or architecture in small letters.
    """

    parser: str
    template: str = ""
    name: str = ""


TOOLS: tuple[Row, ...] = (
    Row("openai", "<|channel|>", "gpt.?oss"),
    Row("qwen3_coder", "<function=", "qwen"),
    Row("seed_oss", "<seed:tool_call>"),
    Row("mimo", "<function=", "mimo"),
    Row("nemotron_v3", "<function=", "nemotron"),
    Row("step3p5", "<function=", "step"),
    Row("dots", "<dots_function_call>"),
    Row("k2_horizon", "<ifm|tool_call"),
    Row("plamo3", "<|plamo:begin_tool"),
    Row("apertus", "<|tools_prefix|>"),
    Row("step3", "<｜tool_calls_begin｜>"),
    Row("poolside_v1", "<arg_key>", "poolside|laguna"),
    Row("glm47", "<arg_key>", "glm.?(4[._]?[789]|5)"),
    Row("glm45", "<arg_key>"),
    Row("minimax_m3", "<minimax:tool_call>", "m3"),
    Row("minimax_m2", "<minimax:tool_call>"),
    Row("deepseek_v41", "<｜DSML｜ calls>"),
    Row("deepseek_v4", "<｜DSML｜tool_calls>"),
    Row("deepseek_v32", "<｜DSML｜"),
    Row("deepseek_v31", "<｜tool▁calls▁begin｜>", "v3[._]?1"),
    Row("deepseek_v3", "<｜tool▁calls▁begin｜>"),
    Row("kimi_k3", "<|tool_calls_section_begin|>", "k3"),
    Row("kimi_k2", "<|tool_calls_section_begin|>"),
    Row("hunyuan_a13b", "<tool_calls>", "hunyuan"),
    Row("jamba", "<tool_calls>", "jamba"),
    Row("ernie45", "<tool_call>", "ernie"),
    Row("internlm", "<|action_start|>"),
    Row("lfm2", "<|tool_call_start|>"),
    Row("mistral", "[TOOL_CALLS]"),
    Row("phi4_mini_json", "<|tool_call|>", "phi"),
    Row("granite", "<|tool_call|>", "granite"),
    Row("granite4", "<tool_call>", "granite"),
    Row("functiongemma", "<start_function_call>"),
    Row("gemma4", "<|tool_call>", "gemma"),
    Row("cohere_command3", "<|START_ACTION|>"),
    Row("longcat", "<longcat_tool_call>"),
    Row("llama4_pythonic", "<|python_start|>"),
    Row("llama3_json", "<|python_tag|>"),
    Row("llama3_json", '"parameters"', "llama"),
    Row("olmo3", "<function_calls>", "olmo"),
    Row("xlam", "tool", "xlam"),
    Row("hermes", "<tool_call>"),
)
REASONING: tuple[Row, ...] = (
    Row("openai_gptoss", "<|channel|>", "gpt.?oss"),
    Row("deepseek_r1", "<think>", "(r1|qwq)"),
    Row("deepseek_v4", "<think>", "deepseek.*v4"),
    Row("deepseek_v3", "<think>", "deepseek"),
    Row("k2_horizon", "<ifm|think"),
    Row("plamo3", "<|plamo:begin_think"),
    Row("poolside_v1", "<think>", "poolside|laguna"),
    Row("glm47", "<think>", "glm.?(4[._]?[789]|5)"),
    Row("glm45", "<think>", "glm"),
    Row("minimax_m3", "<mm:think>"),
    Row("minimax_m2", "<think>", "minimax"),
    Row("kimi_k3", "<|open|>think<|sep|>"),
    Row("kimi_k2", "<think>", "kimi"),
    Row("hunyuan_a13b", "<think>", "hunyuan"),
    Row("ernie45", "<think>", "ernie"),
    Row("olmo3", "<think>", "olmo"),
    Row("mimo", "<think>", "mimo"),
    Row("nemotron_v3", "<think>", "nemotron"),
    Row("step3p5", "<think>", "step.?3[._]?5"),
    Row("step3", "<think>", "step"),
    Row("seed_oss", "<seed:think>"),
    Row("mistral", "[THINK]"),
    Row("granite", "Here is my thought process"),
    Row("gemma4", "<|channel>thought", "gemma"),
    Row("cohere_command3", "<|START_THINKING|>"),
    Row("qwen3", "<think>", "qwen3"),
    Row("qwen3", "enable_thinking"),
)
_OTHER_TOOLS = {"nemotron_v3": "qwen3_coder"}  # a family that writes its calls as another does


def tool_parser(template: str, names: Iterable[str]) -> str:
    """The parser for the tool calls of a model with this chat template; empty where it makes none."""
    found = _first(TOOLS, template, names) if "tool" in template else ""
    return _OTHER_TOOLS.get(found, found)


def reasoning_parser(template: str, names: Iterable[str]) -> str:
    """The parser for the thinking that a model writes before its answer; empty where it writes none."""
    return _first(REASONING, template, names)


def _first(rows: Iterable[Row], template: str, names: Iterable[str]) -> str:
    called = " ".join(names).lower()
    for row in rows:
        if row.template in template and re.search(row.name, called):
            return row.parser
    return ""
