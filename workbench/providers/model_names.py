"""What a model's name tells without asking anyone: whose it is, and of which type. Names the vendors' files list come first;
what is left is told by parts of the name that vendors use alike. Does not know addresses or keys.
"""

from __future__ import annotations

import re

from . import catalog

SAME = {"chat": "llm", "text2image": "sd", "multimodal_embed": "cross_modal_embed", "embedding": "embed", "reranker": "rerank", "ocr": "vlm"}
_PARTS: tuple[tuple[str, str], ...] = (
    (
        "cross_modal_embed",
        r"(vl|vision|multimodal|cross-?modal|clip)[-_.a-z0-9]*embed|embed[-_.a-z0-9]*(vl|vision|multimodal)|\b(meta|jina-)?clip\b|siglip"
        r"|jina-embeddings-v4|bge-(vl|visualized)|(^|[-_/.])col(pali|qwen|smolvlm|idefics)",
    ),
    ("rerank", r"rerank|(^|/)cross-encoder/|ms-marco-|monot5"),
    (
        "embed",
        r"embed|(^|[-_/])(bge|gte|e5|m3e|tao|sbert|simcse|contriever|splade|text2vec)-|(^|/)sentence-transformers/|all-minilm|all-mpnet|(^|[-_/.])colbert"
        r"|(^|[-_/.])stella[-_]",
    ),
    (
        "stt",
        r"(^|[-_/.])(asr|stt)([-_/.]|$)|whisper|transcri|paraformer|sensevoice|sense-voice|telespeech|voxtral|wav2vec2?|hubert-"
        r"|(^|[-_/.])(parakeet|canary|moonshine|fun-?asr|firered-?asr)",
    ),
    (
        "tts",
        r"(^|[-_/.])(x?tts|ttsd|speech)([-_/.]|$)|cosyvoice|chattts|indextts|orpheus|moss-tts|speecht5|musicgen|kokoro|(^|[-_/.])(bark|vits|csm-1b|dia-1)([-_.]|$)",
    ),
    ("image_editing", r"image-?edit|-edit([-_.\d]|$)|kontext|imageedit|pix2pix|inpaint"),
    (
        "sd",
        r"image|dall-?e|seedream|cogview|(^|[-_/.])flux|wanx|(^|[-_/])wan\d|t2i|kolors|stable-?diffusion|(^|[-_/.])sdxl|(^|[-_/.])sd(-turbo|[-_.]?v?\d)|imagen|nova-canvas"
        r"|sensenova-u|pixart|hunyuandit|(^|[-_/.])playground-v\d|lumina-image|hidream-i1|(^|[-_/.])sana[-_]",
    ),
    (
        "vlm",
        r"(^|[-_/.\d])vl([-_/.\d]|$)|vision|\dv([-_.]|$)|\d\.\dv([-_.]|$)|internvl|llava|omni|qvq|minicpm-[vo]|vlm|multimodal|pixtral|molmo|paligemma|idefics|moondream"
        r"|florence-2|ovis\d|(^|[-_/.\d])ocr([-_/.\d]|$)|llama-4-|gemma-3-(4|12|27)b|gemma-3n|qwen2-audio|kimi-audio|ultravox",
    ),
)


def canonical(type: str) -> str:
    """The one name of a type: ``text2image`` is ``sd``, ``chat`` is ``llm``; in lower case."""
    lower = type.strip().lower()
    return SAME.get(lower, lower)


def type_of(model: str, source: str = "") -> str:
    """The type that a model's name tells, or an empty text when it tells none; with a source only that vendor's file is read."""
    if not model:
        return ""
    name = model.lower()
    listed, vendor = "", catalog.find(source) if source else None
    for provider in [vendor] if vendor is not None else catalog.every():
        for type_, capability in provider.capabilities.items():
            if model == capability.default_model:
                return type_
            listed = listed or (type_ if model in capability.models else "")
    return listed or next((type_ for type_, pattern in _PARTS if re.search(pattern, name)), "")


def source_of(model: str) -> str:
    """The source that a model's name tells: one that lists it, else the one with the longest beginning; or an empty text."""
    if not model:
        return ""
    listed, longest, found = "", 0, ""
    name = model.lower()
    for provider in catalog.every():
        if not listed and any(model == c.default_model or model in c.models for c in provider.capabilities.values()):
            listed = provider.name
        for prefix in provider.prefixes:
            if name.startswith(prefix.lower()) and len(prefix) > longest:
                longest, found = len(prefix), provider.name
    return found or listed
