"""UrlModule in front of servers that are none of ours: whatever takes and gives JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_http import Asked, Reply, Scripted, scripted

import workbench as wb
from workbench.errors import ArgumentError, AuthenticationFailed, BadRequest, EndpointDown, EndpointError, RateLimited


def answer(asked: Asked) -> Reply:
    if asked.path.endswith("/health"):
        return Reply({"status": "fine"})
    if asked.path == "/events":
        return Reply(body=[b'data: "a"\n\n', b'data: {"delta": "b"}\n\ndata: c\n', b"\ndata: [DONE]\n\n"], mime="text/event-stream")
    if asked.path == "/text":
        return Reply(body=b"plain words", mime="text/plain; charset=utf-8")
    if asked.path.startswith("/status/"):
        return Reply({"error": {"message": "told so"}}, status=int(asked.path.rpartition("/")[2]))
    return Reply({"got": asked.json, "key": asked.headers.get("authorization", "")})


@pytest.fixture
def server(home: Path) -> Iterator[Scripted]:
    with scripted(answer) as running:
        yield running


def test_one_input_is_the_body_itself(server: Scripted) -> None:
    m = wb.UrlModule(url=f"{server.host}/echo")
    assert m("hi")["got"] == "hi"
    assert m([1, (2,)])["got"] == [1, (2,)]
    assert m({"x": 1})["got"] == {"x": 1}
    assert m(x=1)["got"] == {"x": 1}
    assert m({"x": 1}, y=2)["got"] == {"x": 1, "y": 2}
    assert m("hi", y=2)["got"] == {"input": "hi", "y": 2}
    assert m()["got"] == {}
    assert asyncio.run(m.acall("hi"))["got"] == "hi"
    with pytest.raises(ArgumentError, match="takes one input"):
        m(1, 2)
    with pytest.raises(ArgumentError, match="no methods"):
        m.call("f")


def test_what_is_there_is_found_out_once(server: Scripted) -> None:
    m = wb.UrlModule(url=f"{server.host}/echo")
    m(1)
    m(2)
    assert [a.path for a in server.asked] == ["/echo/health", "/echo", "/echo"]


def test_a_key_goes_into_the_header_and_nowhere_else(server: Scripted) -> None:
    m = wb.UrlModule(url=f"{server.host}/echo", security_key="a-key-of-theirs")
    assert m(1)["key"] == "Bearer a-key-of-theirs"
    assert "a-key-of-theirs" not in f"{m}{vars(m)}{m.endpoint}"


def test_a_text_is_a_text_and_formatters_apply(server: Scripted) -> None:
    m = wb.UrlModule(url=f"{server.host}/text")
    assert m(1) == "plain words"
    assert (m | str.upper | len)(1) == 11
    assert m.share(format=str.title)(1) == "Plain Words"
    assert m(1) == "plain words"


def test_events_of_others_are_pieces(server: Scripted) -> None:
    m = wb.UrlModule(url=f"{server.host}/events", stream=True)
    assert list(m.stream(1)) == ["a", "b", "c"]
    assert [str(p) for p in wb.StreamCallHelper(m)(1)] == ["a", "b", "c"]
    m.stream = False
    assert not m.stream
    assert m(1) == "abc"


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthenticationFailed), (403, AuthenticationFailed), (404, BadRequest), (422, BadRequest), (429, RateLimited), (502, EndpointDown)],
)
def test_a_refusal_has_its_kind_and_its_words(server: Scripted, status: int, error: type[EndpointError]) -> None:
    with pytest.raises(error, match="told so") as caught:
        wb.UrlModule(url=f"{server.host}/status/{status}")(1)
    assert caught.value.status == status
    assert sum(a.path == f"/status/{status}" for a in server.asked) == 1  # a call is never sent twice


def test_nobody_there_is_said(home: Path) -> None:
    with pytest.raises(EndpointDown, match="Nobody answers"):
        wb.UrlModule(url="http://127.0.0.1:1/x")(1)
