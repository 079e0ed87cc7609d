"""Who joins a deployment, and who takes its place: one order for everybody who reads the file."""

from __future__ import annotations

import time
from pathlib import Path

from workbench.core.protocols import JobPlace
from workbench.runtime.supervision import asked


def place(tmp_path: Path) -> JobPlace:
    return JobPlace("abc12345", tmp_path)


def test_who_joins_before_the_replacement_was_asked_for_does_not_stop_it(tmp_path: Path) -> None:
    where = place(tmp_path)
    assert asked.join(where, 0.0)
    asked.replace(where, "new (xyz)", time.time() + 1)
    assert asked.replaced_by(asked.read(where)) == "new (xyz)"


def test_who_joins_after_it_was_asked_for_keeps_the_deployment(tmp_path: Path) -> None:
    where, asked_at = place(tmp_path), time.time() - 1
    assert asked.join(where, 0.0)
    asked.replace(where, "new (xyz)", asked_at)
    assert asked.replaced_by(asked.read(where)) is None


def test_who_comes_when_it_is_being_replaced_is_told(tmp_path: Path) -> None:
    where = place(tmp_path)
    asked.replace(where, "new (xyz)", time.time())
    assert not asked.join(where, 0.0)


def test_lines_are_read_once_and_only_when_they_are_whole(tmp_path: Path) -> None:
    where = place(tmp_path)
    reader = asked.Asked(where)
    assert reader.news() == []
    asked.restart(where)
    with asked.file_of(where).open("ab") as f:
        f.write(b'{"ask": "jo')
    assert [line["ask"] for line in reader.news()] == ["restart"]
    with asked.file_of(where).open("ab") as f:
        f.write(b'in"}\nno json\n[1]\n')
    assert [line["ask"] for line in reader.news()] == ["join"]
    assert reader.news() == []
