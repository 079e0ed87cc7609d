"""What a model's name tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.providers import model_names
from workbench.providers.reading import CODECS


@pytest.mark.parametrize(
    ("model", "source", "type_"),
    [
        ("gpt-4o-mini", "openai", "llm"),
        ("gpt-9-unheard-of", "openai", ""),
        ("ft:gpt-4o-mini:me::1", "openai", ""),
        ("text-embedding-3-large", "openai", "embed"),
        ("text-embedding-v3", "qwen", "embed"),
        ("qwen-plus", "qwen", "llm"),
        ("qwen-vl-max", "qwen", "vlm"),
        ("qwen2.5-vl-embedding", "qwen", "cross_modal_embed"),
        ("qwen3-rerank", "qwen", "rerank"),
        ("qwen-audio-turbo", "qwen", "stt"),
        ("paraformer-v2", "qwen", "stt"),
        ("cosyvoice-v2", "qwen", "tts"),
        ("wanx2.1-t2i-turbo", "qwen", "sd"),
        ("qwen-image-edit-plus", "qwen", "image_editing"),
        ("glm-5.3", "glm", "llm"),
        ("glm-4v-flash", "glm", "vlm"),
        ("rerank", "glm", "rerank"),
        ("moonshot-v1-8k", "kimi", ""),
        ("deepseek-reasoner", "deepseek", ""),
        ("claude-opus-5-5", "anthropic", "llm"),
        ("gemini-3.8-flash", "gemini", "llm"),
        ("gemini-embedding-2", "gemini", "cross_modal_embed"),
        ("SenseChat-Vision", "sensenova", "vlm"),
        ("doubao-seedream-4-0-250828", "doubao", "sd"),
        ("ep-20250101-abcde", "doubao", ""),
        ("BAAI/bge-reranker-v2-m3", "siliconflow", "rerank"),
        ("FunAudioLLM/SenseVoiceSmall", "siliconflow", "stt"),
        ("whisper-1", "openai", "stt"),
        ("x1", "sparkdesk", "llm"),
        ("ernie-4.5-turbo", "qianfan", ""),
        ("MiniMax-M9", "minimax", ""),
        ("llama3:8b", "", ""),
        ("internvl3", "", "vlm"),
        ("bge-large-zh-v1.5", "", "embed"),
        ("stable-diffusion-3", "", "sd"),
        ("", "", ""),
    ],
)
def test_a_name_tells_its_vendor_and_type(model: str, source: str, type_: str) -> None:
    assert model_names.source_of(model) == source
    assert model_names.type_of(model) == type_


@pytest.mark.parametrize(
    ("type_", "name"),
    [("text2image", "sd"), ("SD", "sd"), ("LLM", "llm"), ("multimodal_embed", "cross_modal_embed"), ("vlm", "vlm")],
)
def test_types_have_one_name(type_: str, name: str) -> None:
    assert model_names.canonical(type_) == name


@given(st.text(max_size=40))
def test_any_text_is_a_name(model: str) -> None:
    assert model_names.type_of(model) in ("", *CODECS)
    assert isinstance(model_names.source_of(model), str)
