"""Pieces of a served generator: to modules, to stream calls, as server-sent events. One real server for all."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.runtime.work import jobs

from ..support.job_helpers import until
from ..support.served import ask, key_of


@pytest.fixture(scope="module")
def counter(shared_home: Path) -> wb.ServerModule:
    def count(n: int, kind: str = "text", pause: float = 0.0) -> Any:
        def pieces() -> Iterator[Any]:
            i = -1
            try:
                for i in range(n):
                    yield f"{i} " if kind == "text" else "long " * 2_000 if kind == "long" else (i,)
                    time.sleep(pause)
                if kind == "bad":
                    raise ValueError("no more")
            finally:
                print(f"{kind} closed after {i}")

        async def later() -> Any:
            i = -1
            try:
                for i in range(n):
                    yield f"{i} "
                    await asyncio.sleep(pause)
            finally:
                print(f"{kind} closed after {i}")

        return later() if kind == "async" else pieces()

    return wb.ServerModule(count, stream=True).start()


def test_a_generators_texts_come_as_pieces_and_are_joined(counter: wb.ServerModule, capsys: pytest.CaptureFixture[str]) -> None:
    assert counter(3) == "0 1 2 "
    assert capsys.readouterr().out.startswith("0 1 2 ")
    pieces = list(counter.stream(3))
    assert pieces == ["0 ", "1 ", "2 "]
    assert all(p.tag == "text" and p["delta"] == p for p in pieces)
    assert list(counter.stream(2, "async")) == ["0 ", "1 "]
    assert list(counter.stream(0)) == []


def test_other_values_come_as_they_are_and_make_a_list(counter: wb.ServerModule) -> None:
    assert list(counter.stream(2, "tuples")) == [(0,), (1,)]
    assert counter.share(stream=False)(2, "tuples") == [(0,), (1,)]


def test_pieces_come_before_the_end(counter: wb.ServerModule) -> None:
    with counter.stream(1000, pause=0.05) as feed:
        assert [next(feed), next(feed)] == ["0 ", "1 "]
    until(lambda: "text closed after" in jobs.log_tail(counter.endpoint.job_id), "the end of the generator")


def test_async_pieces_are_closed_with_their_reader(counter: wb.ServerModule) -> None:
    async def first() -> str:
        async for piece in counter.stream(1000, "async", 0.05):
            return str(piece)
        return ""

    assert asyncio.run(first()) == "0 "
    until(lambda: "async closed after" in jobs.log_tail(counter.endpoint.job_id), "the end of the generator")


def test_a_slow_reader_holds_up_an_endless_generator(counter: wb.ServerModule) -> None:
    def ends() -> list[int]:
        return [int(n) for n in re.findall(r"long closed after (\d+)", jobs.log_tail(counter.endpoint.job_id))]

    with counter.stream(10**9, "long") as feed:
        next(feed)
        time.sleep(3.0)
        assert len(feed._channel.pieces) < 4_000
    until(ends, "the end of the generator")
    assert ends()[-1] < 8_000  # what waits here, and what the sockets hold


def test_an_error_after_some_pieces_is_raised_where_they_end(counter: wb.ServerModule) -> None:
    feed = counter.stream(2, "bad")
    assert [next(feed), next(feed)] == [(0,), (1,)]
    with pytest.raises(ValueError, match="no more"):
        next(feed)


def test_a_stream_call_hears_the_pieces(counter: wb.ServerModule) -> None:
    helper = wb.StreamCallHelper(counter)
    assert [str(p) for p in helper(3)] == ["0 ", "1 ", "2 "]
    assert helper.result == "0 1 2 "
    outer = wb.StreamCallHelper(lambda n: counter(n).upper())
    assert [str(p) for p in outer(2)] == ["0 ", "1 "]


def test_others_get_server_sent_events(counter: wb.ServerModule) -> None:
    key = key_of(counter)
    events = 'data: {"delta":"0 "}\n\ndata: {"end":true}\n\n'
    assert ask(counter.url, 1, key) == (200, events)
    assert ask(counter.url, 1, key, Accept="application/json") == (200, '"0 "')
