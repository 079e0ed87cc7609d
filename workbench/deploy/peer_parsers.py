"""Which parser of SGLang, LMDeploy and LightLLM reads a model's tool calls, as data: those of vLLM under their names there.

Names: ``function_call/parser_names.py`` of SGLang 0.5.23, ``serve/parsers/tool_parser`` of LMDeploy 0.18.0 and ``server/api_cli.py`` of LightLLM's
main branch. Thinking is told apart by our client: with a parser of theirs for it, a schema holds only from the end of the thinking on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core.specs import DeploySpec
from . import model_files, vllm_parsers
from .common import served_name

_SGLANG = {
    "apertus": "apertus2509",
    "deepseek_v3": "deepseekv3",
    "deepseek_v31": "deepseekv31",
    "deepseek_v32": "deepseekv32",
    "deepseek_v4": "deepseekv4",
    "deepseek_v41": "deepseekv41",
    "dots": "dots",
    "gemma4": "gemma4",
    "glm45": "glm",
    "glm47": "glm47",
    "hermes": "hermes",
    "hunyuan_a13b": "hunyuan",
    "internlm": "interns1",
    "k2_horizon": "k2_horizon",
    "kimi_k2": "kimi_k2",
    "kimi_k3": "kimi_k3",
    "lfm2": "lfm2",
    "llama3_json": "llama3",
    "llama4_pythonic": "pythonic",
    "mimo": "mimo",
    "minimax_m2": "minimax-m2",
    "minimax_m3": "minimax-m3",
    "mistral": "mistral",
    "openai": "gpt-oss",
    "poolside_v1": "poolside_v1",
    "qwen3_coder": "qwen3_coder",
    "step3": "step3",
    "step3p5": "step3p5",
}
_LMDEPLOY = {
    "deepseek_v32": "deepseek-v32",
    "deepseek_v4": "deepseek-v4",
    "glm47": "glm47",
    "hermes": "qwen3",
    "internlm": "internlm",
    "kimi_k2": "kimi-k2",
    "llama3_json": "llama3",
    "qwen3_coder": "qwen3coder",
}
_LIGHTLLM = {
    "deepseek_v3": "deepseekv3",
    "deepseek_v31": "deepseekv31",
    "deepseek_v32": "deepseekv32",
    "glm47": "glm47",
    "hermes": "qwen25",
    "kimi_k2": "kimi_k2",
    "llama3_json": "llama3",
    "mistral": "mistral",
    "qwen3_coder": "qwen3_coder",
}
NAMES: Mapping[str, Mapping[str, str]] = {"sglang": _SGLANG, "lmdeploy": _LMDEPLOY, "lightllm": _LIGHTLLM}
"""Engine → the parser as vLLM calls it → as the engine calls it."""


def tool_parser(engine: str, spec: DeploySpec) -> str:
    """The engine's parser for the tool calls of a model; empty where it makes none, or in a way that the engine cannot read."""
    if spec.type not in ("llm", "vlm"):
        return ""
    folder = Path(spec.model)
    own = Path(spec.chat_template or str(spec.arguments.get("chat_template") or ""))
    template = own.read_text(encoding="utf-8", errors="replace") if own.is_file() else model_files.chat_template(folder)
    names = (served_name(spec), folder.name, model_files.architecture(folder))
    return NAMES[engine].get(vllm_parsers.tool_parser(template, names), "")
