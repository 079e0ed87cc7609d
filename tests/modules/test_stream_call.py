"""StreamCallHelper over plain callables: the pieces, the result, errors, early ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator

import pytest

import workbench as wb
from workbench.core.events import Piece
from workbench.modules.streaming.context import listener
from workbench.modules.streaming.outlet import Outlet


def speak(*words: str) -> str:
    heard = listener.get()
    assert heard is not None
    for word in words:
        heard.put(Piece(word))
    return "".join(words)


def test_pieces_come_in_order_and_the_result_is_kept() -> None:
    helper = wb.StreamCallHelper(speak)
    call = helper("a", "b")
    assert list(call) == ["a", "b"]
    assert call.result == helper.result == "ab"
    assert list(call) == []


def test_a_call_that_streams_nothing_gives_its_text_as_the_one_piece() -> None:
    assert list(wb.StreamCallHelper(str.upper)("a")) == ["A"]
    assert list(wb.StreamCallHelper(len)("a")) == []


def test_an_error_is_raised_after_the_pieces() -> None:
    def fails() -> None:
        speak("a")
        raise ValueError("broken")

    call = wb.StreamCallHelper(fails)()
    assert next(call) == "a"
    with pytest.raises(ValueError, match="broken"):
        next(call)


def test_the_async_twin_gives_the_same() -> None:
    helper = wb.StreamCallHelper(speak)

    async def read(*words: str) -> list[str]:
        return [p async for p in helper.astream(*words)]

    async def both() -> list[list[str]]:
        return await asyncio.gather(read("a", "b"), read("c"))

    assert asyncio.run(both()) == [["a", "b"], ["c"]]


class Endless:
    """Stands for a stream that generates until it is closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_leaving_the_loop_closes_what_streams_inside() -> None:
    stream = Endless()

    def endless() -> None:
        heard = listener.get()
        assert heard is not None
        heard.opened(stream)
        heard.put(Piece("a"))
        stream.closed.wait(10)

    for _ in wb.StreamCallHelper(endless)():
        break
    assert stream.closed.wait(5)


def test_a_stream_opened_after_the_end_is_closed_at_once() -> None:
    stream, go = Endless(), threading.Event()

    def late() -> None:
        go.wait(10)
        heard = listener.get()
        assert heard is not None
        heard.opened(stream)

    call = wb.StreamCallHelper(late)()
    call.close()
    go.set()
    assert stream.closed.wait(5)


def test_calls_side_by_side_never_mix() -> None:
    start = threading.Barrier(8)

    def talk(word: str) -> None:
        start.wait()
        speak(*[word] * 50)

    calls = [wb.StreamCallHelper(talk)(str(n)) for n in range(8)]
    assert [set(c) for c in calls] == [{str(n)} for n in range(8)]


def test_outside_a_helper_nobody_listens() -> None:
    assert listener.get() is None


def test_what_answers_piece_by_piece_itself_is_read() -> None:
    def words(text: str) -> Iterator[str]:
        yield from text.split()

    call = wb.StreamCallHelper(words)("a b c")
    assert (list(call), call.result) == (["a", "b", "c"], "abc")

    def returns() -> Generator[int, None, str]:
        yield 1
        return "end"

    call = wb.StreamCallHelper(returns)()
    assert (list(call), call.result) == (["1"], "end")

    async def later(text: str) -> AsyncIterator[str]:
        for word in text.split():
            await asyncio.sleep(0)
            yield word

    call = wb.StreamCallHelper(later)("a b")
    assert (list(call), call.result) == (["a", "b"], "ab")


def test_an_async_function_is_awaited() -> None:
    async def speaks() -> str:
        return speak("a", "b")

    call = wb.StreamCallHelper(speaks)()
    assert (list(call), call.result) == (["a", "b"], "ab")


def test_whoever_closes_early_is_told_once() -> None:
    go, told = threading.Event(), []

    def waits() -> None:
        speak("a")
        go.wait(10)

    helper = wb.StreamCallHelper(waits, interval=0.1, on_cancel=lambda: told.append(1))
    with helper() as call:
        next(call)
    call.close()
    go.set()
    assert told == [1]
    list(helper())
    assert told == [1]


def test_a_module_can_say_something_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    class Searches(wb.ModuleBase):
        def forward(self, text: str) -> str:
            with self.stream_output({"prefix": "search: ", "color": "cyan", "suffix": ".\n"}) as say:
                say("the ")
                say(text)
            with self.stream_output(False) as say:
                say("quiet")
            return "found"

    class Holds(wb.ModuleBase):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Searches(name="finder")

        def forward(self, text: str) -> str:
            return str(self.inner(text))

    pieces = list(wb.StreamCallHelper(Holds())("sea"))
    assert [(str(p), p.tag, p.source) for p in pieces] == [
        ("search: ", "prefix", "finder"),
        ("the ", "text", "finder"),
        ("sea", "text", "finder"),
        (".\n", "suffix", "finder"),
    ]
    Holds()("sea")
    assert "search: the sea." in capsys.readouterr().out


def test_what_takes_the_pieces_and_fails_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Endless()
    with pytest.raises(KeyboardInterrupt), Outlet(None, "m", True, stream):
        raise KeyboardInterrupt
    assert stream.closed.is_set()
