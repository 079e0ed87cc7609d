"""A model that listens: ``POST /v1/audio/transcriptions`` and, for Whisper, ``/v1/audio/translations``, a form with ``file``.

Fields: ``language prompt temperature response_format timestamp_granularities[]``. A recording of any length is taken: Whisper goes
through it window by window, models of letters (CTC) in overlapping parts.
Format: https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .generation_stop import stopping
    from .serving_app import Answer, App, Call
    from .serving_fields import Fields, Refusal
    from .serving_work import Dropped, Gone, Worker
    from .speech_sound import samples_of
    from .transcripts import FORMS, Heard, Span, written
else:
    from generation_stop import stopping
    from serving_app import Answer, App, Call
    from serving_fields import Fields, Refusal
    from serving_work import Dropped, Gone, Worker
    from speech_sound import samples_of
    from transcripts import FORMS, Heard, Span, written

BODY_BYTES = 512 << 20
WINDOW = 30.0  # seconds that a model of letters hears at once
KNOWN = ("language", "prompt", "temperature", "response_format", "timestamp_granularities", "model")


@dataclass(frozen=True, eq=False)
class Recording:
    """What is to be written down, and how."""

    samples: Any
    seconds: float
    task: str
    language: str = ""
    prompt: str = ""
    temperature: float | None = None
    times: str = ""  # "", "segment" or "word"


class Listener:
    """The paths, and the work behind them."""

    def __init__(self, pipe: Any, spec: dict[str, Any]) -> None:
        self.pipe, self.name = pipe, spec["served_name"]
        self.rate = int(pipe.feature_extractor.sampling_rate)
        self.fields = {**({"language": v} if (v := (spec.get("arguments") or {}).get("language")) else {}), **(spec.get("defaults") or {})}
        Fields(self.fields).only(*KNOWN)
        self.whisper = pipe.type == "seq2seq_whisper"
        self.worker = Worker(self._hear)
        paths = {"/v1/audio/transcriptions": self.transcribe, **({"/v1/audio/translations": self.translate} if self.whisper else {})}
        options = {"engine": "speech", "family": pipe.model.config.model_type}
        self.app = App(self.name, self.worker, paths, options=options, limit=BODY_BYTES)

    async def transcribe(self, call: Call) -> Any:
        """What is said, in its own language."""
        return await self._answer(call, "transcribe")

    async def translate(self, call: Call) -> Any:
        """What is said, in English."""
        return await self._answer(call, "translate")

    async def _answer(self, call: Call, task: str) -> Any:
        asked = await call.fields()
        fields = Fields({**self.fields, **asked.values}, asked.files)
        fields.only("file", "stream", *KNOWN)
        form = fields.choice("response_format", FORMS, "json")
        if fields.flag("stream"):
            raise Refusal("Transcripts are not streamed here.", param="stream")
        wanted = fields.values.get("timestamp_granularities") or ()
        times = {wanted} if isinstance(wanted, str) else set(wanted)
        if times - {"segment", "word"}:
            raise Refusal(f"'timestamp_granularities' cannot be {sorted(times)}; it is segment, word or both.", param="timestamp_granularities")
        if times and form != "verbose_json":
            raise Refusal("'timestamp_granularities' goes with response_format 'verbose_json'.", param="timestamp_granularities")
        temperature = fields.number("temperature", None, 0.0, 1.0)
        language, prompt = fields.text("language", ""), fields.text("prompt", "")
        if not self.whisper and (language or prompt or temperature):
            raise Refusal(
                f"Models of the family {self.pipe.model.config.model_type!r} take no language, prompt or temperature.", code="invalid_value"
            )
        files = fields.uploads("file")
        if len(files) != 1:
            raise Refusal("'file' has to be one sound.", param="file")
        samples = await asyncio.to_thread(samples_of, files[0].data, self.rate)
        level = "word" if "word" in times else "segment" if form in ("verbose_json", "srt", "vtt") else ""
        unit = Recording(samples, len(samples) / self.rate, task, language, prompt, temperature, level)
        [heard] = await call.all(task, [unit])
        answer = written(heard, form, words="word" in times)
        return answer if isinstance(answer, dict) else Answer(answer.encode(), "text/plain; charset=utf-8")

    def _hear(self, kind: Any, units: Sequence[Recording], gone: Gone) -> list[Heard]:
        """One recording, in the model's thread."""
        unit, begun = units[0], time.monotonic()
        try:
            heard = self._whisper(unit, gone) if self.whisper else self._letters(unit)
        except ValueError as e:  # a language it does not know, a prompt that is too long
            raise Refusal(f"The model refused: {str(e)[:300]}", code="invalid_value") from e
        counts = self.worker.counts
        counts["audio_seconds_total"] = counts.get("audio_seconds_total", 0) + unit.seconds
        print(f"{unit.seconds:.1f} s of sound heard in {time.monotonic() - begun:.1f} s", flush=True)
        return [heard]

    def _whisper(self, unit: Recording, gone: Gone) -> Heard:
        made: dict[str, Any] = {"stopping_criteria": stopping(gone)}
        if getattr(self.pipe.model.generation_config, "is_multilingual", True):
            made["task"] = unit.task
            if unit.language:
                made["language"] = unit.language
        elif unit.task == "translate" or unit.language not in ("", "en", "english"):
            raise Refusal("This model hears English only.", param="language")
        if unit.temperature:
            made.update(temperature=unit.temperature, do_sample=True)
        if unit.prompt:
            made["prompt_ids"] = self.pipe.tokenizer.get_prompt_ids(unit.prompt, return_tensors="pt").to(self.pipe.device)
        long = len(unit.samples) > self.pipe.feature_extractor.n_samples
        times: Any = "word" if unit.times == "word" else bool(unit.times or long)  # long recordings are found their way through by times
        tells = bool(unit.times) and not unit.language and bool(getattr(self.pipe.model.generation_config, "lang_to_id", None))
        found = self.pipe(unit.samples, return_timestamps=times, generate_kwargs=made, **({"return_language": True} if tells else {}))
        if gone():
            raise Dropped
        chunks = found.get("chunks") or ()
        language = unit.language or next((c["language"] for c in chunks if c.get("language")), "")
        return Heard(found["text"].strip(), unit.seconds, unit.task, language, _spans(chunks, unit.seconds))

    def _letters(self, unit: Recording) -> Heard:
        if self.pipe.type not in ("ctc", "ctc_with_lm"):
            if unit.times:
                raise Refusal("This model tells no times.", param="response_format")
            return Heard(self.pipe(unit.samples)["text"].strip(), unit.seconds, unit.task)
        window = {"chunk_length_s": WINDOW} if unit.seconds > WINDOW else {}
        found = self.pipe(unit.samples, **window, **({"return_timestamps": "word"} if unit.times else {}))
        return Heard(found["text"].strip(), unit.seconds, unit.task, "", _spans(found.get("chunks"), unit.seconds))


def _spans(chunks: Any, seconds: float) -> tuple[Span, ...]:
    """The pipeline's chunks; a last one without an end lasts until the recording's."""
    spans = []
    for chunk in chunks or ():
        start, end = chunk["timestamp"]
        last = seconds if end is None else float(end)
        spans.append(
            Span(min(float(start or 0.0), seconds), min(last, seconds), chunk["text"])
        )  # Whisper hears on in the silence that fills its window
    return tuple(spans)
