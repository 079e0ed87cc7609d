"""Trains the byte-level BPE tokenizer and says how a chat becomes text. Needs the ``tokenizers`` package only."""

from __future__ import annotations

from random import Random
from typing import Any

from .chats import chat

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
PATTERN = (
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The expression of llama.cpp's ``qwen2`` pre-tokenizer: every digit stands alone."""
CHAT_TEMPLATE = (
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\\n' }}"
    "{%- if m.content is string %}{{- m.content }}"
    "{%- elif m.content %}{%- for c in m.content %}{%- if c.type == 'text' %}{{- c.text }}{%- endif %}{%- endfor %}{%- endif %}"
    "{{- '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
CORPUS_CHATS = 30_000


def train_tokenizer(vocabulary: int, seed: int) -> Any:
    """A ``tokenizers.Tokenizer`` with that many tokens, the special ones included."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PATTERN), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    random = Random(seed)
    corpus = [m["content"] for _ in range(CORPUS_CHATS) for m in chat(random)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=vocabulary - len(SPECIAL), show_progress=False, initial_alphabet=alphabet))
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer
