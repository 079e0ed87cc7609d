"""A transcript in the forms that OpenAI's API has: ``json text verbose_json srt vtt``. Standard library only; knows no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FORMS = ("json", "text", "verbose_json", "srt", "vtt")


@dataclass(frozen=True)
class Span:
    """A part of what was said, from ``start`` to ``end`` in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Heard:
    """What was said in ``seconds``; ``spans`` are words or segments, where the model tells them."""

    text: str
    seconds: float
    task: str = "transcribe"
    language: str = ""
    spans: tuple[Span, ...] = ()


def written(heard: Heard, form: str, words: bool = False) -> dict[str, Any] | str:
    """The body of the answer. ``words`` says that the spans are words."""
    if form == "json":
        return {"text": heard.text}
    if form == "text":
        return heard.text + "\n"
    if form == "verbose_json":
        spans = [{"start": round(s.start, 3), "end": round(s.end, 3)} for s in heard.spans]
        named = zip(spans, heard.spans, strict=True)
        found: dict[str, Any] = {"task": heard.task, "language": heard.language, "duration": round(heard.seconds, 3), "text": heard.text}
        if words:
            return {**found, "words": [{"word": s.text.strip(), **at} for at, s in named]}
        return {**found, "segments": [{"id": i, **at, "text": s.text} for i, (at, s) in enumerate(named)]}
    spans_said = heard.spans or (Span(0.0, heard.seconds, heard.text),)
    comma = "," if form == "srt" else "."
    blocks = [f"{_clock(s.start, comma)} --> {_clock(s.end, comma)}\n{s.text.strip()}\n" for s in spans_said]
    if form == "srt":
        return "\n".join(f"{i}\n{block}" for i, block in enumerate(blocks, 1))
    return "WEBVTT\n\n" + "\n".join(blocks)


def _clock(seconds: float, comma: str) -> str:
    """``01:02:03,450``."""
    whole = round(seconds * 1000)
    return f"{whole // 3600000:02}:{whole // 60000 % 60:02}:{whole // 1000 % 60:02}{comma}{whole % 1000:03}"
