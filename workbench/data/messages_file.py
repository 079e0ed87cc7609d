"""Training sets as JSONL of OpenAI messages, the one form that vendors take. Every faulty row is named. Does not know any vendor."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.specs import DataRef
from ..errors import DataError
from .formats import BadRow, recognise, turns_of
from .sources import Row, file_of, rows_of_file, rows_of_value

_SHOWN = 50


def write_messages(value: Any, *, role: str, folder: Path, minimum: int = 1) -> DataRef:
    """Check a training set whole and write it as JSONL of ``{"messages": [{"role", "content"}, …]}``.

    Parameters
    ----------
    value : str, Path, list of dict or DataFrame
        Rows of any form that `workbench.data` knows.
    role : str
        ``train`` or ``valid``; names the file.
    folder : Path
        Where the file goes. The user's own file is never changed.
    minimum : int
        How many rows the vendor wants at least.

    Raises
    ------
    DataError
        Every faulty row is in ``cause`` with its line: the first 50 with what is wrong, the others by their place.
    """
    is_file = isinstance(value, str | os.PathLike)
    source = str(file_of(os.fspath(value))) if is_file else f"The {role} set"
    rows = rows_of_file(Path(source)) if is_file else rows_of_value(value)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft, digest, count = folder / f".{role}-{os.getpid()}.draft", hashlib.sha256(), 0
    faults: list[tuple[str, str]] = []
    try:
        with draft.open("w", encoding="utf-8") as f:
            for messages in _good(rows, faults):
                line = json.dumps({"messages": messages}, ensure_ascii=False) + "\n"
                digest.update(line.encode())
                f.write(line)
                count += 1
        if faults:
            raise _all_of(faults, source, count)
        if count < minimum:
            raise DataError(f"{source} has {count} rows.", f"The vendor wants {minimum} at least.", "Give more rows.")
        path = folder.absolute() / f"{role}-{digest.hexdigest()[:12]}.jsonl"
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return DataRef(str(path), "openai", count, Path(source).stem if is_file else f"{role} rows")


def _good(rows: Iterator[Row], faults: list[tuple[str, str]]) -> Iterator[list[dict[str, Any]]]:
    form = ""
    for row in rows:
        if row.fault:
            faults.append((row.place, row.fault))
            continue
        try:
            form = form or recognise(row.value)
            turns, system, _ = turns_of(row.value, form)
        except BadRow as e:
            faults.append((row.place, str(e)))
            continue
        if form != "openai" and any(t["role"] == "function_call" for t in turns):
            faults.append((row.place, "has tool calls without ids, which vendors want; give it as OpenAI messages"))
            continue
        # A row of messages is sent as it was written: turns_of has checked it, and would lose its calls' ids.
        yield [dict(m) for m in row.value["messages"]] if form == "openai" else _messages(turns, system)


def _messages(turns: list[Mapping[str, str]] | list[dict[str, str]], system: str) -> list[dict[str, Any]]:
    first = [{"role": "system", "content": system}] if system else []
    return [*first, *({"role": "tool" if t["role"] == "observation" else t["role"], "content": t["content"]} for t in turns)]


def _all_of(faults: list[tuple[str, str]], source: str, good: int) -> DataError:
    (place, fault), *others = faults
    told = [f"{source}, {p}, {f}." for p, f in others[: _SHOWN - 1]]
    if rest := others[_SHOWN - 1 :]:
        told.append(f"Faulty as well: {', '.join(p for p, _ in rest)}.")
    told.append(f"{good} other rows are good.")
    return DataError(f"{source}, {place}, {fault}.", "\n".join(told), "Correct them and give the data again.")
