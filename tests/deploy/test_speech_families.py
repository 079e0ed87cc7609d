"""The speech server around tiny models of the families beside VITS: voices, lengths, seeds, formats, and where each ends."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from family_answers import family_answers, said

TWO = "Hello there. How are you?"
LONG = "One more sentence of some words. " * 300
ENDLESS = {"gone": 0.2, "input": LONG}


def ask(*, gone: float = 0.0, **body: Any) -> dict[str, Any]:
    return {"path": "/v1/audio/speech", "body": {"input": "Hello there.", "response_format": "pcm", "seed": 1, **body}, "gone": gone}


QUESTIONS: dict[str, list[dict[str, Any]]] = {
    "speecht5": [
        ask(),
        ask(voice="bob"),
        ask(voice="eve"),
        ask(max_tokens=9),
        ask(stream=True, input=TWO),
        ask(input=TWO),
        ask(response_format="flac"),
        ask(stream_format="sse"),
        ask(**ENDLESS),
    ],
    "bark": [ask(), ask(seed=2), ask(voice="v2/en_speaker_6"), ask(voice="v2/de_speaker_0"), ask(max_tokens=4), ask(speed=2)],
    "seamless": [ask(), ask(voice="eng"), ask(voice="deu"), ask(max_tokens=4)],
    "csm": [ask(), ask(seed=2), ask(voice="3"), ask(max_tokens=4), ask(**ENDLESS)],
    "dia": [ask(), ask(seed=2), ask(max_tokens=33), ask(max_tokens=8), ask(input="")],
    "musicgen": [ask(), ask(seed=2), ask(max_tokens=8), ask(input=LONG), ask(input="A song", max_tokens=1900, gone=0.3)],
}


@pytest.fixture(scope="module")
def came(module_home: Path) -> dict[str, dict[str, Any]]:
    return family_answers("speech", "voices", [{"kind": kind, "asks": asks} for kind, asks in QUESTIONS.items()])


def sound(answer: dict[str, Any]) -> bytes:
    assert answer["status"] == 200, answer
    found = base64.b64decode(answer["base64"])
    assert len(found) > 200
    return found


def test_speecht5_speaks_with_a_voice_beside_it(came: dict[str, dict[str, Any]]) -> None:
    usual, bob, eve, counted, streamed, whole, flac, events, gone = came["speecht5"]["answers"]
    assert came["speecht5"]["options"]["voices"] == ["ada", "bob"]
    assert sound(usual) != sound(bob)
    assert said(eve) == "This model has no voice 'eve': its voices are ada, bob."
    assert said(counted) == "Models of the family 'speecht5' count no tokens."
    assert (sound(streamed), streamed["pieces"]) == (sound(whole), 2)
    assert sound(flac)[:4] == b"fLaC"
    assert said(events) == "'stream_format' cannot be 'sse'; it is one of: audio."
    assert gone["status"] == 499
    assert came["speecht5"]["counts"]["sentences_total"] < 150


def test_bark_speaks_english_to_those_who_name_no_voice(came: dict[str, dict[str, Any]]) -> None:
    usual, other, english, german, short, fast = came["bark"]["answers"]
    assert sound(usual) == sound(english) != sound(other)
    assert sound(german) != sound(usual)
    assert len(sound(short)) < len(sound(usual))
    assert "have one speed" in said(fast)


def test_seamless_speaks_english_to_those_who_name_no_language(came: dict[str, dict[str, Any]]) -> None:
    usual, english, german, short = came["seamless"]["answers"]
    assert sound(usual) == sound(english) != sound(german)
    assert len(sound(short)) < len(sound(usual))


def test_csm_and_dia_speak_as_long_as_they_are_told(came: dict[str, dict[str, Any]]) -> None:
    usual, other, third, short, gone = came["csm"]["answers"]
    assert len({sound(a) for a in (usual, other, third)}) == 3
    assert len(sound(short)) < len(sound(usual))
    assert gone["status"] == 499
    usual, other, short, none, empty = came["dia"]["answers"]
    assert came["dia"]["options"]["sample_rate"] == 44100
    assert sound(usual) != sound(other)
    assert len(sound(short)) < len(sound(usual))
    assert said(none) == "'max_tokens' is 8; it has to be from 32 to 100000."
    assert said(empty) == "'input' is missing or empty."


def test_music_is_described_in_one_piece_and_ends_with_its_caller(came: dict[str, dict[str, Any]]) -> None:
    usual, other, short, long, gone = came["musicgen"]["answers"]
    assert sound(usual) != sound(other)
    assert len(sound(short)) < len(sound(usual))
    assert "2000 are the most" in said(long)
    assert gone["status"] == 499
    assert came["musicgen"]["counts"]["sentences_total"] == 3  # not the one that nobody waits for
