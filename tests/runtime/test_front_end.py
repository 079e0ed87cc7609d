"""The line that says what is going on, where somebody watches and where nobody does."""

from __future__ import annotations

import io

import pytest

from workbench.core.jobs import Progress
from workbench.runtime.work.front_end import StatusLine, describe, duration, front_end


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_script_gets_the_last_word_only(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    assert front_end() == "script"
    line = StatusLine(interval=0)
    line.show("one")
    line.show("two")
    line.end("done")
    StatusLine().clear()
    assert out.getvalue() == "done\n"


def test_a_terminal_gets_one_line_that_changes_and_is_cut_to_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr("sys.stderr", out)
    monkeypatch.setenv("COLUMNS", "21")
    assert front_end() == "terminal"
    line = StatusLine(interval=0)
    line.show("a" * 30)
    line.show("short")
    line.end("done")
    assert [part for part in out.getvalue().split("\r") if part.strip()] == ["a" * 20, "short", "done\n"]


def test_a_line_that_changes_too_often_is_not_drawn_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr("sys.stderr", out)
    line = StatusLine(interval=60)
    line.show("one")
    line.show("two")
    line.clear()
    assert "two" not in out.getvalue()
    assert out.getvalue().endswith("\r")


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress("train", "Training", 40, 200, "step", 130.0), "Training · step 40 of 200 · about 2 min"),
        (Progress("download", "Downloading", 12 << 20, 40 << 20, "B"), "Downloading · 12 of 40 MiB"),
        (Progress("env", eta=12.0), "env · about 12 s"),
        (Progress(), ""),
    ],
)
def test_a_progress_in_words(progress: Progress, words: str) -> None:
    assert describe(progress) == words


@pytest.mark.parametrize(("seconds", "words"), [(45.4, "45 s"), (100, "2 min"), (7800, "2 h 10 min")])
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
