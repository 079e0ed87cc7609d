"""Evaluation sets in every form people have them → cases. Does not read files itself: `workbench.data` does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import DataError
from .values import EvalCase

INPUTS = ("input", "question", "prompt")
EXPECTED = ("expected", "output", "answer", "target", "reference", "ideal", "response")
_SPEAKERS = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def load(evalset: Any) -> list[EvalCase]:
    """The cases of an evaluation set.

    Parameters
    ----------
    evalset : list, DataFrame or path
        A list of texts, ``(input, expected)`` pairs or dicts; a DataFrame; or a JSON, JSONL, CSV or Parquet file. A dict is

        - ``{"input" | "question" | "prompt": …, "expected" | "output" | "answer" | …: …}``, other keys are notes of yours;
        - alpaca: ``{"instruction": …, "input": …, "output": …, "system": …}``;
        - ``{"messages": […]}`` or ``{"conversations": […]}``, whose last answer is what is expected;
        - ``{"query": …, …}`` or any other dict: keyword arguments of the call.

        ``accept`` in a dict lists further right answers. Other keys go to a module or function that has parameters of these names.

    Returns
    -------
    list of EvalCase

    Raises
    ------
    DataError
        When there is no row, or a row cannot be understood; the message names file and row.
    """
    where = "the evaluation set"
    if isinstance(evalset, str | Path) or hasattr(evalset, "to_dict"):
        from ..data import load_rows

        where = where if hasattr(evalset, "to_dict") else str(evalset)
        evalset = load_rows(evalset)
    if isinstance(evalset, Mapping) or not isinstance(evalset, Iterable):
        raise DataError(
            f"An evaluation set cannot be a {type(evalset).__name__}.",
            "It is a list of rows, a DataFrame, or the path of a JSON, JSONL, CSV or Parquet file.",
            'Write [{"input": "…", "expected": "…"}].',
        )
    cases = [one(index, row, f"Row {index} of {where}") for index, row in enumerate(evalset)]
    if not cases:
        raise DataError(f"{where[0].upper()}{where[1:]} has no rows.", "", 'Write [{"input": "…", "expected": "…"}].')
    return cases


def one(index: int, row: Any, where: str) -> EvalCase:
    """One row as a case; ``where`` begins the message of an error."""
    if isinstance(row, EvalCase):
        return replace(row, index=index)
    if isinstance(row, Mapping):
        return replace(_mapping(index, row, where), row=row)
    if isinstance(row, tuple | list) and not _messages(row):
        if len(row) != 2:
            raise DataError(f"{where} has {len(row)} values.", "A row without names is a pair of input and expected answer.")
        return EvalCase(index, _input(row[0], where), row[1])
    return EvalCase(index, _input(row, where))


def _messages(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and bool(value) and all(isinstance(m, Mapping) and "role" in m for m in value)


def _input(value: Any, where: str) -> Any:
    if value is None or value == "" or value != value:  # NaN is what an empty cell of a table becomes
        raise DataError(f"{where} has an empty input.", "", "Fill it in or leave the row out.")
    return value


def _expected(row: Mapping[str, Any], names: Iterable[str] = EXPECTED) -> Any:
    value = next((row[n] for n in names if n in row), None)
    return None if value is None or value != value else value


def _accept(row: Mapping[str, Any], where: str) -> tuple[Any, ...]:
    value = row.get("accept")
    if value is None or (isinstance(value, float) and value != value):
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise DataError(f"{where} has {value!r} under accept.", "It lists further right answers.", f"Write [{value!r}].")
    return tuple(value)


def _mapping(index: int, row: Mapping[str, Any], where: str) -> EvalCase:
    if not row:
        raise DataError(f"{where} is empty.", "", 'Write {"input": "…", "expected": "…"}.')
    accept = _accept(row, where)
    for name, role, content in (("messages", "role", "content"), ("conversations", "from", "value")):
        if name in row:
            turns, answer = _conversation(row, name, role, content, where)
            return EvalCase(index, turns, _expected(row) if answer is None else answer, accept)
    if "instruction" in row:
        more = row.get("input")
        text: Any = f"{row['instruction']}\n{more}" if isinstance(more, str) and more else row["instruction"]
        _input(text, where)
        system = row.get("system")
        if isinstance(system, str) and system:
            text = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        return EvalCase(index, text, _expected(row), accept)
    for name in INPUTS:
        if name in row:
            return EvalCase(index, _input(row[name], where), _expected(row), accept)
    known = {*EXPECTED, "accept"}
    arguments = {k: v for k, v in row.items() if k not in known}
    if not arguments:
        raise DataError(
            f"{where} has no input.",
            f"It has only {', '.join(map(repr, row))}.",
            f"Name the input one of: {', '.join((*INPUTS, 'query', 'instruction', 'messages'))}.",
        )
    if any(not isinstance(k, str) for k in arguments):
        raise DataError(f"{where} has a key that is not text.", "The keys of a dict are names of arguments.")
    if set(arguments) == {"query"}:
        return EvalCase(index, _input(arguments["query"], where), _expected(row), accept)
    return EvalCase(index, arguments, _expected(row), accept, keywords=True)


def _conversation(row: Mapping[str, Any], name: str, role: str, content: str, where: str) -> tuple[list[dict[str, Any]], Any]:
    turns = row[name]
    if isinstance(turns, str) or not isinstance(turns, Iterable):
        raise DataError(f"{where} has {type(turns).__name__} under {name!r}.", "It is a list of turns.")
    said = []
    for n, turn in enumerate(turns, 1):
        if not isinstance(turn, Mapping) or role not in turn or content not in turn:
            raise DataError(f"{where}: turn {n} of {name!r} has no {role!r} or {content!r}.", f"It is {str(turn)[:80]!r}.")
        speaker = _SPEAKERS.get(turn[role], turn[role])
        said.append({**turn, "role": speaker} if role == "role" else {"role": speaker, "content": turn[content]})
    system = row.get("system")
    if name == "conversations" and isinstance(system, str) and system:
        said.insert(0, {"role": "system", "content": system})
    answer = said.pop()["content"] if said and said[-1]["role"] == "assistant" else None
    if not any(m["role"] == "user" for m in said):
        raise DataError(f"{where} asks nothing.", f"No turn of the user stands before the last answer in {name!r}.")
    return said, answer
