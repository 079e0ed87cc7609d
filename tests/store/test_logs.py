"""A job's log as a person would see it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workbench.store.logs import LogFollower, readable, tail, trim


def test_a_progress_bar_shows_only_its_last_state() -> None:
    assert readable(" 10%|#  \r 50%|## \r100%|###\ndone\r\n") == "100%|###\ndone\n"


def test_colours_and_titles_are_removed() -> None:
    assert readable("\x1b[31mred\x1b[0m \x1b]0;title\x07x") == "red x"


def test_the_tail_is_the_last_lines_after_a_byte(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("a\nb\nc\nd\n")
    assert tail(log, 2) == "c\nd"
    assert tail(log, 10, start=4) == "c\nd"
    assert tail(log, 0) == ""
    assert tail(tmp_path / "none.txt") == ""


def test_the_tail_of_a_huge_log_begins_at_a_line(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("".join(f"line {i}\n" for i in range(300_000)))
    lines = tail(log, 200_000).split("\n")
    assert lines[-1] == "line 299999"
    assert lines[0].startswith("line ")


def test_a_line_being_drawn_is_held_back_until_it_ends(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    follower = LogFollower(log)
    assert follower.read() == ""
    log.write_text("start\n 10%\r 20%")
    assert follower.read() == "start\n"
    log.write_text("start\n 10%\r 20%\r100%\nend")
    assert follower.read() == "100%\n"
    assert follower.read(final=True) == "end"
    assert follower.read(final=True) == ""


def test_history_is_bounded_and_begins_at_a_line(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("".join(f"line {i}\n" for i in range(1000)))
    text = LogFollower(log, history=100).read()
    assert text.endswith("line 999\n")
    assert text.startswith("line ")
    assert len(text) <= 100


def test_a_log_grown_too_long_is_cut_at_a_line_and_followed_on(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"".join(b"line %d\n" % i for i in range(1000)))
        follower = LogFollower(log, history=100)
        follower.read()
        assert not trim(log, 10_000, 1000)
        assert trim(log, 5000, 1000)
        assert 900 < log.stat().st_size <= 1000
        assert follower.read() == ""
        writer.write(b"next\n")
    assert follower.read() == "next\n"
    assert tail(log, 2) == "line 999\nnext"
    assert tail(log, 2, start=1_000_000) == "line 999\nnext"


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\x1b"), max_size=20), max_size=8), st.lists(st.integers(1, 7), max_size=40)
)
def test_following_in_any_pieces_gives_the_whole(tmp_path_factory, lines: list[str], sizes: list[int]) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("log") / "log.txt"
    data = "\n".join(lines).encode()
    follower, text, at = LogFollower(path), "", 0
    with path.open("ab", buffering=0) as f:
        for size in [*sizes, len(data)]:
            f.write(data[at : at + size])
            at += size
            text += follower.read()
    text += follower.read(final=True)
    assert text == data.decode()
