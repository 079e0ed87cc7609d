"""Serves SenseVoice, and other models of FunASR that listen, in OpenAI's form: ``serve_sensevoice.py SPEC.json``.

``POST /v1/audio/transcriptions`` takes a form with ``file language response_format``. A long recording is cut where it is quiet, and its
parts are the segments of ``verbose_json``, which also says what SenseVoice hears beside words: feeling and events.
Runs in the environment ``sensevoice``. Model and tags: https://github.com/FunAudioLLM/SenseVoice
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import serving
    from .serving_app import Answer, App, Call, main
    from .serving_fields import Fields, Refusal
    from .serving_work import Gone, Worker
    from .sound_windows import windows
    from .speech_sound import samples_of
    from .transcripts import FORMS, Heard, Span, written
else:
    import serving
    from serving_app import Answer, App, Call, main
    from serving_fields import Fields, Refusal
    from serving_work import Gone, Worker
    from sound_windows import windows
    from speech_sound import samples_of
    from transcripts import FORMS, Heard, Span, written

RATE, WINDOW = 16000, 30.0
BODY_BYTES = 512 << 20
SHORTEST = 0.1  # seconds; less holds no sound that could be told
KNOWN = ("language", "response_format", "model")
_TAG = re.compile(r"<\|([^|>]*)\|>")


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a recording, from ``start`` to ``end`` in seconds."""

    samples: Any
    start: float
    end: float
    language: str


@dataclass(frozen=True)
class Told:
    """What was heard in a part: the words, and the tags before them: language, feeling, event."""

    text: str
    tags: tuple[str, ...]


def load(spec: dict[str, Any]) -> App:
    """Load the model and put its path together."""
    serving.report("progress", phase="load", text="Importing torch and FunASR")
    import torch
    from funasr import AutoModel

    arguments = spec.get("arguments") or {}
    wanted = str(arguments.get("device") or "auto")
    device = wanted if wanted != "auto" else "cuda:0" if torch.cuda.is_available() else "cpu"
    serving.report("progress", phase="load", text=f"Loading {spec['served_name']}")
    # FunASR installs what a model asks for where it may run the model's code; here it may not.
    model = AutoModel(
        model=spec["model"], device=device, ncpu=torch.get_num_threads(), trust_remote_code=False, disable_update=True, disable_pbar=True
    )
    return Server(model, spec).app


class Server:
    """The path, and the work behind it."""

    def __init__(self, model: Any, spec: dict[str, Any]) -> None:
        arguments = spec.get("arguments") or {}
        self.model, self.itn = model, bool(arguments.get("use_itn", True))
        self.fields = {**({"language": v} if (v := arguments.get("language")) else {}), **(spec.get("defaults") or {})}
        Fields(self.fields).only(*KNOWN)
        self.languages = tuple(getattr(model.model, "lid_dict", None) or ("auto",))
        self.worker = Worker(self._hear)
        options = {"engine": "sensevoice", "family": type(model.model).__name__, "languages": list(self.languages)}
        self.app = App(spec["served_name"], self.worker, {"/v1/audio/transcriptions": self.transcribe}, options=options, limit=BODY_BYTES)

    async def transcribe(self, call: Call) -> Any:
        """What is said."""
        asked = await call.fields()
        fields = Fields({**self.fields, **asked.values}, asked.files)
        fields.only("file", "stream", *KNOWN)
        form = fields.choice("response_format", FORMS, "json")
        language = fields.choice("language", self.languages, "auto")
        if fields.flag("stream"):
            raise Refusal("Transcripts are not streamed here.", param="stream")
        files = fields.uploads("file")
        if len(files) != 1:
            raise Refusal("'file' has to be one sound.", param="file")
        samples = await asyncio.to_thread(samples_of, files[0].data, RATE)
        cuts = [(a, b) for a, b in windows(samples, RATE, WINDOW) if b - a >= SHORTEST * RATE]
        parts = [Part(samples[a:b], a / RATE, b / RATE, language) for a, b in cuts]
        told: list[Told] = await call.all("hear", parts)
        spans = tuple(Span(p.start, p.end, t.text) for p, t in zip(parts, told, strict=True))
        tags = [tag for t in told for tag in t.tags]
        heard = Heard(joined([t.text for t in told]), len(samples) / RATE, "transcribe", next((t for t in tags if t in self.languages), ""), spans)
        answer = written(heard, form)
        if isinstance(answer, str):
            return Answer(answer.encode(), "text/plain; charset=utf-8")
        if form == "verbose_json":
            for segment, one in zip(answer["segments"], told, strict=True):
                segment["tags"] = list(one.tags)
        return answer

    def _hear(self, kind: Any, units: Sequence[Part], gone: Gone) -> list[Told]:
        """One part, in the model's thread."""
        part, begun = units[0], time.monotonic()
        [found] = self.model.generate(input=part.samples, cache={}, language=part.language, use_itn=self.itn)
        counts = self.worker.counts
        counts["audio_seconds_total"] = counts.get("audio_seconds_total", 0) + part.end - part.start
        print(f"{part.end - part.start:.1f} s of sound heard in {time.monotonic() - begun:.1f} s", flush=True)
        return [told_of(str(found["text"]))]


def told_of(text: str) -> Told:
    """Words and tags apart: ``<|en|><|HAPPY|><|Speech|><|withitn|>Hello.``"""
    tags = tuple(t for t in _TAG.findall(text) if t not in ("withitn", "woitn"))
    return Told(" ".join(_TAG.sub(" ", text).split()), tags)


def joined(texts: Sequence[str]) -> str:
    """Parts as one text; between two letters of scripts that know no spaces there is none."""
    out = ""
    for text in filter(None, texts):
        close = out and (ord(out[-1]) > 0x2E7F or ord(text[0]) > 0x2E7F)
        out += text if not out or close else f" {text}"
    return out


if __name__ == "__main__":
    main(load)
