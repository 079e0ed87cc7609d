"""Speech: a text becomes a sound, whole or in pieces while it is made.

The ``form`` option chooses:

==============  ==================================================================================================
``openai``      ``/audio/speech {model, input, voice, response_format}`` → the sound itself; the default
``base64``      the same request, ``{audio_data}`` in base64: Mistral
``glm``         as ``openai``; pieces as server-sent events with base64
``azure``       SSML to ``/cognitiveservices/v1`` → the sound itself
``minimax``     ``/t2a_v2`` → hexadecimal ``data.audio``
``dashscope``   Qwen TTS: ``output.audio.url``; pieces as server-sent events with base64
``doubao``      Volcengine's ``/api/v3/tts/unidirectional``: lines of JSON with base64
``gemini``      ``generateContent`` → bare 16-bit samples in base64
==============  ==================================================================================================

Other options: ``path``, ``body``, ``voice`` (the default one; ``{model}`` in it is filled), ``voice_prefix`` (put before a
voice without a colon), ``format`` (the default one), ``streamed_format`` (that of sound in pieces), ``sample_rate`` (of bare samples),
``text_field``, ``voice_field``, ``format_field``, ``formats`` (what the vendor knows). Formats:
https://platform.openai.com/docs/api-reference/audio/createSpeech and the modules named
``speech_…`` beside this one.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.media import Media, clean_mime, mime_of, suffix_of
from ..core.protocols import HttpRequest, PieceDecoder, Refused
from ..core.typed import Files, SpeakRequest
from .codec import JsonCodec, choose, read, request_id_of, usage_of

MIMES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "ogg": "audio/ogg",
    "ogg_opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "mulaw": "audio/basic",
}


class RawPieces:
    """A body that is the sound itself."""

    def feed(self, data: bytes) -> Iterable[bytes]:
        """The bytes as they came."""
        return (data,)

    def close(self) -> Iterable[bytes]:
        """Nothing is held back."""
        return ()


class NoSound:
    """A body that is no sound: its words are the refusal."""

    def __init__(self, mime: str) -> None:
        self._mime, self._said = mime, b""

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Nothing of it is sound."""
        self._said += data
        return ()

    def close(self) -> Iterable[bytes]:
        """Raises `Refused`."""
        raise _no_sound(self._mime, self._said)


class OpenAISpeech(JsonCodec):
    """``POST …/audio/speech``.

    Attributes
    ----------
    sample_rate : int
        Of bare samples, in samples a second.
    """

    name = "speech"
    path = "/audio/speech"
    sample_rate = 24000
    known = frozenset(
        {"response_format", "speed", "instructions", "stream_format", "sample_rate", "gain", "volume", "references", "encode_format"}
        | {"watermark_enabled", "language", "max_tokens", "seed"}
    )

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.sample_rate = int(self.options.get("sample_rate", self.sample_rate))

    def encode(self, request: SpeakRequest) -> HttpRequest:
        return self.post(self._body(request), request.model)

    def encode_streamed(self, request: SpeakRequest) -> HttpRequest:
        """The same request, answered in pieces."""
        return self.post({**self._body(request), **({"stream": True} if self.options.get("stream_field") else {})}, request.model)

    def _body(self, request: SpeakRequest) -> dict[str, Any]:
        parameters = {"response_format": self._format(request), **request.parameters}
        body = {
            "model": request.model,
            self.options.get("text_field", "input"): request.text,
            self.options.get("voice_field", "voice"): self.voice(request) or None,
            self.options.get("format_field", "response_format"): parameters.pop("response_format"),
        }
        return {**body, **parameters}

    def _format(self, request: SpeakRequest) -> Any:
        """The format of who asks for none."""
        return (self.options.get("streamed_format") if request.stream else None) or self.options.get("format")

    def voice(self, request: SpeakRequest, default: str = "") -> str:
        """The voice to ask for."""
        voice = request.voice or str(self.options.get("voice", default))
        prefix = str(self.options.get("voice_prefix", ""))
        if prefix and voice and ":" not in voice:
            voice = prefix + voice
        return voice.replace("{model}", request.model)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Files:
        kind = clean_mime(headers.get("content-type", ""))
        if kind == "application/json" or (kind == "text/plain" and body[:1] == b"{"):
            return self._json(read(body), headers)
        rate = _rate_of(headers.get("content-type", ""))
        return sound(body, kind, headers, rate or self.sample_rate)

    def _json(self, found: Any, headers: Mapping[str, str]) -> Files:
        raise _no_sound("application/json", json.dumps(found).encode())

    def pieces(self, headers: Mapping[str, str]) -> PieceDecoder:
        """A reader of the answer's bytes."""
        kind = clean_mime(headers.get("content-type", ""))
        return NoSound(kind) if kind in ("text/html", "application/json") else RawPieces()

    def mime(self, request: SpeakRequest) -> str:
        """What the pieces are, as far as the request tells."""
        given = request.parameters.get("response_format") or request.parameters.get("format") or self._format(request) or "mp3"
        return MIMES.get(str(given), "")


class Base64Speech(OpenAISpeech):
    """Mistral's form: the sound in base64 within JSON."""

    def _json(self, found: Any, headers: Mapping[str, str]) -> Files:
        return sound(base64.b64decode(found["audio_data"]), "", headers, self.sample_rate, found)


def sound(data: bytes, mime: str, headers: Mapping[str, str], rate: int = 0, found: Any = None) -> Files:
    """The result: one sound; ``rate`` counts for bare samples alone."""
    named = clean_mime(mime)
    by_content = mime_of(data)
    if not by_content.startswith("audio/") and named.startswith("text/"):
        raise _no_sound(named, data)
    if by_content.startswith("audio/") or not named.startswith("audio/"):
        named = by_content if by_content != "application/octet-stream" else (named if named.startswith("audio/") else "audio/mpeg")
    bare = named in ("audio/pcm", "audio/l16", "audio/raw", "audio/x-raw")
    if bare:
        named = "audio/pcm"
    if not data:
        raise _no_sound(named, data)
    media = Media("audio", named, data, "", f"speech.{suffix_of(named)}")
    return Files((media,), usage_of(found), "", request_id_of(headers, found), rate if bare else 0)


def _no_sound(mime: str, body: bytes) -> Refused:
    """The server's own refusal where the body is one, else what came instead of a sound."""
    if mime == "application/json" and any(name in body for name in (b'"error"', b'"message"')):
        return Refused(body.decode("utf-8", "replace"))
    words = " ".join(re.sub(r"<[^>]+>", " ", body[:2000].decode("utf-8", "replace")).split())[:200]
    return Refused(json.dumps({"message": f"The answer is {mime or 'empty'}, no sound: {words}"}))


def _rate_of(content_type: str) -> int:
    for part in content_type.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name.lower() == "rate" and value.isdigit():
            return int(value)
    return 0


def speech(options: Mapping[str, Any] | None = None) -> OpenAISpeech:
    """The codec for the ``form`` in the options."""
    from . import speech_azure, speech_events

    forms: dict[str, type[OpenAISpeech]] = {
        "openai": OpenAISpeech,
        "base64": Base64Speech,
        "glm": speech_events.GlmSpeech,
        "azure": speech_azure.AzureSpeech,
        "minimax": speech_events.MinimaxSpeech,
        "dashscope": speech_events.DashscopeSpeech,
        "doubao": speech_events.DoubaoSpeech,
        "gemini": speech_events.GeminiSpeech,
    }
    found: OpenAISpeech = choose("speech", forms, options)
    return found
