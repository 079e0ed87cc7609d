"""Weights in forms that no engine reads are refused before anything loads, with what to give instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench import deploy
from workbench.deploy.choose import check_pairing
from workbench.errors import ArgumentError
from workbench.runtime.inspecting.models import inspect

TAGGED = {tag: {"README.md": f"---\npipeline_tag: {tag}\n---"} for tag in ("text-to-speech", "text-to-audio", "text-to-image")}
KOKORO = {"config.json": {"istftnet": {}, "plbert": {}, "n_token": 178}, **TAGGED["text-to-speech"]}
FASTER = {"config.json": {"alignment_heads": [], "suppress_ids": []}, "model.bin": ""}


@pytest.mark.parametrize(
    ("name", "files", "says", "fix"),
    [
        ("Kokoro-82M", KOKORO, "Kokoro", "mms-tts"),
        ("CosyVoice2-0.5B", {"cosyvoice2.yaml": "sample_rate: 24000", "llm.pt": ""}, "CosyVoice", "mms-tts"),
        ("ChatTTS", {"asset/GPT.pt": "", **TAGGED["text-to-audio"]}, "no longer maintained", "mms-tts"),
        ("faster-whisper-large-v3", FASTER, "CTranslate2", "whisper-large-v3"),
        ("parakeet-tdt-0.6b-v2", {"parakeet-tdt-0.6b-v2.nemo": ""}, "NeMo", "transformers"),
        ("stable-diffusion-3-medium", {"sd3_medium.safetensors": "", **TAGGED["text-to-image"]}, "model_index.json", "diffusers"),
    ],
)
def test_they_are_refused_with_what_would_be_served(tmp_path: Path, name: str, files: dict[str, object], says: str, fix: str) -> None:
    for file, value in files.items():
        path = tmp_path / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    meta = inspect(tmp_path / name)
    for refused in (lambda: deploy.choose(meta), lambda: check_pairing(meta, "", "speech")):
        with pytest.raises(ArgumentError, match=says) as caught:
            refused()
        assert fix in caught.value.fix


def test_what_a_library_has_described_is_not_foreign(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"]}))
    for name in ("model.safetensors", "vocabulary.json", "x.nemo"):
        (tmp_path / name).write_text("")
    assert deploy.choose(inspect(tmp_path)).engine == "speech"
