"""vLLM's /generate form: the prompt that is sent, and answers whole and in pieces, without the prompt that they begin with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scripted_http import Asked, Reply, scripted

import workbench as wb
from workbench.core.events import ErrorInStream, TextDelta
from workbench.core.messages import ChatRequest, Message
from workbench.dialects.vllm_generate import VllmGenerate, VllmGenerateDecoder, prompt_of


def generates(words: list[str], end: bytes = b"\n") -> Any:
    """What ``vllm/entrypoints/api_server.py`` answers."""

    def answer(asked: Asked) -> Reply:
        prompt, stream = asked.json["prompt"], asked.json["stream"]
        texts = [prompt + "".join(words[: n + 1]) for n in range(len(words))]
        if not stream:
            return Reply({"text": texts[-1:]})
        return Reply(body=[json.dumps({"text": [t]}).encode() + end for t in texts])

    return answer


@pytest.mark.parametrize("end", [b"\n", b"\0"], ids=["lines", "zero bytes"])
def test_a_model_behind_generate_answers_and_streams(home: Any, end: bytes) -> None:
    with scripted(generates(["Hel", "lo", " there"], end)) as server:
        for url in (f"{server.host}/generate", f"{server.host}/generate/"):
            m = wb.TrainableModule().deploy_method(wb.deploy.vllm, url=url)
            assert m("What now?", max_tokens=7) == "Hello there"
            asked = server.last
            assert (asked.path, asked.json["prompt"], asked.json["max_tokens"]) == ("/generate", "What now?", 7)
            assert "".join(wb.StreamCallHelper(m)("What now?")) == "Hello there"
        m.prompt("Be brief.")("And now?", llm_chat_history=[["a", "b"]])
        assert server.last.json["prompt"] == "Be brief.\nUser: a\nAssistant: b\nUser: And now?\nAssistant:"


def test_a_conversation_is_written_as_who_speaks_and_what() -> None:
    assert prompt_of([]) == ""
    assert prompt_of([Message("user", "hi")]) == "hi"
    assert prompt_of([Message("system", "s"), Message("user", "hi")]) == "s\nUser: hi\nAssistant:"


def test_what_the_form_cannot_carry_is_refused_with_what_can() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    picture = Message("user", ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},))
    for request in (ChatRequest((Message("user", "x"),), "m", (tool,)), ChatRequest((picture,), "m")):
        with pytest.raises(wb.errors.ArgumentError, match="/v1/"):
            VllmGenerate().encode(request)


def test_answers_without_the_prompt_and_in_pieces_are_read_and_others_are_told() -> None:
    decoder = VllmGenerateDecoder("the prompt")
    assert list(decoder.feed('{"text": ["one "]}')) == [TextDelta("one ")]
    assert list(decoder.feed('{"text": "two"}')) == [TextDelta("two")]
    for line in ("no json", "[]", '{"text": 3}', '{"error": {"message": "too long"}}'):
        assert isinstance(next(iter(VllmGenerateDecoder("").feed(line))), ErrorInStream)
    assert list(VllmGenerateDecoder("").close()) == []
