"""Speech in the forms of GLM, MiniMax, DashScope (Qwen TTS), Volcengine and Gemini, whose pieces are lines or events of JSON.

Formats: https://docs.bigmodel.cn/cn/guide/models/sound-and-video/glm-tts, https://platform.minimax.io/docs/api-reference/speech-t2a-http,
https://help.aliyun.com/zh/model-studio/qwen-tts-api, https://www.volcengine.com/docs/6561/1598757,
https://ai.google.dev/gemini-api/docs/speech-generation. See `workbench.dialects.speech` for the table of forms.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.protocols import HttpRequest, PieceDecoder, Refused
from ..core.typed import Files, SpeakRequest
from .codec import remote, request_id_of, usage_of
from .speech import MIMES, OpenAISpeech, sound


class EventPieces:
    """Lines of JSON, bare or as server-sent events; ``read`` makes sound of each."""

    def __init__(self, read: Any) -> None:
        self._read, self._rest = read, b""

    def feed(self, data: bytes) -> Iterable[bytes]:
        """The sound of every line that is complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [p for line in lines for p in self._line(line)]

    def close(self) -> Iterable[bytes]:
        """The sound of what is left."""
        rest, self._rest = self._rest, b""
        return list(self._line(rest))

    def _line(self, line: bytes) -> Iterator[bytes]:
        text = line.strip().removeprefix(b"data:").strip()
        if text[:1] == b"{":
            yield from self._read(json.loads(text))


class GlmSpeech(OpenAISpeech):
    """GLM: as OpenAI when it is whole; pieces are bare samples in base64 within the events of a chat."""

    def encode_streamed(self, request: SpeakRequest) -> HttpRequest:
        body = {**self._body(request), "response_format": "pcm", "stream": True}
        return self.post({"encode_format": "base64", **body}, request.model)

    def pieces(self, headers: Mapping[str, str]) -> PieceDecoder:
        def read_one(event: Any) -> Iterator[bytes]:
            if event.get("error"):
                raise Refused(json.dumps(event))
            for choice in event.get("choices") or ():
                if (choice.get("delta") or {}).get("content"):
                    yield base64.b64decode(choice["delta"]["content"])

        return EventPieces(read_one)

    def mime(self, request: SpeakRequest) -> str:
        return "audio/pcm"


class MinimaxSpeech(OpenAISpeech):
    """MiniMax: the sound in hexadecimal. ``speed``, ``pitch``, ``volume`` and ``emotion`` belong to the voice."""

    path = "/t2a_v2"
    known = frozenset({"response_format", "speed", "pitch", "volume", "emotion", "sample_rate", "bitrate", "channel", "language_boost"})
    sample_rate = 32000

    def encode(self, request: SpeakRequest, stream: bool = False) -> HttpRequest:
        p = dict(request.parameters)
        names = {"speed": "speed", "pitch": "pitch", "volume": "vol", "emotion": "emotion"}
        voice = {"voice_id": self.voice(request, "male-qn-qingse"), **{names[k]: p.pop(k) for k in list(p) if k in names}}
        audio = {"format": p.pop("response_format", None) or self.options.get("format", "mp3")}
        audio |= {k: p.pop(k) for k in ("sample_rate", "bitrate", "channel") if k in p}
        body = {"model": request.model, "text": request.text, "stream": stream, "voice_setting": voice, "audio_setting": audio}
        return self.post({**body, **({} if stream else {"output_format": "hex"}), **p}, request.model)

    def encode_streamed(self, request: SpeakRequest) -> HttpRequest:
        return self.encode(request, True)

    def _json(self, found: Any, headers: Mapping[str, str]) -> Files:
        extra = found.get("extra_info") or {}
        mime = MIMES.get(str(extra.get("audio_format") or "mp3"), "")
        return sound(bytes.fromhex(found["data"]["audio"]), mime, headers, int(extra.get("audio_sample_rate") or self.sample_rate))

    def pieces(self, headers: Mapping[str, str]) -> PieceDecoder:
        heard = bytearray()

        def read_one(event: Any) -> Iterator[bytes]:
            if (event.get("base_resp") or {}).get("status_code"):
                raise Refused(json.dumps(event))
            data = event.get("data") or {}
            piece = bytes.fromhex(data.get("audio") or "")
            if piece and not (data.get("status") == 2 and heard and piece == bytes(heard)):  # the end may repeat everything
                heard.extend(piece)
                yield piece

        return EventPieces(read_one)


class DashscopeSpeech(OpenAISpeech):
    """Qwen TTS: whole at an address, or pieces of bare samples in base64."""

    path = "/services/aigc/multimodal-generation/generation"
    known = frozenset({"language_type", "language", "response_format", "sample_rate", "instructions", "volume", "rate", "pitch"})

    def encode(self, request: SpeakRequest) -> HttpRequest:
        p = dict(request.parameters)
        given: dict[str, Any] = {"text": request.text, "voice": self.voice(request, "Cherry")}
        names = {"language": "language_type", "response_format": "format"}
        if self.options.get("format"):
            p.setdefault("response_format", self.options["format"])
        given |= {names.get(k, k): p.pop(k) for k in list(p) if k in self.known}
        return self.post({"model": request.model, "input": given, **p}, request.model)

    def encode_streamed(self, request: SpeakRequest) -> HttpRequest:
        call = self.encode(request)
        return HttpRequest(call.method, call.path, call.json, {**call.headers, "X-DashScope-SSE": "enable"})

    def _json(self, found: Any, headers: Mapping[str, str]) -> Files:
        audio = (found.get("output") or {}).get("audio") or {}
        if audio.get("data"):
            return sound(base64.b64decode(audio["data"]), "audio/pcm", headers, self.sample_rate, found)
        return Files((remote(audio["url"], "audio"),), usage_of(found), "", request_id_of(headers, found))

    def pieces(self, headers: Mapping[str, str]) -> PieceDecoder:
        def read_one(event: Any) -> Iterator[bytes]:
            if event.get("code"):
                raise Refused(json.dumps(event))
            data = ((event.get("output") or {}).get("audio") or {}).get("data")
            if data:
                yield base64.b64decode(data)

        return EventPieces(read_one)

    def mime(self, request: SpeakRequest) -> str:
        return super().mime(request) if self.options.get("format") or request.parameters.get("response_format") else "audio/pcm"


class DoubaoSpeech(OpenAISpeech):
    """Volcengine: lines of JSON; code 0 goes on, 20000000 is the end, others refuse."""

    path = "/api/v3/tts/unidirectional"
    known = frozenset({"response_format", "sample_rate", "speech_rate", "loudness_rate", "emotion", "uid", "additions"})

    def encode(self, request: SpeakRequest) -> HttpRequest:
        p = dict(request.parameters)
        audio = {"format": p.pop("response_format", None) or self.options.get("format", "mp3"), "sample_rate": p.pop("sample_rate", self.sample_rate)}
        audio |= {k: p.pop(k) for k in ("speech_rate", "loudness_rate", "emotion") if k in p}
        user = {"uid": p.pop("uid", "workbench")}
        asked = {"text": request.text, "speaker": self.voice(request, "zh_female_vv_uranus_bigtts"), "audio_params": audio, **p}
        headers = {"X-Api-Request-Id": str(uuid.uuid4())}
        if request.model:
            headers["X-Api-Resource-Id"] = request.model
        return self.post({"user": user, "req_params": asked}, request.model, headers)

    encode_streamed = encode

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Files:
        reader = self.pieces(headers)
        data = b"".join([*reader.feed(body), *reader.close()])
        return sound(data, "", headers, self.sample_rate)

    def pieces(self, headers: Mapping[str, str]) -> PieceDecoder:
        def read_one(event: Any) -> Iterator[bytes]:
            if event.get("code") not in (0, 20000000, None):
                raise Refused(json.dumps(event, ensure_ascii=False))
            if event.get("data"):
                yield base64.b64decode(event["data"])

        return EventPieces(read_one)


class GeminiSpeech(OpenAISpeech):
    """``generateContent`` with the sound as its only modality."""

    path = "/models/{model}:generateContent"
    known = frozenset({"temperature"})

    def encode(self, request: SpeakRequest) -> HttpRequest:
        return self._asked(request, self.path)

    def encode_streamed(self, request: SpeakRequest) -> HttpRequest:
        return self._asked(request, "/models/{model}:streamGenerateContent?alt=sse")

    def _asked(self, request: SpeakRequest, path: str) -> HttpRequest:
        p = dict(request.parameters)
        voice = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": self.voice(request, "Kore")}}}
        settings: dict[str, Any] = {"responseModalities": ["AUDIO"], "speechConfig": voice}
        settings |= {k: p.pop(k) for k in ("temperature",) if k in p}
        call = self.post({"contents": [{"role": "user", "parts": [{"text": request.text}]}], "generationConfig": settings, **p}, request.model)
        return HttpRequest(call.method, self.address(request.model, path), call.json, call.headers)

    def _json(self, found: Any, headers: Mapping[str, str]) -> Files:
        data = b"".join(_samples(found))
        mime = next((m for m in _mimes(found)), "")
        rate = int(mime.rpartition("rate=")[2] or 0) if "rate=" in mime else self.sample_rate
        return sound(data, mime.replace("audio/L16", "audio/pcm"), headers, rate, found)

    def pieces(self, headers: Mapping[str, str]) -> PieceDecoder:
        return EventPieces(_samples)

    def mime(self, request: SpeakRequest) -> str:
        return "audio/pcm"


def _inline(found: Any) -> Iterator[Mapping[str, Any]]:
    if not found.get("candidates"):
        if found.get("usageMetadata") and not found.get("promptFeedback"):
            return
        raise Refused(json.dumps(found))
    for part in found["candidates"][0].get("content", {}).get("parts", ()):
        if part.get("inlineData"):
            yield part["inlineData"]


def _samples(found: Any) -> Iterator[bytes]:
    for data in _inline(found):
        yield base64.b64decode(data["data"])


def _mimes(found: Any) -> Iterator[str]:
    for data in _inline(found):
        yield str(data.get("mimeType") or "")
