"""An evaluation on disk: one JSON object a line, appended as it comes, so that an interrupt loses nothing.

``<home>/evals/<id>/result.jsonl`` holds a ``head`` line, one ``row`` line a row, and an ``end`` line. A file without its end, or
with half a last line, reads as a cancelled evaluation. One that was completed later goes on with a ``resumed`` line, further rows
and another end; of two lines of one row the later counts.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any

from ..core.messages import Usage
from ..errors import DataError, nearest
from ..settings import settings
from .values import EvalOutput, EvalRow

FILE = "result.jsonl"
_NONE = Usage()
_PLAIN = {f.name: getattr(EvalOutput(), f.name) for f in fields(EvalOutput) if f.name not in ("usage", "judge_usage")}


def folder_of(eval_id: str) -> Path:
    """The folder of one evaluation under the current home, made when missing."""
    return settings().folder("evals", eval_id)


def row_to_json(row: EvalRow) -> dict[str, Any]:
    """A row as JSON values; what JSON cannot hold becomes text when it is written."""
    plain = {name: getattr(row, name) for name in ("index", "input", "expected", "accept")}
    return {**plain, "outputs": [_output_to_json(o) for o in row.outputs]}


def _output_to_json(output: EvalOutput) -> dict[str, Any]:
    """Only what is there: most outputs have few of the fields."""
    found: dict[str, Any] = {}
    for name, default in _PLAIN.items():
        value = getattr(output, name)
        if type(value) is not type(default) or value != default:
            found[name] = value
    for name in ("usage", "judge_usage"):
        usage: Usage = getattr(output, name)
        if usage != _NONE:
            found[name] = asdict(usage)
    return found


def row_from_json(d: Mapping[str, Any]) -> EvalRow:
    """The inverse of `row_to_json`."""
    outputs = tuple(EvalOutput(**{**o, **{n: Usage(**o[n]) for n in ("usage", "judge_usage") if n in o}}) for o in d["outputs"])
    return EvalRow(d["index"], d["input"], d.get("expected"), outputs, tuple(d.get("accept", ())))


class Journal:
    """The one writer of one evaluation's file; any thread may write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: IO[str] | None = None

    def write(self, kind: str, data: Mapping[str, Any]) -> None:
        """Append one line, whole; it is with the system when this returns."""
        line = json.dumps({"kind": kind, **data}, ensure_ascii=False, default=str) + "\n"
        with self._lock:
            if self._file is None:
                self._file = self.path.open("a", encoding="utf-8")
            self._file.write(line)
            self._file.flush()

    def close(self) -> None:
        """Let go of the file; a further line opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines of a file as (kind, data). A broken last line is dropped; any other raises `DataError`."""
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")  # splitlines() would break at other characters, too
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            yield data.pop("kind"), data
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            if number == len(lines):
                return
            raise DataError(f"{path}, line {number} is not a line of an evaluation.", str(e)) from e


def newest(wanted: Callable[[Mapping[str, Any]], bool]) -> str:
    """The id of the newest evaluation of this home whose head is wanted; "" when there is none. Other lines are not read."""
    for path in sorted(settings().folder("evals").glob(f"*/{FILE}"), reverse=True):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError), path.open(encoding="utf-8") as file:
            head = json.loads(file.readline())
            if head["kind"] == "head" and wanted(head):
                return str(head["id"])
    return ""


def find(which: str | Path = "") -> Path:
    """The file meant by an id, a path or (empty) the newest evaluation of this home. Raises `DataError`."""
    home = settings().folder("evals")
    if not which:
        files = sorted(home.glob(f"*/{FILE}"))
        if not files:
            raise DataError("There is no evaluation in this home yet.", f"{home} holds none.", "Run wb.compare(…) or model.eval() first.")
        return files[-1]
    for path in (home / str(which) / FILE, Path(which) / FILE, Path(which)):
        if path.is_file():
            return path
    near = nearest(str(which), [p.name for p in home.iterdir()])
    raise DataError(f"There is no evaluation {str(which)!r}.", f"{near!r} is the nearest id." if near else f"Looked in {home}.")
