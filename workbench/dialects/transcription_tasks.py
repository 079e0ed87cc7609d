"""Transcription that is asked for by address: DashScope's tasks and Volcengine's recognition in one request.

Formats: https://help.aliyun.com/zh/model-studio/paraformer-recorded-speech-recognition-restful-api,
https://www.volcengine.com/docs/6561/1631584.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from ..core.protocols import HttpRequest, Refused
from ..core.typed import TranscribeRequest, Transcript
from ..errors import ArgumentError
from .codec import read
from .tasks import ASYNC, fetch_json, follow
from .transcription import OpenAITranscription, transcript


class DashscopeTranscription(OpenAITranscription):
    """A task about one address. It reads addresses only; a sound without one is refused."""

    path = "/services/audio/asr/transcription"
    needs_content = False
    known = frozenset({"language", "language_hints", "vocabulary_id", "channel_id", "disfluency_removal_enabled", "timestamp_alignment_enabled"}) | {
        "diarization_enabled",
        "speaker_count",
        "enable_itn",
        "enable_words",
    }

    def encode(self, request: TranscribeRequest) -> HttpRequest:
        if not request.audio.url:
            raise ArgumentError(
                f"{request.model} reads sounds by their address only.",
                "What was given has no address.",
                "Give an https address, or choose a model that takes the sound itself, such as 'qwen3-asr-flash'.",
            )
        given: dict[str, Any] = {"file_url": request.audio.url} if "filetrans" in request.model else {"file_urls": [request.audio.url]}
        return self.post({"model": request.model, "input": given, "parameters": dict(request.parameters) or None}, request.model, ASYNC)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        return follow(body, self._written)

    @staticmethod
    def _written(found: Any) -> Any:
        output = found["output"]
        row = (output.get("results") or [output.get("result")])[0] or {}
        if row.get("subtask_status", "SUCCEEDED") != "SUCCEEDED":
            raise Refused(json.dumps(row, ensure_ascii=False))

        def joined(file: Any) -> Transcript:
            text = "\n".join(t.get("text", "") for t in file.get("transcripts", ()))
            return transcript(text, {"x-request-id": str(found.get("request_id") or "")}, file)

        return fetch_json(row["transcription_url"], joined)


class DoubaoTranscription(OpenAITranscription):
    """Volcengine's recognition; its state is in a header of the answer."""

    path = "/api/v3/auc/bigmodel/recognize/flash"
    needs_content = False
    known = frozenset({"language", "enable_itn", "enable_punc", "enable_ddc", "enable_speaker_info", "uid", "model_name"})

    def encode(self, request: TranscribeRequest) -> HttpRequest:
        parameters = dict(request.parameters)
        audio = {"data": request.audio.base64} if request.audio.data else {"url": request.audio.url}
        if "language" in parameters:
            audio["language"] = parameters.pop("language")
        user = {"uid": parameters.pop("uid", "workbench")}
        body = {"user": user, "audio": audio, "request": {"model_name": request.model or "bigmodel", **parameters}}
        headers = {"X-Api-Request-Id": str(uuid.uuid4()), "X-Api-Sequence": "-1"}
        return self.post(body, request.model, headers)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Transcript:
        code = headers.get("x-api-status-code", "20000000")
        if code not in ("20000000", "20000003"):  # the second: there is nothing but silence
            raise Refused(json.dumps({"code": code, "message": headers.get("x-api-message") or body.decode("utf-8", "replace")[:500]}))
        found = read(body) if body.strip() else {}
        return transcript(str((found.get("result") or {}).get("text") or ""), headers, found)
