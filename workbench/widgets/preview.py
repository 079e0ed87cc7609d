"""The first rows of a training set as prompt and answer. Reads no more of the file than it needs; checks nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

_WHOLE_FILE = 32 << 20  # a JSON array cannot be read in part


def first_rows(path: str | Path, count: int = 20) -> list[dict[str, Any]]:
    """At most ``count`` rows as ``{"row", "prompt", "answer"}``, rows counted from 1.

    Raises
    ------
    OSError, ValueError
        When the file is gone or no longer what it was.
    """
    found: list[dict[str, Any]] = []
    for number, row in enumerate(islice(_rows(Path(path)), count), start=1):
        prompt, answer = _turns(row)
        found.append({"row": number, "prompt": prompt, "answer": answer})
    return found


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    kind = path.suffix.lower()
    if kind == ".parquet":
        import pyarrow.parquet as parquet

        for batch in parquet.ParquetFile(path).iter_batches(batch_size=64):
            yield from batch.to_pylist()
        return
    with path.open(encoding="utf-8-sig", newline="" if kind == ".csv" else None) as file:
        if kind == ".csv":
            yield from csv.DictReader(file)
        elif kind == ".json" and file.read(64).lstrip().startswith("["):
            if path.stat().st_size > _WHOLE_FILE:
                return
            file.seek(0)
            yield from json.load(file)
        else:
            file.seek(0)
            yield from (json.loads(line) for line in file if line.strip())


def _turns(row: Mapping[str, Any]) -> tuple[str, str]:
    said = row.get("messages") or row.get("conversations")
    if isinstance(said, str):  # a column of a CSV file
        said = json.loads(said)
    if said:
        turns = [(str(t.get("role") or t.get("from")), str(t.get("content") or t.get("value") or "")) for t in said]
        answer = next((text for who, text in reversed(turns) if who in ("assistant", "gpt")), "")
        return "\n".join(text for who, text in turns if who in ("user", "human"))[-1000:], answer[:1000]
    prompt = "\n".join(str(row[k]) for k in ("instruction", "input", "prompt", "query") if row.get(k))
    answer = next((str(row[k]) for k in ("output", "response", "chosen", "text", "pos") if row.get(k)), "")
    return prompt[:1000], answer[:1000]
