"""Speech, both ways, with transformers: models that speak (VITS and MMS, SpeechT5, Bark, MusicGen, …) and models that listen (Whisper, …).

Plans the process; `workbench/runners/serve_speech.py` is what runs in it. What a family of models takes for a voice is data
beside it, in ``speech_families.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import request_defaults
from .common import runner, spec_file
from .engine import Engine

ARGUMENTS = {
    "device": "cpu, cuda, cuda:1, mps or auto",
    "dtype": "float32, bfloat16, float16 or auto",
    "attn_implementation": "eager, sdpa or flash_attention_2",
    "trust_remote_code": "run code that comes with the model",
    "voice": "the voice of who does not name one",
    "voices": "a folder with speaker vectors (.npy), for SpeechT5",
    "vocoder": "a folder with the vocoder of a model that makes spectrograms, such as SpeechT5's HiFi-GAN",
    "language": "the language of who does not name one, for a model that listens",
}
FOLDERS = ("voices", "vocoder")


class SpeechServer(Engine):
    """Serves ``/v1/audio/speech``, or ``/v1/audio/transcriptions`` and ``/v1/audio/translations``."""

    name = "speech"
    title = "The speech server"
    environment = "speech"
    types = ("tts", "stt")
    takes = frozenset()
    aliases: ClassVar[Mapping[str, str]] = {"torch_dtype": "dtype", "speaker": "voice", "speakers": "voices"}

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows."""
        return sorted(ARGUMENTS)

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """Refuse, beside what every engine refuses, folders that are not there, and defaults that mean nothing."""
        spec = super().checked(payload)
        spec = replace(spec, defaults=request_defaults.checked(self.name, spec.defaults, spec.type))
        given = dict(spec.arguments)
        for name in FOLDERS:
            if given.get(name) and not Path(str(given[name])).expanduser().is_dir():
                raise ArgumentError(f"There is no folder {given[name]} for {name}.", "", f"Give an existing folder: {ARGUMENTS[name]}.")
        return spec

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process."""
        return speech_stages(self.checked(payload), self.environment)


def speech_stages(spec: DeploySpec, environment: str) -> Sequence[Stage]:
    """The process that serves a model that speaks or listens."""
    given = {k: str(Path(str(v)).expanduser().resolve()) if k in FOLDERS and v else v for k, v in spec.arguments.items()}
    files = {"serve.json": spec_file(spec, arguments=given, defaults=dict(spec.defaults), type=spec.type)}
    env = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    argv = (runner("serve_speech"), "../serve.json")
    return [Stage("serve", "Loading the speech model", environment, argv, env, files, serves=True, stop_grace=5.0)]
