"""Transcription: a sound becomes a text.

The ``form`` option chooses:

===================  =============================================================================================
``openai``           ``/audio/transcriptions``, a multipart form → ``{text}``, or the text itself; the default
``chat``             a chat with one ``input_audio`` part → the answer's text: ``qwen3-asr-flash`` and others
``json``             ``{model, input_audio: {data, format}}`` → ``{text}``: OpenRouter
``gemini``           ``generateContent`` with the sound and a request to write it down
``azure``            the sound as the body → ``{DisplayText}``: Azure Speech, up to a minute
``dashscope_task``   addresses in, a task to wait for, a file with the text: paraformer, fun-asr, …-filetrans
``doubao_flash``     ``{audio: {url or data}}`` → ``result.text``: Volcengine's recognition in one request
===================  =============================================================================================

Other options: ``path``, ``body``, ``fields`` (form fields added to every request), ``url_field`` (``openai``: a field that takes
an address, such as ``file_url``), ``prompt`` (``chat``, ``gemini``: what the model is asked). Formats:
https://platform.openai.com/docs/api-reference/audio/createTranscription, https://help.aliyun.com/zh/model-studio/qwen-asr-api-reference,
https://learn.microsoft.com/azure/ai-services/speech-service/rest-speech-to-text-short.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..core.media import Media, clean_mime
from ..core.messages import Usage
from ..core.protocols import FormPart, HttpRequest, Refused
from ..core.typed import TranscribeRequest, Transcript
from ..errors import ArgumentError
from .codec import JsonCodec, choose, model_of, read, request_id_of, usage_of
from .embeddings_native import gemini_part

_FORMATS = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/flac": "flac", "audio/ogg": "ogg", "audio/mp4": "m4a", "audio/webm": "webm"}


class OpenAITranscription(JsonCodec):
    """``POST …/audio/transcriptions``."""

    name = "transcription"
    path = "/audio/transcriptions"
    needs_content = True  # whether a sound at an address has to be fetched before it is sent
    known = frozenset(
        {"language", "prompt", "response_format", "temperature", "timestamp_granularities", "chunking_strategy", "include"}
        | {"known_speaker_names", "known_speaker_references", "hotwords", "diarize", "context_bias"}
    )

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        if self.options.get("url_field"):
            self.needs_content = False

    def encode(self, request: TranscribeRequest) -> HttpRequest:
        audio = request.audio
        fields: dict[str, Any] = {"model": request.model or None, **self.options.get("fields", {}), **request.parameters}
        parts = [
            FormPart(f"{name}[]" if isinstance(value, list | tuple) else name, _field(one))
            for name, value in fields.items()
            if value is not None
            for one in (value if isinstance(value, list | tuple) else (value,))
        ]
        if audio.data:
            parts.append(FormPart("file", audio.data, audio.file_name, audio.mime))
        else:
            parts.append(FormPart(self.options.get("url_field", "url"), audio.url))
        return HttpRequest("POST", self.address(request.model), files=tuple(parts))

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Transcript:
        kind = clean_mime(headers.get("content-type", ""))
        if kind == "text/html":
            raise Refused(json.dumps({"message": f"The answer is a web page, no transcript: {body[:200]!r}"}))
        if kind != "application/json" and not body.lstrip().startswith((b"{", b'"')):  # response_format text, srt or vtt
            return Transcript(body.decode("utf-8", "replace").strip(), request_id=request_id_of(headers))
        found = read(body)
        if isinstance(found, str):
            return Transcript(found, request_id=request_id_of(headers))
        return transcript(str(found["text"]), headers, found)


class JsonTranscription(OpenAITranscription):
    """OpenRouter's form: the sound in base64 within JSON."""

    def encode(self, request: TranscribeRequest) -> HttpRequest:
        audio = {"data": request.audio.base64, "format": audio_format(request.audio)}
        return self.post({"model": request.model, "input_audio": audio, **request.parameters}, request.model)


class ChatTranscription(OpenAITranscription):
    """A chat whose only turn is the sound; ``language`` and ``enable_itn`` become Qwen's ``asr_options``."""

    path = "/chat/completions"
    needs_content = False
    known = frozenset({"language", "enable_itn", "enable_lid", "prompt", "temperature", "max_tokens"})

    def encode(self, request: TranscribeRequest) -> HttpRequest:
        parameters = dict(request.parameters)
        asr = {k: parameters.pop(k) for k in ("language", "enable_itn", "enable_lid") if k in parameters}
        prompt = parameters.pop("prompt", self.options.get("prompt", ""))
        content: list[dict[str, Any]] = [{"type": "input_audio", "input_audio": {"data": request.audio.address}}]
        if self.options.get("audio_data") == "base64":
            content = [{"type": "input_audio", "input_audio": {"data": request.audio.base64, "format": audio_format(request.audio)}}]
        if prompt:
            content.append({"type": "text", "text": prompt})
        body = {"model": request.model, "messages": [{"role": "user", "content": content}], "asr_options": asr or None, "stream": False}
        return self.post({**body, **parameters}, request.model)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Transcript:
        found = read(body)
        said = found["choices"][0]["message"]["content"]
        text = said if isinstance(said, str) else "".join(p.get("text", "") for p in said)
        return transcript(text, headers, found)


class GeminiTranscription(OpenAITranscription):
    """``generateContent`` with the sound as a part."""

    path = "/models/{model}:generateContent"
    known = frozenset({"prompt", "temperature", "language"})

    def encode(self, request: TranscribeRequest) -> HttpRequest:
        parameters = dict(request.parameters)
        language = parameters.pop("language", "")
        asked = parameters.pop("prompt", "") or self.options.get("prompt") or "Write down exactly what is said. Give the transcript alone."
        if language:
            asked += f" The language is {language}."
        settings = {"temperature": parameters.pop("temperature")} if "temperature" in parameters else None
        parts = [gemini_part("audio", request.audio), {"text": asked}]
        return self.post({"contents": [{"role": "user", "parts": parts}], "generationConfig": settings, **parameters}, request.model)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Transcript:
        found = read(body)
        if not found.get("candidates"):
            raise Refused(body.decode("utf-8", "replace"))
        parts = found["candidates"][0].get("content", {}).get("parts", ())
        return transcript("".join(p.get("text", "") for p in parts if not p.get("thought")).strip(), headers, found)


class AzureTranscription(OpenAITranscription):
    """Azure Speech's short form: the sound is the body, the language is in the address."""

    path = "/speech/recognition/conversation/cognitiveservices/v1"
    known = frozenset({"language", "format", "profanity"})

    def encode(self, request: TranscribeRequest) -> HttpRequest:
        kinds = {"audio/wav": "audio/wav; codecs=audio/pcm", "audio/ogg": "audio/ogg; codecs=opus"}
        if request.audio.mime not in kinds:
            raise ArgumentError(
                "Azure's short recognition takes WAV and OGG.", f"The sound is {request.audio.mime}.", "Give (samples, 16000), or convert the file."
            )
        query = {"language": "en-US", **{k: str(v) for k, v in request.parameters.items()}}
        headers = {"Content-Type": kinds[request.audio.mime], "Accept": "application/json"}
        return HttpRequest("POST", self.path, content=request.audio.data, headers=headers, query=query)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Transcript:
        found = read(body)
        if found.get("RecognitionStatus", "Success") not in ("Success", "EndOfDictation", "NoMatch", "InitialSilenceTimeout"):
            raise Refused(json.dumps({"message": f"Azure Speech ended with {found['RecognitionStatus']}."}))
        best = found.get("DisplayText") or next((b.get("Display", "") for b in found.get("NBest", ())), "")
        return transcript(best, headers, found)


def audio_format(audio: Media) -> str:
    """``wav``, ``mp3`` …, as OpenAI's parts name it."""
    return _FORMATS.get(audio.mime, audio.suffix)


def transcript(text: str, headers: Mapping[str, str], found: Any) -> Transcript:
    """The result, with the whole answer beside it where that says more than the text."""
    details = found if isinstance(found, Mapping) and set(found) - {"text", "usage"} else {}
    usage = usage_of(found)
    if isinstance(found, Mapping) and isinstance(found.get("usage"), Mapping) and found["usage"].get("type") == "duration":
        usage = Usage()  # seconds, not tokens
    return Transcript(text, usage, model_of(found), request_id_of(headers, found), details)


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)


def transcription(options: Mapping[str, Any] | None = None) -> OpenAITranscription:
    """The codec for the ``form`` in the options."""
    from . import transcription_tasks as tasks

    forms: dict[str, type[OpenAITranscription]] = {
        "openai": OpenAITranscription,
        "chat": ChatTranscription,
        "json": JsonTranscription,
        "gemini": GeminiTranscription,
        "azure": AzureTranscription,
        "dashscope_task": tasks.DashscopeTranscription,
        "doubao_flash": tasks.DoubaoTranscription,
    }
    found: OpenAITranscription = choose("transcription", forms, options)
    return found
