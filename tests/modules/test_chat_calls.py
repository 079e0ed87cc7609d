"""Calls of a chat module against a scripted OpenAI server: what is sent with files and tools, and what comes back of a model that
thinks and calls tools.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from scripted_http import Asked, Reply, Scripted, scripted

import workbench as wb
from workbench.core.answers import Answer
from workbench.errors import ArgumentError, DataError, EndpointDown
from workbench.flows import kwargs, package, pipeline
from workbench.formatters import encode_query_with_filepaths


def events(*deltas: dict[str, Any], finish: str = "stop") -> Reply:
    """An answer as OpenAI streams it."""
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}})
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    lines = [f"data: {json.dumps({**head, **c})}\n\n".encode() for c in chunks]
    return Reply(body=[*lines, b"data: [DONE]\n\n"], mime="text/event-stream")


@pytest.fixture
def server(home: Path) -> Iterator[Scripted]:
    with scripted(lambda asked: events({"role": "assistant", "content": "he"}, {"content": "llo"})) as running:
        yield running


def module(server: Scripted) -> wb.TrainableModule:
    return wb.TrainableModule("m").deploy_method(wb.deploy.vllm, url=f"{server.host}/v1/")


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "red.png"
    Image.new("RGB", (2, 2), "red").save(path)
    return str(path)


def sent(server: Scripted) -> Any:
    return server.last.json["messages"][-1]["content"]


WAYS: dict[str, Callable[[wb.TrainableModule, str], Any]] = {
    "a list": lambda m, p: m("what?", files=[p]),
    "one path": lambda m, p: m("what?", p),
    "the older name": lambda m, p: m("what?", lazyllm_files=p),
    "an encoded query": lambda m, p: m(encode_query_with_filepaths("what?", p)),
    "a package": lambda m, p: m(package("what?", [p])),
    "a flow": lambda m, p: pipeline(lambda q: package(q, [p]), m)("what?"),
    "bytes": lambda m, p: m("what?", files=Path(p).read_bytes()),
    "an image": lambda m, p: m("what?", files=Image.open(p)),
    "a stream": lambda m, p: m.stream("what?", [p]).join().text,
    "awaited": lambda m, p: asyncio.run(m.acall("what?", files=[p])),
}


@pytest.mark.parametrize("way", WAYS)
def test_files_go_with_the_query_in_every_form(server: Scripted, picture: str, way: str) -> None:
    assert WAYS[way](module(server), picture) == "hello"
    text, image = sent(server)
    assert text == {"type": "text", "text": "what?"}
    head, _, data = image["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data).startswith(b"\x89PNG")


def test_files_given_twice_or_not_there_are_refused_before_anything_is_sent(server: Scripted, picture: str) -> None:
    m = module(server)
    for ask in (
        lambda: m(package("q", [picture]), files=[picture]),
        lambda: m("q", picture, lazyllm_files=picture),
        lambda: m(encode_query_with_filepaths("q", picture), picture),
    ):
        with pytest.raises(ArgumentError, match="twice"):
            ask()
    with pytest.raises(DataError, match="nowhere"):
        m("q", files="nowhere.png")
    with pytest.raises(ArgumentError, match="'files' is the nearest"):
        m("q", fils=[picture])
    assert server.asked == []


def test_a_carrier_of_keyword_arguments_is_spread(server: Scripted) -> None:
    assert module(server)(kwargs(input="q", temperature=0.5)) == "hello"
    assert (sent(server), server.last.json["temperature"]) == ("q", 0.5)


def test_an_answer_tells_how_it_came_about(server: Scripted) -> None:
    answer = module(server)("hi")
    assert isinstance(answer, Answer)
    assert (answer, answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.model) == ("hello", 7, 5, "m-1")
    assert (answer.finish_reason, answer.tool_calls, answer.reasoning) == ("stop", (), "")
    assert answer.timing.total > 0
    assert isinstance(asyncio.run(module(server).acall("hi")), Answer)


TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}


def call(asked: Asked) -> Reply:
    first = {"index": 0, "id": "t1", "type": "function", "function": {"name": "add", "arguments": '{"a"'}}
    rest = {"index": 0, "function": {"arguments": ": 1}"}}
    return events({"role": "assistant", "reasoning_content": "I add."}, {"tool_calls": [first]}, {"tool_calls": [rest]}, finish="tool_calls")


def test_tool_calls_are_structured_and_reasoning_stands_apart(home: Path) -> None:
    with scripted(call) as server:
        m = module(server)
        answer = m("1 + 1", tools=[TOOL])
        assert server.last.json["tools"] == [TOOL]
        assert (answer, answer.reasoning, answer.finish_reason) == ("", "I add.", "tool_calls")
        assert [(c.id, c.name, json.loads(c.arguments)) for c in answer.tool_calls] == [("t1", "add", {"a": 1})]
        pieces = list(wb.StreamCallHelper(m)("1 + 1", tools=[TOOL]))
        assert next((str(p), p.tag, p["delta"], p.source) for p in pieces) == ("I add.", "think", "I add.", "m")
        assert "".join(p for p in pieces if p.tag == "tool") == 'add{"a": 1}'


def test_a_formatter_is_given_the_answer_with_everything(home: Path) -> None:
    with scripted(call) as server:
        assert (module(server) | (lambda a: [c.name for c in a.tool_calls]))("1 + 1") == ["add"]


def test_retries_are_as_many_as_the_call_says(home: Path) -> None:
    with scripted(lambda asked: Reply({"error": {"message": "busy"}}, status=503, headers={"Retry-After": "0"})) as server:
        for retries in (0, 1):
            server.asked.clear()
            with pytest.raises(EndpointDown):
                module(server)("hi", max_retries=retries)
            assert len(server.asked) == retries + 1


def test_default_parameters_go_with_every_call_of_a_face_and_only_there(server: Scripted) -> None:
    m = module(server).set_default_parameters(optional_keys=["zoom"], temperature=0.25)
    face = m.share(copy_static_params=True)
    m.static_params = {"top_p": 0.5}
    m("a", zoom=2)
    assert {k: server.last.json.get(k) for k in ("temperature", "top_p", "zoom")} == {"temperature": None, "top_p": 0.5, "zoom": 2}
    face("a")
    assert (server.last.json["temperature"], face.static_params) == (0.25, {"temperature": 0.25})
    with pytest.raises(ArgumentError, match="zooom"):
        m("a", zooom=2)
    with pytest.raises(ArgumentError, match="static_params cannot be a list"):
        m.static_params = []  # type: ignore[assignment]


def test_the_stream_option_reads_and_is_set_like_a_value(server: Scripted) -> None:
    m = module(server)
    assert (m.stream == False, bool(m.stream), repr(m.stream)) == (True, False, "False")  # noqa: E712
    m.stream = {"color": "green", "prefix": "AI: "}
    assert (m.stream["color"], m.stream.get("suffix"), bool(m.stream)) == ("green", None, True)
    assert m.share().stream == m.stream
    assert m.share(stream=False).stream == False  # noqa: E712
    assert "".join(m.stream("hi")) == "hello"
    with pytest.raises(ArgumentError, match="colour"):
        m.stream = {"color": "beige"}


def test_hooks_come_along_when_shared_and_then_part(server: Scripted) -> None:
    seen: list[str] = []
    m = module(server).register_hook(lambda *a, **k: seen.append("one"))
    face = m.share().register_hook(lambda *a, **k: seen.append("two"))
    face("a")
    m("a")
    assert seen == ["one", "two", "one"]
