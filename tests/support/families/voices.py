"""Tiny models that speak or make music, with random weights, one function a family. Run by the environment ``speech``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pieces
import torch
import transformers as t
import words
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers.models.bark import configuration_bark as bark_parts

CODES = 64  # sounds in a codebook


def speecht5(folder: Path) -> None:
    """SpeechT5 of letters with its vocoder and two voices beside it."""
    import sentencepiece

    folder.mkdir()
    (folder / "text").write_text("\n".join(words.lines(300)))
    marks = {"bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3}
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "text"), model_prefix=str(folder / "letters"), vocab_size=50, model_type="char", hard_vocab_limit=False, **marks
    )
    said = t.SpeechT5Tokenizer(str(folder / "letters.model"))
    shape = {f"{part}_{what}": n for part in ("encoder", "decoder") for what, n in (("layers", 2), ("attention_heads", 2), ("ffn_dim", 32))}
    ears = {"conv_dim": (8, 8), "conv_stride": (5, 2), "conv_kernel": (10, 3)}
    nets = {"speech_decoder_prenet_units": 16, "speech_decoder_postnet_units": 16, "speech_decoder_postnet_layers": 2}
    config = t.SpeechT5Config(vocab_size=len(said), hidden_size=32, num_mel_bins=20, speaker_embedding_dim=16, **shape, **ears, **nets)
    t.SpeechT5ForTextToSpeech(config).save_pretrained(folder)
    t.SpeechT5Processor(feature_extractor=t.SpeechT5FeatureExtractor(num_mel_bins=20), tokenizer=said).save_pretrained(folder)
    one = {"resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1, 3]]}
    loud = t.SpeechT5HifiGanConfig(initializer_range=0.3, model_in_dim=20, upsample_initial_channel=16, **one)
    t.SpeechT5HifiGan(loud).save_pretrained(folder / "vocoder")
    (folder / "speakers").mkdir()
    for name, value in (("ada", 1.0), ("bob", -1.0)):
        np.save(folder / "speakers" / f"{name}.npy", np.full(16, value, "float32"))


def bark(folder: Path) -> None:
    """Bark with two presets, of which the first by name is German, as among the real ones."""
    said = words.wordpiece(length=256)
    size = {"hidden_size": 16, "num_layers": 2, "num_heads": 2, "block_size": 1024, "initializer_range": 0.5}  # so that a preset is heard
    coarse = 3 * CODES + 50
    config = t.BarkConfig(
        semantic_config=bark_parts.BarkSemanticConfig(input_vocab_size=len(said) + 200, output_vocab_size=CODES + 36, **size).to_dict(),
        coarse_acoustics_config=bark_parts.BarkCoarseConfig(input_vocab_size=coarse, output_vocab_size=coarse, **size).to_dict(),
        fine_acoustics_config=bark_parts.BarkFineConfig(input_vocab_size=CODES + 1, output_vocab_size=CODES, **size).to_dict(),
        codec_config=_encodec(target_bandwidths=[6.0]),
    )
    model = t.BarkModel(config)
    _fill(model)
    model.save_pretrained(folder)
    semantic = {"text_encoding_offset": 20, "text_pad_token": len(said) + 150, "semantic_infer_token": len(said) + 151, "semantic_vocab_size": CODES}
    semantic |= {"max_input_semantic_length": 32, "max_new_tokens": 12, "eos_token_id": CODES, "semantic_pad_token": CODES, "do_sample": True}
    rough = {"coarse_semantic_pad_token": 3 * CODES + 1, "coarse_infer_token": 3 * CODES + 2, "max_coarse_input_length": 32}
    rough |= {"max_coarse_history": 60, "sliding_window_len": 20, "do_sample": True}
    told = {"semantic_config": semantic, "coarse_acoustics_config": rough, "fine_acoustics_config": {"temperature": 0.5}, "codebook_size": CODES}
    (folder / "generation_config.json").write_text(json.dumps({**told, "sample_rate": 24000, "model_type": "bark"}))
    draw, presets = np.random.default_rng(0), dict[str, Any](repo_or_path="here")
    for name in ("v2/de_speaker_0", "v2/en_speaker_6"):
        presets[name] = {}
        for part, shape in (("semantic_prompt", (40,)), ("coarse_prompt", (2, 60)), ("fine_prompt", (8, 60))):
            presets[name][part] = f"speaker_embeddings/{name}_{part}.npy"
            (folder / presets[name][part]).parent.mkdir(parents=True, exist_ok=True)
            np.save(folder / presets[name][part], draw.integers(0, CODES, shape))
    (folder / "speaker_embeddings_path.json").write_text(json.dumps(presets))
    said.save_pretrained(folder)


def musicgen(folder: Path) -> None:
    """MusicGen: a text describes 40 steps of music."""
    said = pieces.t5(256)
    text = t.T5Config(vocab_size=len(said), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4).to_dict()
    size = {"num_hidden_layers": 2, "ffn_dim": 32, "num_attention_heads": 2, "hidden_size": 16, "max_position_embeddings": 2048}
    decoder = t.MusicgenDecoderConfig(vocab_size=CODES, num_codebooks=4, pad_token_id=CODES, bos_token_id=CODES, **size).to_dict()
    config = t.MusicgenConfig(text_encoder=text, audio_encoder=_encodec(target_bandwidths=[3.0]), decoder=decoder)
    model = t.MusicgenForConditionalGeneration(config)
    _fill(model)
    start = {"pad_token_id": CODES, "bos_token_id": CODES, "decoder_start_token_id": CODES}
    model.generation_config = t.GenerationConfig(max_length=40, do_sample=True, guidance_scale=3.0, **start)
    model.save_pretrained(folder)
    t.MusicgenProcessor(feature_extractor=t.EncodecFeatureExtractor(sampling_rate=24000), tokenizer=said).save_pretrained(folder)


def seamless(folder: Path) -> None:
    """SeamlessM4T with three languages; German is the first by name."""
    languages = ("deu", "eng", "fra")
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    marks = ["<pad>", "<unk>", "<s>", "</s>"]
    made.train_from_iterator(words.corpus(), trainers.BpeTrainer(vocab_size=600, special_tokens=marks, show_progress=False))
    inside = json.loads(made.to_str())["model"]
    merges = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in inside["merges"]]
    tags = [f"__{language}__" for language in languages]
    said = t.SeamlessM4TTokenizer(vocab=inside["vocab"], merges=merges, additional_special_tokens=tags, src_lang="eng", tgt_lang="eng")
    parts = [f"{whose}{part}" for whose in ("", "t2u_") for part in ("encoder", "decoder")]
    shape = {f"{part}_{what}": n for part in parts for what, n in (("layers", 1), ("ffn_dim", 32), ("attention_heads", 2))}
    voice = {"unit_hifi_gan_vocab_size": 80, "unit_embed_dim": 16, "lang_embed_dim": 8, "spkr_embed_dim": 8, "upsample_initial_channel": 32}
    voice |= {"resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1, 3]], "vocoder_num_langs": 3, "vocoder_num_spkrs": 2}
    ears = {"speech_encoder_layers": 1, "speech_encoder_attention_heads": 2, "speech_encoder_intermediate_size": 32}
    ears |= {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "feature_projection_input_dim": 16}
    config = t.SeamlessM4TConfig(vocab_size=len(said), hidden_size=32, t2u_vocab_size=80, t2u_max_position_embeddings=128, **shape, **voice, **ears)
    model = t.SeamlessM4TForTextToSpeech(config)
    numbers = {
        "text_decoder_lang_to_code_id": {name: said.convert_tokens_to_ids(f"__{name}__") for name in languages},
        "t2u_lang_code_to_id": {name: 70 + i for i, name in enumerate(languages)},
        "vocoder_lang_code_to_id": {name: i for i, name in enumerate(languages)},
    }
    ends = {"decoder_start_token_id": 3, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    model.generation_config = t.GenerationConfig(max_new_tokens=24, **ends, **numbers)
    model.save_pretrained(folder)
    t.SeamlessM4TProcessor(feature_extractor=t.SeamlessM4TFeatureExtractor(feature_size=16, num_mel_bins=16), tokenizer=said).save_pretrained(folder)


def csm(folder: Path) -> None:
    """CSM: a Llama that makes the first codes, a small one for the others, Mimi that makes sound of them."""
    marks = ["<|begin_of_text|>", "<|end_of_text|>", "<|AUDIO|>", "<|audio_eos|>"]
    made = words.byte_level(marks, 600)
    begin, end, sound, sound_end = ends = [made.token_to_id(mark) for mark in marks]
    made.post_processor = processors.TemplateProcessing(single=f"{marks[0]} $A {marks[1]}", special_tokens=list(zip(marks, ends, strict=True))[:2])
    said = words.fast(made, bos_token=marks[0], eos_token=marks[1], pad_token=marks[1])
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 32, "num_codebooks": 4, "vocab_size": CODES + 3}
    depth = {"backbone_hidden_size": 32, "hidden_size": 16, "num_hidden_layers": 1, "head_dim": 8, "max_position_embeddings": 5, **heads}
    codec = {"hidden_size": 16, "num_filters": 4, "codebook_size": CODES, "codebook_dim": 16, "num_quantizers": 4, "upsampling_ratios": [8, 6, 5, 4]}
    codec |= {"vector_quantization_hidden_dimension": 16, "upsample_groups": 16, "num_hidden_layers": 1, "intermediate_size": 16}
    codec |= {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}
    config = t.CsmConfig(
        text_vocab_size=len(said),
        hidden_size=32,
        num_hidden_layers=2,
        head_dim=16,
        max_position_embeddings=2048,
        pad_token_id=end,
        bos_token_id=begin,
        audio_token_id=sound,
        audio_eos_token_id=sound_end,
        codebook_pad_token_id=CODES + 2,
        codebook_eos_token_id=CODES + 1,
        depth_decoder_config=depth,
        codec_config=t.MimiConfig(**codec).to_dict(),
        **heads,
    )
    model = t.CsmForConditionalGeneration(config)
    _fill(model)
    with torch.no_grad():  # never one of the marks, which are no sounds
        for head in (model.lm_head.weight, model.depth_decoder.codebooks_head.weight.transpose(1, 2)):
            head[..., :CODES, :] *= 300
            head[..., CODES:, :] = 0
    small = {"depth_decoder_do_sample": True, "depth_decoder_max_new_tokens": 3, "depth_decoder_min_new_tokens": 3}
    model.generation_config = t.GenerationConfig(max_new_tokens=12, do_sample=True, eos_token_id=CODES + 1, pad_token_id=end, **small)
    model.save_pretrained(folder)
    t.CsmProcessor(feature_extractor=t.EncodecFeatureExtractor(sampling_rate=24000), tokenizer=said).save_pretrained(folder)


def dia(folder: Path) -> None:
    """Dia, with its DAC beside it. Its processor knows the numbers of the marks by heart, so that they are the real ones."""
    marks = {"eos_token_id": 1024, "pad_token_id": 1025, "bos_token_id": 1026}
    common = {"max_position_embeddings": 512, "num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "head_dim": 16}
    cross = {"cross_num_attention_heads": 2, "cross_head_dim": 16, "cross_num_key_value_heads": 2, "cross_hidden_size": 32}
    config = t.DiaConfig(
        encoder_config={"num_key_value_heads": 2, "intermediate_size": 32, **common},
        decoder_config={"num_key_value_heads": 1, "intermediate_size": 32, "vocab_size": 1028, "num_channels": 9, **common, **cross, **marks},
        delay_pattern=[0, 8, 9, 10, 11, 12, 13, 14, 15],
        **marks,
    )
    model = t.DiaForConditionalGeneration(config)
    model.generation_config = t.GenerationConfig(max_new_tokens=40, do_sample=True, guidance_scale=3.0, decoder_start_token_id=1026, **marks)
    model.save_pretrained(folder)
    sizes = {"encoder_hidden_size": 4, "decoder_hidden_size": 32, "n_codebooks": 9, "codebook_size": 1024, "codebook_dim": 4}
    t.DacModel(t.DacConfig(sampling_rate=44100, **sizes)).save_pretrained(folder / "audio_tokenizer")
    sound = t.DacModel.from_pretrained(folder / "audio_tokenizer")
    extractor = t.DiaFeatureExtractor(sampling_rate=44100)
    t.DiaProcessor(feature_extractor=extractor, tokenizer=t.DiaTokenizer(), audio_tokenizer=sound).save_pretrained(folder)


def _encodec(**more: Any) -> dict[str, Any]:
    sizes = {"hidden_size": 16, "num_filters": 4, "codebook_size": CODES, "codebook_dim": 16, "num_lstm_layers": 1}
    return dict(t.EncodecConfig(sampling_rate=24000, **sizes, **more).to_dict())


def _fill(model: Any) -> None:
    """Codebooks are made of zeros, so that every code sounds the same."""
    for name, held in model.named_buffers():
        if name.endswith(("embed", "embed_sum")):
            held.copy_(torch.randn_like(held))
        elif name.endswith("cluster_usage"):
            held.fill_(1)
