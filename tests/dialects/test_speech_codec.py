"""Each form of speech and transcription: what is sent, and what is made of the documented answers, whole and in pieces."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree

import openai.types.audio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.media import Media
from workbench.core.protocols import FollowUp, HttpRequest, Refused
from workbench.core.typed import SpeakRequest, TranscribeRequest
from workbench.data.media import wav
from workbench.dialects.speech import speech
from workbench.dialects.transcription import transcription
from workbench.errors import ArgumentError

from ..support.openai_types import check_params

WAV = wav(b"\x01\x00" * 100, 1, 16000)
MP3 = b"ID3" + bytes(50)
SOUND = Media("audio", "audio/wav", WAV, "", "a.wav")
THERE = Media("audio", "audio/wav", b"", "https://example.com/a.wav", "a.wav")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sse(*events: Any) -> bytes:
    return b"".join(b"id:1\nevent:result\ndata:" + json.dumps(e).encode() + b"\n\n" for e in events)


def test_the_usual_speech_request_is_what_the_openai_package_types() -> None:
    call = speech({"voice": "alloy"}).encode(SpeakRequest("Hi", "", "m", {"response_format": "wav", "speed": 1.5, "instructions": "calm"}))
    assert call.path == "/audio/speech"
    assert isinstance(call.json, dict)
    check_params(call.json, openai.types.audio.SpeechCreateParams)


@pytest.mark.parametrize(
    ("options", "given", "body"),
    [
        ({"voice_prefix": "{model}:"}, "alex", {"model": "m", "input": "Hi", "voice": "m:alex"}),
        ({"voice_prefix": "{model}:"}, "m:own", {"model": "m", "input": "Hi", "voice": "m:own"}),
        ({"text_field": "text", "voice_field": "voice_id", "voice": "eve"}, "", {"model": "m", "text": "Hi", "voice_id": "eve"}),
        ({"format": "wav", "body": {"stream": False}}, "v", {"model": "m", "input": "Hi", "voice": "v", "response_format": "wav", "stream": False}),
        (
            {"form": "minimax"},
            "v",
            {
                "model": "m",
                "text": "Hi",
                "stream": False,
                "voice_setting": {"voice_id": "v"},
                "audio_setting": {"format": "mp3"},
                "output_format": "hex",
            },
        ),
        ({"form": "dashscope"}, "Cherry", {"model": "m", "input": {"text": "Hi", "voice": "Cherry"}}),
        ({"form": "dashscope", "format": "mp3"}, "v", {"model": "m", "input": {"text": "Hi", "voice": "v", "format": "mp3"}}),
        (
            {"form": "doubao"},
            "v",
            {"user": {"uid": "workbench"}, "req_params": {"text": "Hi", "speaker": "v", "audio_params": {"format": "mp3", "sample_rate": 24000}}},
        ),
        (
            {"form": "gemini"},
            "Puck",
            {
                "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
                "generationConfig": {
                    "responseModalities": ["AUDIO"],
                    "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}}},
                },
            },
        ),
    ],
)
def test_a_form_of_speech_sends_what_is_documented(options: dict[str, Any], given: str, body: dict[str, Any]) -> None:
    assert speech(options).encode(SpeakRequest("Hi", given, "m")).json == body


def test_glms_pieces_are_asked_for_as_samples_in_base64() -> None:
    codec = speech({"form": "glm", "format": "wav"})
    request = SpeakRequest("Hi", "tongtong", "glm-tts")
    body = codec.encode_streamed(request).json
    expected = {"response_format": "pcm", "stream": True, "encode_format": "base64"}
    assert isinstance(body, dict)
    assert {k: body[k] for k in expected} == expected
    assert codec.encode(request).json == {"model": "glm-tts", "input": "Hi", "voice": "tongtong", "response_format": "wav"}
    assert codec.mime(request) == "audio/pcm"


def test_azures_speech_escapes_the_text_and_names_its_format() -> None:
    call = speech({"form": "azure"}).encode(SpeakRequest("<a> & b", "de-DE-KatjaNeural", "", {"response_format": "wav", "rate": "+10%"}))
    assert call.headers == {"Content-Type": "application/ssml+xml", "X-Microsoft-OutputFormat": "riff-24khz-16bit-mono-pcm"}
    assert call.content is not None
    root = ElementTree.fromstring(call.content.decode())
    assert "".join(root.itertext()) == "<a> & b"
    assert root.attrib["{http://www.w3.org/XML/1998/namespace}lang"] == "de-DE"


ANSWERS = [
    ({}, "audio/mpeg", MP3, "audio/mpeg", MP3, 0),
    ({}, "application/octet-stream", WAV, "audio/wav", WAV, 0),
    ({}, "audio/wav", MP3, "audio/mpeg", MP3, 0),  # the content is believed
    ({}, "audio/pcm; rate=16000", b"\1\0" * 9, "audio/pcm", b"\1\0" * 9, 16000),
    ({"form": "azure"}, "audio/mpeg", MP3, "audio/mpeg", MP3, 0),
    ({"form": "base64"}, "application/json", json.dumps({"audio_data": b64(MP3)}).encode(), "audio/mpeg", MP3, 0),
    (
        {"form": "minimax"},
        "application/json",
        json.dumps({"data": {"audio": MP3.hex(), "status": 2}, "extra_info": {"audio_format": "mp3"}, "base_resp": {"status_code": 0}}).encode(),
        "audio/mpeg",
        MP3,
        0,
    ),
    (
        {"form": "gemini"},
        "application/json",
        json.dumps(
            {"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": b64(b"\1\0" * 9)}}]}}]}
        ).encode(),
        "audio/pcm",
        b"\1\0" * 9,
        24000,
    ),
    (
        {"form": "doubao"},
        "application/json",
        b'{"code":0,"data":"' + b64(MP3[:20]).encode() + b'"}\n{"code":0,"data":"' + b64(MP3[20:]).encode() + b'"}\n{"code":20000000,"message":"ok"}',
        "audio/mpeg",
        MP3,
        0,
    ),
]


@pytest.mark.parametrize(("options", "mime", "body", "found", "data", "rate"), ANSWERS)
def test_a_whole_answer_becomes_one_sound(options: dict[str, Any], mime: str, body: bytes, found: str, data: bytes, rate: int) -> None:
    result = speech(options).decode(200, {"content-type": mime}, body)
    assert [(m.mime, m.data) for m in result.media] == [(found, data)]
    assert result.sample_rate == rate


def test_qwens_speech_lies_at_an_address_of_https() -> None:
    codec = speech({"form": "dashscope"})
    body = json.dumps({"output": {"audio": {"url": "https://oss.example.com/a.wav?sig=1", "data": ""}}, "request_id": "r"}).encode()
    result = codec.decode(200, {"content-type": "application/json"}, body)
    assert (result.media[0].url, result.media[0].data, result.media[0].kind, result.request_id) == (
        "https://oss.example.com/a.wav?sig=1",
        b"",
        "audio",
        "r",
    )
    with pytest.raises(ValueError, match="neither https"):
        codec.decode(200, {"content-type": "application/json"}, body.replace(b"https:", b"http:"))


PIECES = [
    (
        {"form": "glm"},
        sse({"choices": [{"delta": {"content": b64(b"\1\2"), "return_sample_rate": 24000}}]}, {"choices": [{"finish_reason": "stop", "delta": {}}]})
        + b"data: [DONE]\n",
        b"\1\2",
    ),
    (
        {"form": "minimax"},
        sse({"data": {"audio": "0102", "status": 1}}, {"data": {"audio": "0304", "status": 1}}, {"data": {"audio": "01020304", "status": 2}}),
        b"\1\2\3\4",
    ),
    ({"form": "minimax"}, sse({"data": {"audio": "0102", "status": 1}}, {"data": {"audio": "03", "status": 2}}), b"\1\2\3"),
    (
        {"form": "dashscope"},
        sse({"output": {"audio": {"data": b64(b"\1\2")}}}, {"output": {"audio": {"data": "", "url": "https://x"}, "finish_reason": "stop"}}),
        b"\1\2",
    ),
    ({"form": "doubao"}, b'{"code":0,"data":"AQI="}\n{"code":0,"sentence":{}}\n{"code":20000000}', b"\1\2"),
    (
        {"form": "gemini"},
        sse({"candidates": [{"content": {"parts": [{"inlineData": {"data": "AQI="}}]}}]}, {"usageMetadata": {}, "candidates": [{}]}),
        b"\1\2",
    ),
    ({}, MP3, MP3),
]


@pytest.mark.parametrize(("options", "body", "sound"), PIECES)
@given(st.data())
def test_pieces_are_the_same_wherever_the_connection_cuts_them(options: dict[str, Any], body: bytes, sound: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    reader = speech(options).pieces({})
    heard = b"".join(p for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True) for p in reader.feed(body[a:b]))
    assert heard + b"".join(reader.close()) == sound


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({"form": "minimax"}, sse({"base_resp": {"status_code": 1002, "status_msg": "rate"}})),
        ({"form": "dashscope"}, sse({"code": "Throttling", "message": "no"})),
        ({"form": "doubao"}, b'{"code":45000000,"message":"bad speaker"}\n'),
        ({"form": "gemini"}, sse({"promptFeedback": {"blockReason": "SAFETY"}})),
    ],
)
def test_a_refusal_among_the_pieces_is_a_refusal(options: dict[str, Any], body: bytes) -> None:
    with pytest.raises(Refused):
        list(speech(options).pieces({}).feed(body))


@pytest.mark.parametrize(
    ("mime", "body", "says"),
    [
        ("text/html", b"<html><p>gateway</p></html>", "gateway"),
        ("application/json", b'{"error":{"message":"no voice"}}', "no voice"),
        ("audio/mpeg", b"", "no sound"),
    ],
)
def test_what_is_no_sound_is_a_refusal_whole_and_in_pieces(mime: str, body: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says):
        speech().decode(200, {"content-type": mime}, body)
    if body:
        reader = speech().pieces({"content-type": mime})
        assert not list(reader.feed(body))
        with pytest.raises(Refused, match=says):
            reader.close()


def test_a_web_page_is_no_transcript() -> None:
    with pytest.raises(Refused, match="web page"):
        transcription().decode(200, {"content-type": "text/html; charset=utf-8"}, b"<html>")


# ---- transcription


def test_the_usual_transcription_is_a_form_that_the_openai_package_types() -> None:
    parameters = {"language": "en", "temperature": 0.5, "timestamp_granularities": ["word", "segment"], "response_format": "verbose_json"}
    call = transcription().encode(TranscribeRequest(SOUND, "whisper-1", parameters))
    fields = {p.name: p.value for p in call.files}
    known = set(openai.types.audio.transcription_create_params.TranscriptionCreateParamsNonStreaming.__annotations__) | set(
        openai.types.audio.transcription_create_params.TranscriptionCreateParamsBase.__annotations__
    )
    assert {n.removesuffix("[]") for n in fields} <= known
    assert [p.value for p in call.files if p.name == "timestamp_granularities[]"] == ["word", "segment"]
    file = next(p for p in call.files if p.name == "file")
    assert (file.filename, file.mime, file.value) == ("a.wav", "audio/wav", WAV)


@pytest.mark.parametrize(
    ("options", "body", "text"),
    [
        ({}, b'{"text":"hello","usage":{"type":"duration","seconds":3}}', "hello"),
        ({}, b"1\n00:00 --> 00:01\nhello\n", "1\n00:00 --> 00:01\nhello"),
        ({"form": "json"}, b'{"text":"hello"}', "hello"),
        ({"form": "chat"}, b'{"choices":[{"message":{"content":"hello"}}],"usage":{"prompt_tokens":2,"completion_tokens":1}}', "hello"),
        ({"form": "chat"}, b'{"choices":[{"message":{"content":[{"text":"hel"},{"text":"lo"}]}}]}', "hello"),
        ({"form": "gemini"}, b'{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"hello\\n"}]}}]}', "hello"),
        ({"form": "azure"}, b'{"RecognitionStatus":"Success","DisplayText":"hello"}', "hello"),
        ({"form": "doubao_flash"}, b'{"result":{"text":"hello"}}', "hello"),
    ],
)
def test_transcripts_are_read_in_every_form(options: dict[str, Any], body: bytes, text: str) -> None:
    assert transcription(options).decode(200, {}, body).text == text


@pytest.mark.parametrize(
    ("options", "audio", "body"),
    [
        ({"form": "json"}, SOUND, {"model": "m", "input_audio": {"data": b64(WAV), "format": "wav"}, "language": "en"}),
        (
            {"form": "chat"},
            THERE,
            {
                "model": "m",
                "messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": THERE.url}}]}],
                "asr_options": {"language": "en"},
                "stream": False,
            },
        ),
        (
            {"form": "doubao_flash"},
            SOUND,
            {"user": {"uid": "workbench"}, "audio": {"data": b64(WAV), "language": "en"}, "request": {"model_name": "m"}},
        ),
        ({"form": "dashscope_task"}, THERE, {"model": "m", "input": {"file_urls": [THERE.url]}, "parameters": {"language": "en"}}),
    ],
)
def test_a_form_of_transcription_sends_what_is_documented(options: dict[str, Any], audio: Media, body: dict[str, Any]) -> None:
    assert transcription(options).encode(TranscribeRequest(audio, "m", {"language": "en"})).json == body


def test_azures_transcription_sends_the_sound_itself_and_refuses_other_formats() -> None:
    call = transcription({"form": "azure"}).encode(TranscribeRequest(SOUND, "", {"language": "de-DE"}))
    assert (call.content, call.query) == (WAV, {"language": "de-DE"})
    with pytest.raises(ArgumentError, match="WAV and OGG"):
        transcription({"form": "azure"}).encode(TranscribeRequest(Media("audio", "audio/mpeg", MP3), ""))


def test_a_task_is_asked_for_until_its_file_is_there() -> None:
    codec = transcription({"form": "dashscope_task"})
    asked = codec.decode(200, {}, b'{"output":{"task_id":"t/1","task_status":"PENDING"}}')
    assert isinstance(asked, FollowUp)
    assert asked.request == HttpRequest("GET", "/tasks/t%2F1")
    assert asked.cancel == HttpRequest("POST", "/tasks/t%2F1/cancel")
    assert asked.state == "PENDING"
    assert asked.decode is not None
    again = asked.decode(200, {}, b'{"output":{"task_id":"t/1","task_status":"RUNNING"}}')
    done = again.decode(
        200,
        {},
        b'{"request_id":"r","output":{"task_id":"t/1","task_status":"SUCCEEDED","results":[{"subtask_status":"SUCCEEDED","transcription_url":"https://x/y"}]}}',
    )
    assert (done.request.path, done.request.authorized) == ("https://x/y", False)  # no key leaves for the file's place
    assert done.decode(200, {}, b'{"transcripts":[{"text":"a"},{"text":"b"}]}').text == "a\nb"


@pytest.mark.parametrize(
    "body",
    [
        b'{"output":{"task_id":"t","task_status":"FAILED","message":"no"}}',
        b'{"output":{"task_id":"t","task_status":"UNKNOWN"}}',
        b'{"output":{"task_id":"t","task_status":"SUCCEEDED","results":[{"subtask_status":"FAILED","message":"bad file"}]}}',
    ],
)
def test_a_task_that_failed_is_a_refusal(body: bytes) -> None:
    with pytest.raises(Refused):
        transcription({"form": "dashscope_task"}).decode(200, {}, body)


def test_a_sound_without_an_address_cannot_be_a_task() -> None:
    with pytest.raises(ArgumentError, match="by their address only"):
        transcription({"form": "dashscope_task"}).encode(TranscribeRequest(SOUND, "paraformer-v2"))


def test_a_status_in_a_header_is_read() -> None:
    with pytest.raises(Refused, match="45000001"):
        transcription({"form": "doubao_flash"}).decode(200, {"x-api-status-code": "45000001", "x-api-message": "bad"}, b"{}")
