"""Tiny models for speech: a Whisper that hears and a VITS that speaks, both with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import words

LANGUAGES = ("en", "de", "fr", "zh")
MARKS = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    *(f"<|{language}|>" for language in LANGUAGES),
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
STAMPS = [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
LETTERS = "_- abcdefghijklmnopqrstuvwxyz'.,!?"


def whisper(folder: Path) -> None:
    """A multilingual Whisper; what it hears has no sense."""
    from tokenizers import AddedToken
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    inside = json.loads(words.byte_level(list(MARKS), 1000).to_str())["model"]
    merges = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in inside["merges"]]
    end = dict.fromkeys(("unk_token", "bos_token", "eos_token", "pad_token"), MARKS[0])
    said = WhisperTokenizer(vocab=inside["vocab"], merges=merges, extra_special_tokens=list(MARKS[1:]), **end)
    said.add_tokens([AddedToken(stamp, normalized=False, special=False) for stamp in STAMPS])
    number = said.convert_tokens_to_ids
    shape = {f"{part}_{what}": n for part in ("encoder", "decoder") for what, n in (("layers", 2), ("attention_heads", 2), ("ffn_dim", 256))}
    ends = {"bos_token_id": number(MARKS[0]), "eos_token_id": number(MARKS[0]), "pad_token_id": number(MARKS[0])}
    ends |= {"decoder_start_token_id": number(MARKS[1])}
    config = WhisperConfig(
        vocab_size=len(said), num_mel_bins=80, d_model=128, max_source_positions=1500, max_target_positions=448, suppress_tokens=None, **shape, **ends
    )
    config.begin_suppress_tokens = None
    model = WhisperForConditionalGeneration(config).eval()
    model.generation_config = GenerationConfig(
        is_multilingual=True,
        max_length=64,
        lang_to_id={f"<|{language}|>": number(f"<|{language}|>") for language in LANGUAGES},
        task_to_id={task: number(f"<|{task}|>") for task in ("transcribe", "translate")},
        no_timestamps_token_id=number("<|notimestamps|>"),
        prev_sot_token_id=number("<|startofprev|>"),
        return_timestamps=False,
        **ends,
    )
    model.save_pretrained(folder)
    WhisperProcessor(feature_extractor=WhisperFeatureExtractor(feature_size=80), tokenizer=said).save_pretrained(folder)
    extractor = json.loads((folder / "processor_config.json").read_text())["feature_extractor"]
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor, indent=1))  # where readers older than transformers 5 look


def vits(folder: Path) -> None:
    """A VITS of one voice, 16,000 samples a second; a noise whose length follows the text."""
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "letters.json"
    vocabulary.write_text(json.dumps({letter: i for i, letter in enumerate(LETTERS)}))
    said = VitsTokenizer(vocab_file=str(vocabulary), pad_token="_", unk_token="-", language="en", phonemize=False, normalize=True)
    config = VitsConfig(
        vocab_size=len(LETTERS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        ffn_dim=64,
        flow_size=32,
        spectrogram_bins=9,
        upsample_initial_channel=32,
        upsample_rates=[8, 8, 4],
        upsample_kernel_sizes=[16, 16, 8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=2,
        posterior_encoder_num_wavenet_layers=2,
        depth_separable_num_layers=2,
        duration_predictor_num_flows=2,
        sampling_rate=16000,
    )
    VitsModel(config).eval().save_pretrained(folder)
    said.save_pretrained(folder)
    vocabulary.unlink()
