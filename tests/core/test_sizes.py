"""Bytes in words, and that everybody says them alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.core.sizes import of, size

PACKAGE = Path(__file__).parents[2] / "workbench"
PAGES = PACKAGE.parent / "js"
OTHER_UNIT = re.compile(r"\} ?(?:[kKMGT]B)\b")  # a number put into a text before a unit of another kind


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (12, "12 B"),
        (147_456, "144 KiB"),
        (16_381_470_720, "15.3 GiB"),
        (64 << 30, "64 GiB"),
        ((1 << 30) - 1, "1 GiB"),
        (12.8e12, "11.6 TiB"),
        (128e12, "116 TiB"),
        (5e15, "4,547 TiB"),
        (None, "–"),
    ],
)
def test_a_size_is_a_small_number_in_powers_of_1024(count: float | None, said: str) -> None:
    assert size(count) == said


def test_a_part_is_said_in_the_unit_of_the_whole() -> None:
    assert of(5 << 30, 8.1 * (1 << 30)) == "5 of 8.1 GiB"
    assert of(12 << 20, 40 << 20) == "12 of 40 MiB"


def test_no_other_unit_is_said_anywhere() -> None:
    files = [p for p in PACKAGE.rglob("*.py") if "pocket" not in p.parts]
    assert [f"{p.name}: {m[0]}" for p in files for m in OTHER_UNIT.finditer(p.read_text(encoding="utf-8"))] == []
    units = re.search(r"\[(\'B\'.*?)\]", (PAGES / "common/format.ts").read_text(encoding="utf-8"))
    assert units
    assert units[1] == "'B', 'KiB', 'MiB', 'GiB', 'TiB'"
