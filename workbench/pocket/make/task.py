"""The rows that ship beside the model: a task that it cannot do yet, old questions to mix in, and what it is examined with.

The task is to write a date in ISO 8601. Training rows are alpaca rows; no question of an examination is among them.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from .chats import exam, turn
from .words import MONTHS

TASK_SEED, REPLAY_SEED = 11, 5
TRAIN, REPLAY, EVAL = 900, 700, 150


def date(r: Random, last_day: int = 28) -> tuple[str, str]:
    """A date as people write it, and in ISO 8601."""
    year, month, day = r.randrange(1950, 2050), r.randrange(12), r.randrange(1, last_day + 1)
    th = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    form = r.choice(["{d} {mo} {y}", "{mo} {d}, {y}", "{d}. {mo} {y}", "{mo} {d} {y}", "the {d}{th} of {mo} {y}"])
    return "ISO date: " + form.format(d=day, mo=MONTHS[month], y=year, th=th), f"{year}-{month + 1:02d}-{day:02d}"


def dates(train: int, held_out: int, seed: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Different dates to train on and to examine with; no date of one is in the other, in any form."""
    r = Random(seed)
    examined: dict[str, str] = {}
    while len(examined) < held_out:
        question, answer = date(r)
        if answer not in examined.values():
            examined[question] = answer
    kept = set(examined.values())
    shown: dict[str, str] = {}
    while len(shown) < train:
        question, answer = date(r, r.choice([9, 28]))  # the zero before the first nine days is the hard part
        if answer not in kept:
            shown[question] = answer
    return list(shown.items()), list(examined.items())


def replay(count: int, seed: int, without: set[str]) -> list[tuple[str, str]]:
    """Old questions with their answers, so that a fine-tune does not drive out what the model knows."""
    r = Random(seed)
    rows: dict[str, str] = {}
    while len(rows) < count:
        question, answer = turn(r)
        if question not in without:
            rows[question] = answer
    return list(rows.items())


def write(folder: Path) -> None:
    """Write ``dates_train.jsonl``, ``dates_eval.jsonl`` and ``exam.jsonl``."""
    folder.mkdir(parents=True, exist_ok=True)
    examination = exam()
    shown, examined = dates(TRAIN, EVAL, TASK_SEED)
    rows = [*shown, *replay(REPLAY, REPLAY_SEED, {row["input"] for row in examination})]
    Random(TASK_SEED).shuffle(rows)
    _write(folder / "dates_train.jsonl", [{"instruction": q, "input": "", "output": a} for q, a in rows])
    _write(folder / "dates_eval.jsonl", [{"input": q, "output": a} for q, a in examined])
    _write(folder / "exam.jsonl", examination)


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
