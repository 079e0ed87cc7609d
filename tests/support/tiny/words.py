"""Texts that the tiny models are made of, and tokenizers trained on them. Deterministic; run by an environment's interpreter."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

CITIES = {"France": "Paris", "Japan": "Tokyo", "Italy": "Rome", "Egypt": "Cairo", "Peru": "Lima", "Kenya": "Nairobi", "Norway": "Oslo"}
WEATHER, SEEN = ("sunny", "rainy"), ("Paris", "Tokyo", "Rome")
THINGS = "bridge forest window teacher letter engine mountain kitchen violin harbour island market painter winter lamp story"
KINDS = "tall silent golden broken early distant friendly narrow heavy gentle curious wooden modern bright"
ACTS = "crosses keeps follows repairs remembers describes carries visits hides watches explains"
# How Qwen's tokenizers cut a text, so that converters and engines that know theirs can be told that it is the same.
QWEN_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BERT_MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
XLMR_MARKS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def lines(count: int = 1500, seed: int = 7) -> list[str]:
    """Sentences of everyday words."""
    draw = random.Random(seed)
    things, kinds, acts, pick = THINGS.split(), KINDS.split(), ACTS.split(), draw.choice
    return [f"The {pick(kinds)} {pick(things)} {pick(acts)} a {pick(kinds)} {pick(things)}." for _ in range(count)]


def answers() -> list[tuple[str, str]]:
    """What the chat model learns by heart."""
    pairs = [
        ("Hello!", "Hello! I am a tiny model."),
        ("Hi", "Hello! I am a tiny model."),
        ("Who are you?", "I am a tiny model, made for tests."),
        ("Count to five.", "1, 2, 3, 4, 5."),
        ("Count to ten.", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10."),
        ("Give me JSON.", '{"name": "tiny", "age": 1}'),
        ("Thanks!", "You are welcome."),
    ]
    return pairs + [(f"What is the capital of {land}?", f"The capital of {land} is {city}.") for land, city in CITIES.items()]


def corpus() -> list[str]:
    """All texts a tokenizer is trained on."""
    talk = [text for pair in answers() for text in pair]
    calls = [json.dumps({"name": "get_weather", "arguments": {"city": city}}) for city in SEEN]
    return lines() + (talk + calls + [f"What is the weather in {c}? It is {w}." for c in SEEN for w in WEATHER]) * 8


def byte_level(marks: list[str], size: int) -> Tokenizer:
    """A byte-level BPE as Qwen's: nothing is unknown to it, and the marks have the last numbers."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    cut = pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated")
    made.pre_tokenizer = pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size - len(marks), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    made.train_from_iterator(corpus(), trainer)
    made.add_special_tokens([AddedToken(m, special=True, normalized=False) for m in marks])
    return made


def fast(made: Tokenizer, **named: Any) -> PreTrainedTokenizerFast:
    """The tokenizer as transformers has it."""
    return PreTrainedTokenizerFast(tokenizer_object=made, clean_up_tokenization_spaces=False, **named)


def keep(tokenizer: Any, folder: Path, as_class: str = "PreTrainedTokenizerFast") -> None:
    """Save a tokenizer under a class name that readers older than transformers 5 know as well."""
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    said = json.loads(path.read_text())
    said["tokenizer_class"] = as_class
    path.write_text(json.dumps(said, indent=1, ensure_ascii=False))


def wordpiece(size: int = 1200, length: int = 256) -> PreTrainedTokenizerFast:
    """BERT's kind, lower case."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.train_from_iterator(corpus(), trainers.WordPieceTrainer(vocab_size=size, special_tokens=list(BERT_MARKS), show_progress=False))
    ends = [(m, made.token_to_id(m)) for m in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), BERT_MARKS, strict=True))
    return fast(made, model_max_length=length, model_input_names=["input_ids", "token_type_ids", "attention_mask"], **names)


def unigram(size: int = 700, length: int = 256) -> PreTrainedTokenizerFast:
    """XLM-RoBERTa's kind."""
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=list(XLMR_MARKS), unk_token="<unk>", show_progress=False)
    made.train_from_iterator(corpus(), trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return fast(made, model_max_length=length, mask_token="<mask>", **names)


def clip() -> Any:
    """CLIP's tokenizer without merges: it spells every word."""
    from transformers import CLIPTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    marks = ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate([*letters, *(letter + "</w>" for letter in letters), *marks])}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
