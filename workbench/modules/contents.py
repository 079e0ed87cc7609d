"""What a user says together with files: the forms in which people give them, and the turns they become. Knows no model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ..core.messages import Message
from ..errors import ArgumentError

QUERY_MARK = "<lazyllm-query>"  # begins an encoded query; what writes and reads them is `workbench.formatters`


class Said(NamedTuple):
    """What is said, and the files that go with it."""

    said: Any
    files: list[Any]


def said(value: Any, *given: Any) -> Any:
    """One value for what is said and the files of a call's arguments: what is said itself where there are none."""
    files = once(*given)
    if not files:
        return value
    value, own = split(value)
    return Said(value, once(own, files))


def split(value: Any) -> Said:
    """What is said and its files, from `Said`, ``package(query, files)`` or an encoded query.

    Raises
    ------
    ArgumentError
        When the files are given twice.
    """
    files: list[Any] = []
    if type(value) is not tuple and isinstance(value, tuple) and len(value) == 2:
        value, files = value[0], as_list(value[1])
    if isinstance(value, str) and value.startswith(QUERY_MARK):
        from ..formatters import decode_query_with_filepaths

        decoded = decode_query_with_filepaths(value)
        if isinstance(decoded, Mapping):
            value, files = decoded["query"], once(files, list(decoded["files"]))
    return Said(value, files)


def once(*ways: Any) -> list[Any]:
    """The files of a call, of all the ways in which they may be given.

    Raises
    ------
    ArgumentError
        When more than one was used.
    """
    used = [files for way in ways if (files := as_list(way))]
    if len(used) > 1:
        raise ArgumentError(
            "The files of the call are given twice.", "More than one argument, or the query itself, has files.", "Give them in one place."
        )
    return used[0] if used else []


def as_list(files: Any) -> list[Any]:
    """One file, several, or an encoded query's, as a list. A pair of samples and their rate is one sound."""
    if files is None or (isinstance(files, str) and not files):
        return []
    if isinstance(files, str) and files.startswith(QUERY_MARK):
        return split(files).files
    if isinstance(files, Mapping):
        if set(files) != {"query", "files"}:
            raise ArgumentError("Files cannot be given as this dict.", f"It has {', '.join(map(repr, files))}.", "Give a list of paths.")
        return as_list(files["files"])
    if isinstance(files, str | bytes | os.PathLike):
        return [files]
    if isinstance(files, list):
        return files
    return list(files) if isinstance(files, tuple) and not any(isinstance(f, int) for f in files) else [files]


def with_files(turns: tuple[Message, ...], files: list[Any]) -> tuple[Message, ...]:
    """The turns, with the files in the last thing that the user says.

    Raises
    ------
    DataError
        For a file that cannot be read or sent.
    """
    if not files:
        return turns
    from ..data.media import content_parts

    where = next((i for i in range(len(turns) - 1, -1, -1) if turns[i].role == "user"), None)
    if where is None:
        return (*turns, Message("user", content_parts("", files)))
    turn = turns[where]
    text = turn.content if isinstance(turn.content, str) else ""
    before = () if isinstance(turn.content, str) else turn.content
    return (*turns[:where], replace(turn, content=(*before, *content_parts(text, files))), *turns[where + 1 :])


def spread(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call whose first one is a flow's carrier of keyword arguments."""
    from ..flows import kwargs as carrier

    return (args[1:], {**args[0], **kwargs}) if isinstance(args[0], carrier) else (args, kwargs)
