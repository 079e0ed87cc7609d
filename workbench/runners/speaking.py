"""A model that speaks: ``POST /v1/audio/speech`` with ``input voice response_format speed seed max_tokens stream``.

A text is said sentence by sentence, so that the first is heard while the others are made; a caller who goes ends it after the
sentence. Format: https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .generation_stop import stopping
    from .serving_app import Answer, App, Call, Pieces
    from .serving_fields import Fields, Refusal
    from .serving_work import Dropped, Gone, Worker
    from .speech_families import Voices
    from .speech_sound import MIMES, file_of, mime, pcm, wav_head
    from .speech_text import sentences
else:
    from generation_stop import stopping
    from serving_app import Answer, App, Call, Pieces
    from serving_fields import Fields, Refusal
    from serving_work import Dropped, Gone, Worker
    from speech_families import Voices
    from speech_sound import MIMES, file_of, mime, pcm, wav_head
    from speech_text import sentences

TEXT = 100_000  # characters of one request
STREAMS = ("pcm", "wav")  # formats whose pieces can be joined
PAUSE = 0.12  # seconds between two sentences
KNOWN = ("voice", "response_format", "speed", "seed", "max_tokens", "model", "stream_format")  # the model's name changes nothing
_PIPELINE_RATE = 24000


@dataclass(frozen=True)
class Sentence:
    """What is said at once."""

    text: str
    voice: str
    speed: float = 1.0
    seed: int | None = None
    max_tokens: int | None = None


class Speaker:
    """The path, and the work behind it."""

    def __init__(self, pipe: Any, spec: dict[str, Any]) -> None:
        arguments = spec.get("arguments") or {}
        self.pipe, self.name = pipe, spec["served_name"]
        self.rate = int(pipe.sampling_rate or _PIPELINE_RATE)
        self.voices = Voices(pipe, str(arguments.get("voices") or ""), str(arguments.get("voice") or ""))
        self.fields = dict(spec.get("defaults") or {})
        Fields(self.fields).only(*KNOWN)
        self._pace = getattr(pipe.model, "speaking_rate", 1.0)
        self.worker = Worker(self._say)
        family = pipe.model.config.model_type
        # Ours asks for WAV files, and for bare samples where it wants them in pieces.
        own = {"format": "wav", "streamed_format": "pcm", "stream_field": True, "sample_rate": self.rate}
        options = {"engine": "speech", "family": family, "voices": self.voices.names, **own}
        self.app = App(self.name, self.worker, {"/v1/audio/speech": self.speech}, options=options)

    async def speech(self, call: Call) -> Answer | Pieces:
        """The sound of a text."""
        asked = await call.fields()
        fields = Fields({**self.fields, **asked.values})
        fields.only("input", "stream", *KNOWN)
        form = fields.choice("response_format", tuple(MIMES), "mp3")
        fields.choice("stream_format", ("audio",), "audio")
        units = self._sentences(fields)
        if fields.flag("stream") and form in STREAMS:
            return Pieces(self._pieces(call, units, form), mime(form, self.rate))
        import numpy

        said = await call.all("say", units)
        silence = numpy.zeros(int(PAUSE * self.rate), dtype="float32")
        whole = numpy.concatenate([part for one in said for part in (one, silence)][:-1])
        return Answer(file_of(whole, self.rate, form), mime(form, self.rate))

    def _sentences(self, fields: Fields) -> list[Sentence]:
        voice, speed = fields.text("voice", ""), float(fields.number("speed", 1.0, 0.25, 4.0) or 1.0)
        self.voices.options(voice)
        if speed != 1.0 and not self.voices.family.speed:
            raise Refusal(f"Models of the family {self.pipe.model.config.model_type!r} have one speed.", param="speed")
        seed, most = fields.integer("seed", None, 0, 2**32 - 1), fields.integer("max_tokens", None, self.voices.family.least, 100_000)
        if most is not None and not (self.pipe.model.can_generate() and self.voices.family.tokens):
            raise Refusal(f"Models of the family {self.pipe.model.config.model_type!r} count no tokens.", param="max_tokens")
        texts = sentences(fields.text("input", most=self.voices.family.longest or TEXT), self.voices.family.most)
        if not texts:
            raise Refusal("'input' holds nothing that can be said.", param="input")
        return [Sentence(text, voice, speed, seed, most) for text in texts]

    async def _pieces(self, call: Call, units: Sequence[Sentence], form: str) -> AsyncIterator[bytes]:
        pause = pcm([0.0] * int(PAUSE * self.rate))
        first = wav_head(self.rate) if form == "wav" else b""
        async for samples in call.each("say", units):
            yield first + pcm(samples)
            first = pause

    def _say(self, kind: Any, units: Sequence[Sentence], gone: Gone) -> list[Any]:
        """One sentence, in the model's thread: its samples."""
        unit, begun, counts = units[0], time.monotonic(), self.worker.counts
        before, options = self.voices.options(unit.voice)
        if unit.seed is not None:
            import transformers

            transformers.set_seed(unit.seed)
        if self.voices.family.speed:
            self.pipe.model.speaking_rate = self._pace * unit.speed
        made: dict[str, Any] = {"stopping_criteria": stopping(gone)} if self.voices.family.stops else {}
        if unit.max_tokens is not None:
            made[self.voices.family.tokens] = unit.max_tokens
        self._must_have_sounds(unit.text)
        found = self.pipe(before + unit.text, **options, **({"generate_kwargs": made} if made else {}))
        if gone():
            raise Dropped
        samples = found["audio"]
        samples = samples.mean(axis=0) if samples.ndim > 1 else samples
        seconds = len(samples) / self.rate
        counts["sentences_total"] = counts.get("sentences_total", 0) + 1
        counts["audio_seconds_total"] = counts.get("audio_seconds_total", 0) + seconds
        print(f"{seconds:.1f} s of speech in {time.monotonic() - begun:.1f} s", flush=True)
        return [samples]

    def _must_have_sounds(self, text: str) -> None:
        """Models of letters leave out what they do not know; a text of nothing else would be an error of the model's."""
        if self.pipe.model.config.model_type != "vits" or getattr(self.pipe.tokenizer, "is_uroman", False):
            return
        known = self.pipe.tokenizer.get_vocab()
        if not any(c in known or c.lower() in known for c in text if not c.isspace()):
            raise Refusal(f"This model knows none of the letters in {text[:40]!r}: it speaks another language.", param="input")
