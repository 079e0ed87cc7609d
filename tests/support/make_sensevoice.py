"""Makes a tiny untrained SenseVoice in FunASR's form: ``make_sensevoice.py FOLDER``, run by the environment ``sensevoice``."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

SENTENCES = ["good morning to all of you", "how are you today", "the cat sat on the mat", "five boxes of jam"]
TAGS = ["<|en|>", "<|NEUTRAL|>", "<|Speech|>", "<|withitn|>"]
SIZE = 56
ENCODER: dict[str, Any] = {
    "output_size": 32,
    "attention_heads": 2,
    "linear_units": 64,
    "num_blocks": 2,
    "tp_blocks": 1,
    "input_layer": "pe",
    "pos_enc_class": "SinusoidalPositionEncoder",
    "normalize_before": True,
    "kernel_size": 11,
    "sanm_shfit": 0,
    "selfattention_layer_type": "sanm",
}


def main(folder: Path) -> None:
    import sentencepiece  # type: ignore[import-not-found]
    import torch
    from funasr.models.sense_voice.model import SenseVoiceSmall
    from omegaconf import OmegaConf  # type: ignore[import-not-found]

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    held = io.BytesIO()
    trainer = sentencepiece.SentencePieceTrainer
    trainer.train(sentence_iterator=iter(SENTENCES * 20), model_writer=held, vocab_size=SIZE, model_type="bpe", user_defined_symbols=TAGS)
    (folder / "bpe.model").write_bytes(held.getvalue())
    own = {"length_normalized_loss": True, "sos": 1, "eos": 2, "ignore_id": -1}
    sound = {"fs": 16000, "window": "hamming", "n_mels": 80, "frame_length": 25, "frame_shift": 10, "lfr_m": 7, "lfr_n": 6, "dither": 0.0}
    config = {
        "model": "SenseVoiceSmall",
        "model_conf": own,
        "encoder": "SenseVoiceEncoderSmall",
        "encoder_conf": ENCODER,
        "tokenizer": "SentencepiecesTokenizer",
        "tokenizer_conf": {"bpemodel": None, "unk_symbol": "<unk>", "split_with_space": True},
        "frontend": "WavFrontend",
        "frontend_conf": sound,
    }
    OmegaConf.save(OmegaConf.create(config), folder / "config.yaml")
    model = SenseVoiceSmall(**own, encoder=config["encoder"], encoder_conf=ENCODER, input_size=80 * 7, vocab_size=SIZE)
    torch.save(model.state_dict(), folder / "model.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
