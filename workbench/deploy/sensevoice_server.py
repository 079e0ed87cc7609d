"""SenseVoice and other models of FunASR that listen: text, language, feeling and events of a recording.

Plans the process; `workbench/runners/serve_sensevoice.py` is what runs in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ModelNotFound
from . import request_defaults
from .common import runner, spec_file
from .engine import Engine

FILES = ("config.yaml", "configuration.json")
ARGUMENTS = {
    "device": "cpu, cuda:0, mps or auto",
    "language": "the language of who does not name one: auto, zh, en, yue, ja or ko",
    "use_itn": "numbers and punctuation as one writes them (on unless turned off)",
}


class SenseVoiceServer(Engine):
    """Serves a folder in FunASR's form at ``/v1/audio/transcriptions``."""

    name = "sensevoice"
    title = "SenseVoice"
    environment = "sensevoice"
    types = ("stt",)
    takes = frozenset()
    aliases: ClassVar[Mapping[str, str]] = {"itn": "use_itn", "enable_itn": "use_itn"}

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows."""
        return sorted(ARGUMENTS)

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """Refuse, beside what every engine refuses, a folder that FunASR cannot read, and defaults that mean nothing."""
        spec = super().checked(payload)
        spec = replace(spec, defaults=request_defaults.checked(self.name, spec.defaults))
        if not any((Path(spec.model) / name).is_file() for name in FILES):
            cause = f"It has neither {' nor '.join(FILES)}."
            raise ModelNotFound(f"{spec.model} is no model of FunASR.", cause, "A model of transformers is served by wb.deploy.speech.")
        return spec

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process."""
        spec = self.checked(payload)
        files = {"serve.json": spec_file(spec, arguments=dict(spec.arguments), defaults=dict(spec.defaults))}
        env = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        argv = (runner("serve_sensevoice"), "../serve.json")
        return [Stage("serve", "Loading SenseVoice", self.environment, argv, env, files, serves=True, stop_grace=5.0)]
