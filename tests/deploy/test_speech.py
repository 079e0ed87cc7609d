"""The real speech server on a tiny VITS and a tiny Whisper, both untrained: what is tested is everything around the words."""

from __future__ import annotations

import io
import json
import time
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from tiny_models import tiny

import workbench as wb
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.data.media import media
from workbench.deploy.speech_server import SpeechServer
from workbench.errors import ArgumentError, BadRequest

from ..support.guarded import assert_guarded

TEXT = "Good morning to all. How are you? This is the end."
RATE = 16000

pytestmark = pytest.mark.usefixtures("module_home")


@pytest.fixture(scope="module")
def speaks(module_home: Path) -> Any:
    return wb.TrainableModule(str(tiny("vits"))).deploy_method(wb.deploy.speech).start()


@pytest.fixture(scope="module")
def hears(module_home: Path) -> Any:
    return wb.TrainableModule(str(tiny("whisper"))).deploy_method(wb.deploy.speech).start()


def http(module: Any) -> httpx.Client:
    key = Path(module.endpoint.key_file).read_text().strip()
    return httpx.Client(base_url=module.endpoint.url, headers={"Authorization": f"Bearer {key}"}, timeout=60)


def tone(seconds: float, rate: int = RATE) -> tuple[np.ndarray[Any, Any], int]:
    return np.sin(np.arange(int(seconds * rate)) / 9) * 0.3, rate


def test_a_text_becomes_a_wav_file_of_the_models_rate_and_a_seed_repeats_it(speaks: Any) -> None:
    assert speaks.type == "TTS"
    spoken = speaks(TEXT, seed=1)
    assert (spoken.mime, spoken.sample_rate) == ("audio/wav", RATE)
    assert spoken.duration > 0.5
    assert speaks(TEXT, seed=1).data == spoken.data
    assert speaks(TEXT, seed=2).data != spoken.data
    assert speaks(TEXT, seed=1, speed=2.0).duration < spoken.duration
    assert [speaks("Hello", format=f).mime for f in ("mp3", "flac", "opus", "pcm")] == ["audio/mpeg", "audio/flac", "audio/ogg", "audio/wav"]


def test_a_long_text_is_heard_while_it_is_made(speaks: Any) -> None:
    with speaks.stream(TEXT, seed=1) as stream:
        pieces = list(stream)
    assert (stream.mime, stream.sample_rate) == ("audio/pcm", RATE)
    assert len(pieces) >= 3
    joined = stream.join()
    assert joined.mime == "audio/wav"
    when, noted = speaks.recent[-1]
    assert (noted.finish_reason, noted.details, when > 0) == ("stop", {"made": 1}, True)
    assert joined.data == speaks(TEXT, seed=1).data
    with speaks.stream(TEXT) as given_up:
        next(iter(given_up))
    assert (speaks.recent[-1][1].finish_reason, speaks.recent[-1][1].details) == ("cancelled", {"made": 0})
    with (
        http(speaks) as client,
        client.stream("POST", "audio/speech", json={"input": "Hi. You.", "response_format": "wav", "stream": True}) as answer,
    ):
        assert b"".join(answer.iter_raw())[:4] == b"RIFF"


def test_openais_client_speaks_and_listens(speaks: Any, hears: Any, tmp_path: Path) -> None:
    def client(module: Any) -> Any:
        return openai.OpenAI(base_url=module.endpoint.url, api_key=Path(module.endpoint.key_file).read_text().strip(), max_retries=0)

    made = client(speaks).audio.speech.create(model="any", voice="alloy", input="Hello", response_format="wav", extra_body={"seed": 1})
    assert made.content == speaks("Hello", seed=1).data  # clients that know OpenAI's voices only are heard with the one there is
    with wave.open(io.BytesIO(made.content)) as file:
        assert file.getframerate() == RATE
    said = client(hears).audio.transcriptions.create(
        model="any", file=("a.wav", made.content), response_format="verbose_json", timestamp_granularities=["segment"], language="en"
    )
    assert said.language == "en"
    assert isinstance(client(hears).audio.translations.create(model="any", file=("a.wav", made.content)).text, str)
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=hears.endpoint.url, api_key="wrong", max_retries=0).models.list()
    for module in (speaks, hears):
        assert_guarded(module.endpoint, pid=module.deployment.record.pid)


def test_a_voice_a_text_or_a_format_that_there_is_not_is_refused_with_what_there_is(speaks: Any) -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("Hello", {"voice": "eve"}, "This model has no voice 'eve': it has one voice, 'default'."),
        ("Hello", {"response_format": "aac"}, "it is one of: mp3, wav, pcm, flac, opus"),
        ("Hello", {"speed": 9}, "'speed' is 9; it has to be from 0.25 to 4.0."),
        ("Hello", {"instructions": "softly"}, "There is no field 'instructions'."),
        ("Hello", {"max_tokens": 9}, "'vits' count no tokens"),
        ("你好", {}, "knows none of the letters in '你好'"),
        ("***", {}, "'input' holds nothing that can be said."),
        ("a" * 100_001, {}, "has 100001 characters; 100000 are the most"),
    ]
    for text, arguments, said in cases:
        with pytest.raises(BadRequest) as caught:
            speaks(text, **arguments)
        assert said in str(caught.value)


def test_speech_ends_with_its_caller(speaks: Any) -> None:
    with http(speaks) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("audio/speech", json={"input": "One more sentence. " * 2000}, timeout=0.5)
        assert speaks("Hello").duration
        for _ in range(100):
            text = client.get(speaks.endpoint.url.replace("/v1", "/metrics")).text
            if "workbench:requests_running 0" in text:
                break
            time.sleep(0.1)
        assert "workbench:requests_running 0" in text


def test_a_recording_of_any_length_and_rate_is_written_down(hears: Any, tmp_path: Path) -> None:
    assert hears.type == "STT"
    assert isinstance(hears(tone(0.01)), str)
    assert hears(tone(2, 44100)).details == {}
    long = hears(tone(40), response_format="verbose_json")
    assert long.details["duration"] == 40.0
    assert long.details["language"]  # found by the model
    assert long == long.details["text"]
    assert all(0 <= s["start"] <= s["end"] <= 40 for s in long.details["segments"])
    assert hears(tone(2), response_format="vtt").startswith("WEBVTT")
    assert isinstance(hears(tone(2), language="english", prompt="Pocket", temperature=0.0), str)
    path = tmp_path / "a.wav"
    path.write_bytes(media(tone(2)).data)
    assert hears(path) == hears(tone(2))


def test_what_is_no_sound_or_cannot_be_told_is_refused(hears: Any) -> None:
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (b"nonsense", {}, "The sound cannot be read"),
        (tone(1), {"language": "xx"}, "Unsupported language: xx"),
        (tone(1), {"response_format": "xml"}, "it is one of: json, text, verbose_json, srt, vtt"),
        (tone(1), {"timestamp_granularities": ["word"]}, "goes with response_format 'verbose_json'"),
        (tone(1), {"timestamp_granularities": ["word"], "response_format": "verbose_json"}, "alignment_heads"),  # this one was made without
        (tone(1), {"temperature": 2}, "'temperature' is 2; it has to be from 0.0 to 1.0."),
        (tone(1), {"hotwords": "x"}, "There is no field 'hotwords'."),
    ]
    for sound, arguments, said in cases:
        with pytest.raises((BadRequest, ArgumentError)) as caught:
            hears(sound, **arguments)
        assert said in str(caught.value)
    with http(hears) as client:
        assert client.post("audio/transcriptions", data={"model": "a"}).json()["error"]["message"] == "'file' has to be one sound."
        assert client.post("audio/speech", json={"input": "a"}).status_code == 404


def test_the_plan_names_folders_and_refuses_those_that_are_not_there(home: Path, tmp_path: Path) -> None:
    engine = SpeechServer()
    (tmp_path / "voices").mkdir()
    spec = DeploySpec(str(tmp_path), "tts", "m", {"voices": str(tmp_path / "voices"), "torch_dtype": "float32"})
    [stage] = engine.plan(spec.to_json(), JobPlace("job", tmp_path))
    asked = json.loads(stage.files["serve.json"])
    assert asked["arguments"] == {"voices": str(tmp_path / "voices"), "dtype": "float32"}
    assert (asked["type"], stage.environment) == ("tts", "speech")
    with pytest.raises(ArgumentError, match="There is no folder"):
        engine.check(DeploySpec(str(tmp_path), "tts", "m", {"vocoder": str(tmp_path / "none")}).to_json())
    with pytest.raises(ArgumentError, match="does not serve models of type 'llm'"):
        engine.check(DeploySpec(str(tmp_path), "llm").to_json())


def test_defaults_count_for_every_client_and_those_that_mean_nothing_are_refused(module_home: Path) -> None:
    quick = wb.TrainableModule(str(tiny("vits"))).deploy_method(wb.deploy.speech, defaults={"speed": 2.0, "response_format": "flac"}, restarts=0)
    with http(quick.start()) as client:
        assert client.post("audio/speech", json={"input": "Hello"}).headers["content-type"] == "audio/flac"
        assert client.post("audio/speech", json={"input": "Hello", "response_format": "wav"}).headers["content-type"] == "audio/wav"
    quick.stop()
    with pytest.raises(ArgumentError, match="sped"):
        wb.TrainableModule(str(tiny("vits"))).deploy_method(wb.deploy.speech, defaults={"sped": 2.0}, restarts=0)
