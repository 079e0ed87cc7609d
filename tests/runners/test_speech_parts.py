"""What the speech server is made of, without a model: sentences, samples, transcripts in five forms, voices by family."""

from __future__ import annotations

import io
import wave
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runners.serve_sensevoice import joined, told_of
from workbench.runners.serving_fields import Refusal
from workbench.runners.sound_windows import windows
from workbench.runners.speech_families import FAMILIES, Voices
from workbench.runners.speech_sound import file_of, mime, pcm, wav_head
from workbench.runners.speech_text import sentences
from workbench.runners.transcripts import Heard, Span, written


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Good morning! How are you?", ["Good morning!", "How are you?"]),
        ('He said "No!" Dr. Smith left at 3.30 p.m. on Main St. Then?', ['He said "No!"', "Dr. Smith left at 3.30 p.m.", "on Main St. Then?"]),
        ("你好。世界！再见", ["你好。", "世界！", "再见"]),
        ("A title\n\nA text\nand more", ["A title", "A text", "and more"]),
        ("*** \n -- ", []),
        ("", []),
    ],
)
def test_a_text_is_cut_where_sentences_end(text: str, found: list[str]) -> None:
    assert sentences(text, 400) == found


def test_a_long_sentence_is_cut_at_pauses_then_between_words_then_anywhere() -> None:
    assert sentences("one, two three, four", 12) == ["one,", "two three,", "four"]
    assert sentences("one two three", 8) == ["one two", "three"]
    assert sentences("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert sentences("  A melody. With drums.\n", 0) == ["A melody. With drums."]


@given(st.text(max_size=300), st.integers(5, 60))
def test_pieces_are_short_enough_and_lose_no_letter(text: str, most: int) -> None:
    pieces = sentences(text, most)
    assert all(len(piece) <= most for piece in pieces)
    assert [c for c in "".join(pieces) if c.isalnum()] == [c for c in text if c.isalnum()]


def test_samples_become_a_wav_file_that_others_read() -> None:
    samples = np.array([0.0, 0.5, -0.5, 2.0, -2.0], np.float32)
    with wave.open(io.BytesIO(file_of(samples, 16000, "wav"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (16000, 1, 2, 5)
        assert np.frombuffer(file.readframes(5), "<i2").tolist() == [0, 16383, -16383, 32767, -32767]
    assert file_of(samples, 16000, "pcm") == pcm(samples)
    assert wav_head(8000)[40:44] == b"\xff\xff\xff\xff"
    assert mime("pcm", 22050) == "audio/pcm;rate=22050"
    assert mime("wav", 22050) == "audio/wav"


def test_a_transcript_has_openais_five_forms() -> None:
    heard = Heard("Good morning. Bye.", 3725.5, "transcribe", "en", (Span(0, 1.25, " Good morning."), Span(3723.5, 3725.4567, " Bye.")))
    assert written(heard, "json") == {"text": "Good morning. Bye."}
    assert written(heard, "text") == "Good morning. Bye.\n"
    assert written(heard, "srt") == "1\n00:00:00,000 --> 00:00:01,250\nGood morning.\n\n2\n01:02:03,500 --> 01:02:05,457\nBye.\n"
    assert written(heard, "vtt") == "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nGood morning.\n\n01:02:03.500 --> 01:02:05.457\nBye.\n"
    whole: Any = written(heard, "verbose_json")
    assert (whole["language"], whole["duration"], whole["segments"][1]) == (
        "en",
        3725.5,
        {"id": 1, "start": 3723.5, "end": 3725.457, "text": " Bye."},
    )
    words: Any = written(heard, "verbose_json", words=True)
    assert words["words"][0] == {"word": "Good morning.", "start": 0, "end": 1.25}
    assert written(Heard("Hm", 1.0), "srt") == "1\n00:00:00,000 --> 00:00:01,000\nHm\n"


def pipe(family: str, **config: Any) -> Any:
    """As much of transformers' pipeline as voices ask of."""
    model = SimpleNamespace(config=SimpleNamespace(model_type=family, name_or_path="", **config), generation_config=SimpleNamespace())
    return SimpleNamespace(model=model, processor=None)


def test_what_a_voice_is_depends_on_the_family(tmp_path: Path) -> None:
    vits = Voices(pipe("vits", num_speakers=3))
    assert vits.names == ["0", "1", "2"]
    assert vits.options("2") == ("", {"forward_params": {"speaker_id": 2}})
    assert vits.options("") == vits.options("default") == vits.options("0")
    with pytest.raises(Refusal, match=r"no voice 'alloy': its voices are 0, 1, 2\."):
        vits.options("alloy")
    one = Voices(pipe("vits", num_speakers=1))
    assert one.options("") == ("", {})
    with pytest.raises(Refusal, match="one voice, 'default'"):
        one.options("1")
    bark = pipe("bark")
    bark.processor = SimpleNamespace(speaker_embeddings={"repo_or_path": "x", "v2/en_speaker_1": {}, "v2/de_speaker_3": {}})
    assert Voices(bark).options("v2/de_speaker_3") == ("", {"preprocess_params": {"voice_preset": "v2/de_speaker_3"}})
    assert Voices(pipe("csm")).options("4") == ("[4]", {})
    assert Voices(pipe("something_new")).options("") == ("", {})
    with pytest.raises(Refusal):
        Voices(pipe("vits", num_speakers=3), default="seven")
    assert set(FAMILIES) >= {"vits", "speecht5", "bark", "musicgen"}


def test_a_long_recording_is_cut_where_it_is_quiet() -> None:
    rate = 1000
    loud = np.ones(70 * rate)
    loud[25 * rate : 25 * rate + 300] = 0
    cuts = windows(loud, rate, 30.0)
    assert cuts[0][0] == 0
    assert 25.0 <= cuts[0][1] / rate <= 25.3
    assert all(a[1] == b[0] for a, b in pairwise(cuts))
    assert cuts[-1][1] == len(loud)
    assert all(0 < end - start <= 30 * rate for start, end in cuts)
    assert windows(np.zeros(0), rate, 30.0) == [(0, 0)]


def test_words_and_tags_come_apart_and_parts_together() -> None:
    told = told_of("<|en|><|HAPPY|><|Speech|><|withitn|>Good  morning.")
    assert (told.text, told.tags) == ("Good morning.", ("en", "HAPPY", "Speech"))
    assert joined(["Good morning.", "", "How are you?"]) == "Good morning. How are you?"
    assert joined(["你好。", "再见"]) == "你好。再见"
    assert joined([]) == ""
