"""Tokenizers are recognised by how they cut text, and only when that is exactly one of llama.cpp's ways."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench import pocket

_PATH = Path(workbench.__file__).parent / "runners" / "gguf_pretokenizer.py"
_SPEC = importlib.util.spec_from_file_location("gguf_pretokenizer", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
module = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(module)

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def split(pattern: str, **more: Any) -> dict[str, Any]:
    step = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False, **more}
    return {"type": "Sequence", "pretokenizers": [step, {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]}


def tokenizer(pre: dict[str, Any], **model: Any) -> dict[str, Any]:
    return {"model": {"type": "BPE", **model}, "normalizer": None, "pre_tokenizer": pre}


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (tokenizer(split(QWEN2)), "qwen2"),
        ({**tokenizer(split(QWEN2)), "normalizer": {"type": "NFC"}}, "qwen2"),
        (tokenizer(split(LLAMA3), ignore_merges=True), "llama-bpe"),
        (tokenizer(split(LLAMA3)), "smaug-bpe"),
        (tokenizer(BYTE_LEVEL), "gpt-2"),
        (tokenizer({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL]}), "smollm"),
        (tokenizer(split(QWEN2), ignore_merges=True), ""),
        (tokenizer(split(QWEN2, invert=True)), ""),
        (tokenizer(split(QWEN2 + "|x")), ""),
        (tokenizer({**BYTE_LEVEL, "add_prefix_space": True}), ""),
        ({**tokenizer(split(QWEN2)), "normalizer": {"type": "Lowercase"}}, ""),
        ({"model": {"type": "Unigram"}, "pre_tokenizer": BYTE_LEVEL}, ""),
        ({"model": {"type": "BPE"}, "pre_tokenizer": None}, ""),
    ],
)
def test_a_tokenizer_is_recognised_or_not(given: dict[str, Any], name: str) -> None:
    assert module.recognise(given) == name


def test_the_shipped_models_tokenizer_is_recognised() -> None:
    assert module.recognise(json.loads((pocket.path() / "tokenizer.json").read_text())) == "qwen2"
