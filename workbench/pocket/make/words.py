"""The words that the practice chats are made of, as ``words.json`` lists them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_LISTS: dict[str, Any] = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))

DAYS: list[str] = _LISTS["days"]
MONTHS: list[str] = _LISTS["months"]
ONES: list[str] = _LISTS["ones"]
TENS: list[str] = _LISTS["tens"]
NAMES: list[str] = _LISTS["names"]
CITIES: list[str] = _LISTS["cities"]
COLORS: list[str] = _LISTS["colors"]
THINGS: list[str] = _LISTS["things"]
FOOD: list[str] = _LISTS["food"]
ANIMALS: list[str] = _LISTS["animals"]
JOBS: list[str] = _LISTS["jobs"]
WORDS: list[str] = [*THINGS, *FOOD, *ANIMALS, *JOBS, *COLORS, *_LISTS["misc"]]
CAPITALS: dict[str, str] = _LISTS["capitals"]
OPPOSITES: dict[str, str] = _LISTS["opposites"]


def frames(name: str) -> tuple[str, ...]:
    """A list of wordings from ``frames.json``, such as the ways to ask how something is done."""
    lists: dict[str, list[str]] = json.loads(Path(__file__).with_name("frames.json").read_text(encoding="utf-8"))
    return tuple(lists[name])
