"""Rows with their places, out of files and values: JSON, JSONL, CSV, Parquet, lists, data frames. Reads piece by piece, so that
a fault at the beginning of a large file is told at once. Does not know what a good row is.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, nearest

_CHUNK = 1 << 20
_LONGEST_ROW = 64 << 20
_KINDS = {".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}
_SUPPORTED = "Use JSON, JSONL, CSV or Parquet, a list of dicts, or a data frame."


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its place in words (``line 17``). ``fault`` says why there is no value."""

    place: str
    value: Any = None
    fault: str = ""


def file_of(value: str | Path) -> Path:
    """The absolute path of an existing, readable, non-empty file. Raises `DataError`."""
    path = Path(value).expanduser().absolute()
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix.lower() in _KINDS)[:5]
        raise DataError(f"{path} is a directory.", "A data set is one file.", f"Name the file: {', '.join(inside)}." if inside else _SUPPORTED)
    if not path.exists():
        near = ""
        if path.parent.is_dir():
            near = nearest(path.name, [p.name for p in path.parent.iterdir()])
        cause = f"{near!r} in the same folder has the nearest name." if near else "" if path.parent.is_dir() else f"{path.parent} does not exist."
        raise DataError(f"There is no file {path}.", cause, f"Give {path.parent / near}." if near else "Check the path.")
    try:
        with path.open("rb") as f:
            first = f.read(1)
    except OSError as e:
        raise DataError(f"{path} cannot be read.", str(e.strerror), "Check its permissions.") from e
    if not first:
        raise DataError(f"{path} is empty.", "", _SUPPORTED)
    return path


def kind_of(path: Path) -> str:
    """``json``, ``csv`` or ``parquet``: by the name, else by the beginning. Raises `DataError`."""
    kind = _KINDS.get(path.suffix.lower())
    if kind:
        return kind
    with path.open("rb") as f:
        head = f.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in (b"{", b"["):
        return "json"
    if head[:4] == b"PAR1":
        return "parquet"
    raise DataError(f"{path} is in no form that is known here.", f"Its name ends in {path.suffix or 'nothing'}.", _SUPPORTED)


def rows_of_file(path: Path) -> Iterator[Row]:
    """The rows of a file."""
    kind = kind_of(path)
    if kind == "csv":
        return _csv(path)
    return _parquet(path) if kind == "parquet" else _json(path)


def _json(path: Path) -> Iterator[Row]:
    with path.open("rb") as f:
        head = f.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        raise DataError(f"{path} holds nothing but white space.", "", _SUPPORTED)
    return _array(path) if head[:1] == b"[" else _lines(path)


def _lines(path: Path) -> Iterator[Row]:
    with path.open("rb") as f:
        for number, line in enumerate(f, 1):
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as e:
                yield Row(f"line {number}", fault=_words(e, line))
                continue
            yield Row(f"line {number}", value)


def _words(error: ValueError, line: bytes) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 (byte {error.start + 1})"
    if line.strip() in (b"{", b"}", b"[", b"]") or line.rstrip().endswith((b"{", b"[", b",")):
        return "is not a whole JSON value: each line holds one row; a file of several lines a row must be one array in [ ]"
    return f"is not JSON: {error.msg.lower()} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else f"is not JSON: {error}"


def _array(path: Path) -> Iterator[Row]:
    """The elements of one JSON array, decoded while it is read."""
    decode = json.JSONDecoder().raw_decode
    with path.open(encoding="utf-8-sig", newline="\n") as f:
        buffer, position, line, counted = "", 0, 1, 0
        opened = ended = expects_comma = False
        while True:
            try:
                chunk = "" if ended else f.read(max(_CHUNK, len(buffer) - position))
            except UnicodeDecodeError as e:
                yield Row(f"line {line} or later", fault=f"is not UTF-8 ({e.reason})")
                return
            ended = ended or not chunk
            line += buffer.count("\n", counted, position)
            buffer, position, counted = buffer[position:] + chunk, 0, 0
            while True:
                while position < len(buffer) and buffer[position] in " \t\r\n":
                    position += 1
                if position == len(buffer):
                    break
                line += buffer.count("\n", counted, position)
                counted = position
                place, letter = f"line {line}", buffer[position]
                if not opened:
                    opened, position = True, position + 1
                    continue
                if letter == "]":
                    return
                if expects_comma:
                    if letter != ",":
                        yield Row(place, fault="does not begin with a comma or end the array: one is missing before it")
                        return
                    expects_comma, position = False, position + 1
                    continue
                try:
                    value, after = decode(buffer, position)
                except json.JSONDecodeError as e:
                    cut = e.pos >= len(buffer) - 16 or e.msg.startswith("Unterminated string")
                    if cut and not ended and len(buffer) - position < _LONGEST_ROW:
                        break
                    if ended and (e.pos >= len(buffer.rstrip()) or e.msg.startswith("Unterminated string")):
                        yield Row(place, fault="begins a row that the end of the file cuts off")
                    else:
                        at = line + buffer.count("\n", position, e.pos)
                        yield Row(f"line {at}", fault=f"is not JSON: {e.msg.lower()} at column {e.pos - buffer.rfind(chr(10), 0, e.pos)}")
                    return
                yield Row(place, value)
                expects_comma, position = True, after
            if ended:
                yield Row(f"line {line}", fault="is the last, but the array has no closing ]")
                return


def _csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_ROW)
    with path.open(encoding="utf-8-sig", newline="") as f:
        reader = csv.DictReader(f, dialect="excel-tab" if path.suffix.lower() == ".tsv" else "excel", strict=True)
        while True:
            try:
                value = next(reader, None)
            except (csv.Error, UnicodeDecodeError) as e:
                yield Row(f"line {reader.line_num}", fault=f"is not CSV in UTF-8: {e}")
                return
            if value is None:
                return
            if None in value:
                yield Row(f"line {reader.line_num}", fault=f"has more fields than the first line names ({', '.join(reader.fieldnames or ())})")
                continue
            yield Row(f"line {reader.line_num}", {k: v for k, v in value.items() if v not in (None, "")})


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        number = 0
        for batch in file.iter_batches(batch_size=2048):
            for value in batch.to_pylist():
                yield Row(f"row {number}", without_gaps(value))
                number += 1
    except (pyarrow.ArrowException, OSError) as e:
        raise DataError(f"{path} is not a Parquet file that can be read.", str(e).splitlines()[0], _SUPPORTED) from e


def rows_of_value(value: Any) -> Iterator[Row]:
    """The rows of a list of dicts, a data frame, or anything with ``to_pandas`` or ``to_pylist``. Raises `DataError`."""
    if hasattr(value, "to_pylist"):
        value = value.to_pylist()
    elif hasattr(value, "to_pandas"):
        value = value.to_pandas()
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        records = value.to_dict(orient="records")
        return (Row(f"row {i}", without_gaps(v)) for i, v in enumerate(records))
    if isinstance(value, Mapping) or not isinstance(value, Sequence):
        raise DataError(f"A {type(value).__name__} is no data set.", "", _SUPPORTED)
    return (Row(f"row {i}", v) for i, v in enumerate(value))


def without_gaps(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without the cells that a table leaves empty, with plain Python values."""
    kept = {}
    for key, cell in row.items():
        cell = cell.tolist() if hasattr(cell, "tolist") else cell  # numpy's scalars and arrays
        if cell is None or (isinstance(cell, float) and math.isnan(cell)) or str(cell) in ("<NA>", "NaT"):
            continue
        kept[str(key)] = cell
    return kept
