"""What clients ask of a deployment's supervisor while it serves: lines of ``asked.jsonl`` in the job's folder, in the order in which
they were written.

    join      at, ttl         somebody uses it from now on, and wants it to live ``ttl`` seconds without a request (0 is for ever)
    replace   at, by          another deployment answers that was asked for at this time to take this one's place
    restart   at              start the engine anew

``at`` is in seconds since the epoch. Because lines are only ever appended, everybody who reads the file finds the same answer to the
one question that two may decide at once: whether somebody who joins was before or after the end. Does not end or start anything.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...core.protocols import JobPlace

Line = Mapping[str, Any]


def file_of(place: JobPlace) -> Path:
    """Where the lines are."""
    return place.folder / "asked.jsonl"


def join(place: JobPlace, ttl: float) -> bool:
    """Say that somebody uses the deployment from now on; False when it is being replaced and will end, or its folder is gone."""
    line = {"ask": "join", "at": time.time(), "ttl": ttl, "token": os.urandom(8).hex()}
    try:
        _say(place, line)
    except FileNotFoundError:
        return False
    before = []
    for one in read(place):
        if one.get("token") == line["token"]:
            break
        before.append(one)
    return replaced_by(before) is None


def replace(place: JobPlace, by: str, at: float) -> None:
    """Say that another deployment, asked for at that time, answers in this one's place."""
    _say(place, {"ask": "replace", "at": at, "by": by})


def restart(place: JobPlace) -> None:
    """Ask for a fresh start of the engine."""
    _say(place, {"ask": "restart", "at": time.time()})


def read(place: JobPlace) -> list[Line]:
    """All lines that are whole."""
    return Asked(place).news()


def replaced_by(lines: Iterable[Line]) -> str | None:
    """The name of what takes the deployment's place; None when nothing does, or somebody joined after that was asked for."""
    joined = 0.0
    for line in lines:
        if line.get("ask") == "join":
            joined = max(joined, float(line.get("at") or 0.0))
        elif line.get("ask") == "replace" and float(line.get("at") or 0.0) >= joined:
            return str(line.get("by") or "another deployment")
    return None


class Asked:
    """Reads the lines of one job as they come."""

    def __init__(self, place: JobPlace) -> None:
        self._file, self._offset = file_of(place), 0

    def news(self) -> list[Line]:
        """The lines that are new since the last call."""
        try:
            if self._file.stat().st_size <= self._offset:
                return []
            with self._file.open("rb") as f:
                f.seek(self._offset)
                data = f.read()
        except OSError:
            return []
        end = data.rfind(b"\n") + 1
        self._offset += end
        found: list[Line] = []
        for text in data[:end].splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                found.append(line)
        return found


def _say(place: JobPlace, line: Line) -> None:
    file = os.open(file_of(place), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, (json.dumps(line) + "\n").encode())
    finally:
        os.close(file)
