"""Counting the lines of a growing log, of one that is cut meanwhile, and of none."""

from __future__ import annotations

from pathlib import Path

from workbench.runners.counted_lines import CountedLines


def test_lines_are_counted_once_and_only_whole_ones(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("begun 1\n")
    counted = CountedLines(str(log), rb"begun \d")
    assert counted.now() == 0
    with log.open("a") as f:
        f.write("begun 2\nother\nbegun 3\nbeg")
    assert counted.now() == 2
    with log.open("a") as f:
        f.write("un 4\n")
    assert [counted.now(), counted.now()] == [3, 3]


def test_a_log_that_is_cut_keeps_its_count(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    counted = CountedLines(str(log), rb"begun")
    assert counted.now() is None
    log.write_text("begun\n" * 5)
    assert counted.now() == 5
    log.write_text("begun\n" * 2)
    assert counted.now() == 5
    with log.open("a") as f:
        f.write("begun\n")
    assert counted.now() == 6
