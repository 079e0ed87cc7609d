"""What is seen of answers while they come: colours where they are understood, prefixes and suffixes, and never two answers mixed."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import workbench as wb
from workbench.core.events import Piece
from workbench.flows import parallel, pipeline
from workbench.modules.streaming.printing import Printer, check_stream, colours_on

ANSI = re.compile(r"\x1b\[\d+m")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


class Out:
    """All that was written to the standard output."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self._text = capsys, ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().out
        return self._text

    def clear(self) -> None:
        self.getvalue()
        self._text = ""


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> Out:
    return Out(capsys)


def test_colours_are_for_terminals_unless_the_user_says_otherwise(out: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not colours_on()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert colours_on()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colours_on()
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert not colours_on()
    monkeypatch.delenv("NO_COLOR")
    assert colours_on()


def test_the_parts_stand_in_their_colours(out: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    printer = Printer({"color": "green", "prefix": "AI: ", "prefix_color": "blue", "suffix": "End\n", "suffix_color": "red"})
    printer.put(Piece("hi"))
    printer.end()
    assert out.getvalue() == "\x1b[34mAI: \x1b[0m\x1b[32mhi\x1b[0m\x1b[31mEnd\n\x1b[0m"


def test_an_answer_ends_its_line_once_and_reasoning_is_set_apart(out: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    printer = Printer()
    printer.put(Piece("hm", "think"))
    printer.put(Piece("hi\n"))
    printer.end()
    assert out.getvalue() == "\x1b[90mhm\x1b[0m\nhi\n"


def test_nothing_is_written_for_an_answer_without_pieces(out: Out) -> None:
    Printer({"prefix": "AI: "}).end()
    assert out.getvalue() == ""


def test_answers_at_the_same_time_are_written_one_after_the_other(out: Out) -> None:
    first, second, third = Printer({"prefix": "1:"}), Printer({"prefix": "2:"}), Printer({"prefix": "3:"})
    for printer in (first, second, third, second, first):
        printer.put(Piece("x"))
    assert out.getvalue() == "1:xx"
    third.end()
    first.end()
    assert out.getvalue() == "1:xx\n2:xx"
    second.put(Piece("y"))
    assert out.getvalue() == "1:xx\n2:xxy"
    second.end()
    assert out.getvalue() == "1:xx\n2:xxy\n3:x\n"


def test_many_threads_never_mix(out: Out) -> None:
    def talk(n: int) -> None:
        printer = Printer()
        for _ in range(50):
            printer.put(Piece(str(n)))
            time.sleep(0)
        printer.end()

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(out.getvalue().splitlines()) == [str(n) * 50 for n in range(8)]


def test_what_a_stream_option_cannot_be_is_refused() -> None:
    for option, what in (({"colour": 1}, "'color' is the nearest"), ({"color": "beige"}, "beige"), ("yes", "cannot be a str")):
        with pytest.raises(wb.errors.ArgumentError, match=what):
            check_stream(option)  # type: ignore[arg-type]


# ---- models in a flow


@pytest.fixture
def two(home: Path) -> tuple[wb.TrainableModule, wb.TrainableModule]:
    model = wb.TrainableModule("m").deploy_method(wb.deploy.dummy, text="one two three", piece=4, delay=0.01).start()
    a = model.share(stream={"color": "green", "prefix": "A: ", "prefix_color": "blue"})
    b = model.share(stream={"color": "magenta", "prefix": "B: ", "suffix": " end\n", "suffix_color": "yellow"})
    a.name, b.name = "alpha", "beta"
    return a, b


Two = tuple[wb.TrainableModule, wb.TrainableModule]


def test_pieces_of_several_models_tell_who_says_them_and_how(two: Two) -> None:
    call = wb.StreamCallHelper(pipeline(parallel(*two), lambda a, b: a + b, two[0]))("hi")
    pieces = list(call)
    answers = {n: [p for p in pieces if p.answer == n] for n in dict.fromkeys(p.answer for p in pieces)}
    assert len(answers) == 3
    told = {(a[0].source, "".join(a), a[1].color, a[0].color, a[-1].tag) for a in answers.values()}
    assert told == {("alpha", "A: one two three", "green", "blue", "text"), ("beta", "B: one two three end\n", "magenta", "", "suffix")}
    assert [p.tag for p in pieces if p.source == "beta"][:2] == ["prefix", "text"]
    assert "".join(p for p in pieces if p.tag == "text" and p.answer == pieces[-1].answer) == call.result == "one two three"
    assert call.usage.completion_tokens == sum(m.usage.completion_tokens for m in two)


def test_only_models_that_stream_are_heard_and_the_outermost_one_always(two: Two) -> None:
    quiet = two[0].share(stream=False)
    quiet.name = "quiet"
    assert {p.source for p in wb.StreamCallHelper(pipeline(quiet, two[1]))("hi")} == {"beta"}
    assert {p.source for p in wb.StreamCallHelper(quiet)("hi")} == {"quiet"}


def test_a_helper_shows_a_flow_with_each_answer_together(two: Two, out: Out) -> None:
    flow = pipeline(parallel(*two), lambda a, b: "x", two[0])
    assert wb.StreamCallHelper(flow).show("hi") == "one two three"
    lines = out.getvalue().splitlines()
    assert sorted(lines[:2]) == ["A: one two three", "B: one two three end"]
    assert lines[2:] == ["A: one two three"]
    out.clear()
    flow("hi")
    assert sorted(out.getvalue().splitlines()) == sorted(lines)


def test_an_error_in_a_branch_is_raised_where_the_pieces_end(two: Two) -> None:
    call = wb.StreamCallHelper(pipeline(two[0], lambda text: 1 / 0))("hi")
    heard: list[str] = []
    with pytest.raises(ZeroDivisionError):
        heard.extend(call)
    assert "".join(heard) == "A: one two three"
    with pytest.raises(ZeroDivisionError):
        wb.StreamCallHelper(pipeline(two[0], lambda text: 1 / 0)).show("hi")


def test_what_cannot_be_called_cannot_be_streamed() -> None:
    with pytest.raises(wb.errors.ArgumentError, match="cannot be streamed"):
        wb.StreamCallHelper(3)  # type: ignore[arg-type]


def test_in_a_real_terminal_answers_are_coloured(home: Path) -> None:
    code = """
import workbench as wb
m = wb.TrainableModule('m', stream={'color': 'green', 'prefix': 'AI: ', 'prefix_color': 'blue'}).deploy_method(wb.deploy.dummy, text='hello')
m.start()
m('hi')
m.stop()
"""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen([sys.executable, "-c", code], stdout=slave, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                got = os.read(master, 4096)
            except OSError:
                break
            if not got:
                break
            seen += got
    os.close(master)
    assert process.returncode == 0
    text = seen.decode()
    assert "\x1b[34mAI: \x1b[0m\x1b[32mhell" in text
    assert "AI: hello" in ANSI.sub("", text)
