"""Whose a model is that people name without its organisation, as tutorials do: ``qwen2-1.5b`` is ``Qwen/Qwen2-1.5B``. Data; asks nobody.

A name that is known exactly comes first, then the beginning of a family's names. What is in neither is asked for as it stands: some old
models have no organisation. Hugging Face takes names in any case; mirrors of it and ModelScope may not, so that those of Qwen are written
as Qwen writes them.
"""

from __future__ import annotations

import re

_EXACT: dict[str, tuple[str, str]] = {
    "internvl-chat-2b-v1-5": ("OpenGVLab/Mini-InternVL-Chat-2B-V1-5", "OpenGVLab/Mini-InternVL-Chat-2B-V1-5"),
    "sensevoicesmall": ("FunAudioLLM/SenseVoiceSmall", "iic/SenseVoiceSmall"),
    "stable-diffusion-3-medium": ("stabilityai/stable-diffusion-3-medium-diffusers", "AI-ModelScope/stable-diffusion-3-medium-diffusers"),
    "stable-diffusion-v1-5": ("stable-diffusion-v1-5/stable-diffusion-v1-5", "AI-ModelScope/stable-diffusion-v1-5"),
}
_FAMILIES: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), huggingface, modelscope or huggingface)
    for pattern, huggingface, modelscope in (
        (r"qwen|qwq|qvq", "Qwen", ""),
        (r"bge-", "BAAI", ""),
        (r"internvl|mini-internvl", "OpenGVLab", ""),
        (r"internlm", "internlm", "Shanghai_AI_Laboratory"),
        (r"deepseek-", "deepseek-ai", ""),
        (r"glm-", "zai-org", "ZhipuAI"),
        (r"baichuan", "baichuan-inc", ""),
        (r"(meta-)?llama-", "meta-llama", "LLM-Research"),
        (r"mistral-|mixtral-|ministral-", "mistralai", ""),
        (r"gemma-|embeddinggemma", "google", ""),
        (r"phi-", "microsoft", "LLM-Research"),
        (r"minicpm", "openbmb", "OpenBMB"),
        (r"gte-(qwen|multilingual|modernbert|reranker)", "Alibaba-NLP", ""),
        (r"jina-", "jinaai", ""),
        (r"(multilingual-)?e5-", "intfloat", ""),
        (r"all-minilm|all-mpnet|paraphrase-", "sentence-transformers", ""),
        (r"ms-marco-", "cross-encoder", ""),
        (r"whisper-", "openai", "openai-mirror"),
        (r"mms-tts|musicgen-", "facebook", ""),
        (r"bark(-|$)", "suno", ""),
        (r"flux\.", "black-forest-labs", ""),
        (r"stable-diffusion-|sdxl-", "stabilityai", "AI-ModelScope"),
    )
)
_QWEN = re.compile(r"qwen(?=[\d-])|(?<=\d)b(?=-|$)|(?<=-)(?:instruct|chat|base|coder|embedding|reranker|vl|omni|awq|gptq|int[48]|fp8|a(?=\d))")


def full(name: str, source: str) -> str:
    """A model's name with its organisation at ``huggingface`` or ``modelscope``; the same where it has one, or nobody knows."""
    lower = name.lower()
    if "/" in name:
        return name
    place = 1 if source == "modelscope" else 0
    if lower in _EXACT:
        return _EXACT[lower][place]
    family = next((f for f in _FAMILIES if f[0].match(lower)), None)
    if family is None:
        return name
    owner = family[1 + place]
    return f"{owner}/{_as_qwen(name) if owner == 'Qwen' and name == lower else name}"


def _as_qwen(name: str) -> str:
    """``qwen2.5-7b-instruct`` as ``Qwen2.5-7B-Instruct``."""
    return _QWEN.sub(lambda m: m[0].upper() if len(m[0]) < 3 or m[0] in ("awq", "fp8") else m[0].title(), name)
