"""Data sets to train and evaluate on: recognised and checked, row by row, before anything long begins. Does not know who uses them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.specs import DataRef
from ..errors import DataError
from . import media as media
from .formats import BadRow, recognise, turns_of
from .sources import Row, file_of, kind_of, rows_of_file, rows_of_value

__all__ = ["load_dataset", "load_rows", "media"]

_MOST_FAULTS = 20
_PATIENCE = 1.0  # seconds to look for more faults after the first
_FORMS = "Rows are alpaca (instruction, output), sharegpt (conversations) or openai (messages)."


def load_dataset(value: Any, *, role: str = "train", folder: Path) -> DataRef:
    """Check a data set to train on and give a reference to it.

    Parameters
    ----------
    value : str, Path, list of dict, DataFrame or DataRef
        A JSON, JSONL, CSV or Parquet file; rows; a data frame. What is no JSON file is written to ``folder`` as JSONL.
    role : str
        ``train`` or ``valid``; names the written file.
    folder : Path
        Where rows that are no file yet are written.

    Returns
    -------
    DataRef
        Path, format (``alpaca``, ``sharegpt`` or ``openai``), number of rows, a name to show.

    Raises
    ------
    DataError
        Names the file and the lines of up to 20 faults.
    """
    if isinstance(value, DataRef):
        return value
    if isinstance(value, str | os.PathLike):
        path = file_of(os.fspath(value))
        if kind_of(path) == "json":
            form, count = _check(rows_of_file(path), str(path))
            return DataRef(str(path), form, count, path.stem)
        return _written(rows_of_file(path), str(path), folder, role, path.stem)
    return _written(rows_of_value(value), f"The {role} set", folder, role, f"{role} rows")


def load_rows(value: Any) -> list[dict[str, Any]]:
    """Rows to evaluate on, whatever their fields are: from a file, a list of dicts or a data frame.

    Raises
    ------
    DataError
        Names the file and the lines of up to 20 faults.
    """
    is_file = isinstance(value, str | os.PathLike)
    source = str(file_of(os.fspath(value))) if is_file else "The rows"
    rows = rows_of_file(Path(source)) if is_file else rows_of_value(value)
    faults, found = _Faults(source), []
    for row in rows:
        if row.fault:
            faults.add(row.place, row.fault)
        elif not isinstance(row.value, dict):
            faults.add(row.place, f"is a {type(row.value).__name__}, not an object with fields")
        else:
            found.append(row.value)
            faults.look()
    faults.end(len(found))
    return found


def _check(rows: Iterator[Row], source: str) -> tuple[str, int]:
    form, count = "", 0
    for form, _ in _good(rows, source):  # noqa: B007  # the last one is wanted
        count += 1
    return form, count


def _good(rows: Iterator[Row], source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Format and value of each row. Raises `DataError` at the end, or as soon as there are too many faults."""
    form, count = "", 0
    faults = _Faults(source)
    for row in rows:
        if row.fault:
            faults.add(row.place, row.fault)
            continue
        try:
            form = form or recognise(row.value)
            turns_of(row.value, form)
        except BadRow as e:
            faults.add(row.place, str(e))
            continue
        count += 1
        faults.look()
        yield form, row.value
    faults.end(count)


def _written(rows: Iterator[Row], source: str, folder: Path, role: str, name: str) -> DataRef:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{role}-{os.getpid()}.draft"
    form, count, digest = "", 0, hashlib.sha256()
    try:
        with draft.open("w", encoding="utf-8") as f:
            for form, value in _good(rows, source):  # noqa: B007  # as above
                line = json.dumps(value, ensure_ascii=False, default=str) + "\n"
                digest.update(line.encode())
                f.write(line)
                count += 1
        # The name follows the content, so that a data set that a job refers to is never written over by another.
        path = folder.absolute() / f"{role}-{digest.hexdigest()[:12]}.jsonl"
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return DataRef(str(path), form, count, name)


class _Faults:
    """Collects what is wrong and raises it together."""

    def __init__(self, source: str) -> None:
        self.source, self.found = source, list[str]()
        self.patience = time.monotonic() + _PATIENCE

    def add(self, place: str, fault: str) -> None:
        self.found.append(f"{self.source}, {place}, {fault}.")
        if len(self.found) >= _MOST_FAULTS:
            self._raise(f"There are {_MOST_FAULTS} faults or more; these are the first.")

    def look(self) -> None:
        """Raise what there is when the file is so large that reading on would keep the user waiting."""
        if self.found and time.monotonic() > self.patience:
            self._raise("The rest of the file was not looked at.")

    def end(self, good: int) -> None:
        if self.found:
            self._raise(f"{good} other rows are good.")
        if not good:
            raise DataError(f"{self.source} has no rows.", "", _FORMS)

    def _raise(self, rest: str) -> None:
        first, *others = self.found
        cause = "\n".join([*others, rest]) if others else rest
        raise DataError(first, cause, f"Correct them and give the data again. {_FORMS}")
