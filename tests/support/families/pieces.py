"""T5's tokenizer on the words of the tiny models. Run by an environment's interpreter."""

from __future__ import annotations

import json

import words
from transformers import T5Tokenizer


def t5(length: int) -> T5Tokenizer:
    """The pieces of XLM-RoBERTa's kind under T5's marks, for texts of so many tokens at most."""
    inside = json.loads(words.unigram().backend_tokenizer.to_str())["model"]["vocab"]
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -2.0)]
    return T5Tokenizer(vocab=[*marks, *((p, s) for p, s in inside if p not in words.XLMR_MARKS)], extra_ids=0, model_max_length=length)
