"""Which of llama.cpp's ways of cutting text a tokenizer uses, told from its ``tokenizer.json``. Standard library only.

The ways and their expressions: ``src/llama-vocab.cpp`` of https://github.com/ggml-org/llama.cpp. Only byte-level BPE with
equal expressions, and BERT's word pieces in lower case: a tokenizer that is nearly alike would give other tokens, and the model worse
answers without a word.
"""

from __future__ import annotations

from typing import Any

_CONTRACTIONS = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _REST
_QWEN2 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _REST
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_SAME = {r"(?i:'s|'t|'re|'ve|'m|'ll|'d)": _CONTRACTIONS}


def recognise(tokenizer: dict[str, Any]) -> str:
    """llama.cpp's name for how this tokenizer cuts text, or empty."""
    model = tokenizer.get("model") or {}
    if _uncased_bert(tokenizer):
        return "bert-bge"
    if model.get("type") != "BPE" or (tokenizer.get("normalizer") or {"type": "NFC"}).get("type") != "NFC":
        return ""
    parts = _flat(tokenizer.get("pre_tokenizer") or {})
    if not parts or parts[-1].get("type") != "ByteLevel" or parts[-1].get("add_prefix_space"):
        return ""
    cuts = [_cut(p) for p in parts[:-1]] + ([_GPT2] if parts[-1].get("use_regex", True) else [])
    whole = bool(model.get("ignore_merges"))  # a word that is a token is taken as it is, before any merge
    ways = {
        ((_LLAMA3,), True): "llama-bpe",
        ((_LLAMA3,), False): "smaug-bpe",
        ((_QWEN2,), False): "qwen2",
        ((_GPT2,), False): "gpt-2",
        ((r"\p{N}", _GPT2), False): "smollm",
    }
    return ways.get((tuple(cuts), whole), "")


def _uncased_bert(tokenizer: dict[str, Any]) -> bool:
    """BERT's word pieces in lower case, the only ones that llama.cpp cuts as they are."""
    kinds = [(tokenizer.get(part) or {}).get("type") for part in ("model", "normalizer", "pre_tokenizer")]
    return kinds == ["WordPiece", "BertNormalizer", "BertPreTokenizer"] and bool(tokenizer["normalizer"].get("lowercase"))


def _flat(pre_tokenizer: dict[str, Any]) -> list[dict[str, Any]]:
    if pre_tokenizer.get("type") == "Sequence":
        return [p for part in pre_tokenizer.get("pretokenizers") or () for p in _flat(part)]
    return [pre_tokenizer] if pre_tokenizer else []


def _cut(part: dict[str, Any]) -> str:
    """The expression of one step, in llama.cpp's spelling; empty for a step that llama.cpp does not have."""
    if part.get("type") == "Digits" and part.get("individual_digits"):
        return r"\p{N}"
    if part.get("type") != "Split" or part.get("behavior") != "Isolated" or part.get("invert"):
        return ""
    pattern = str((part.get("pattern") or {}).get("Regex") or "")
    for theirs, ours in _SAME.items():
        pattern = pattern.replace(theirs, ours)
    return pattern
