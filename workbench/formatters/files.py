"""A query together with the paths of its files, as one text. Knows nothing of what is in the files.

The form is a mark followed by JSON: ``<lazyllm-query>{"query": …, "files": […]}``. It travels where only a text fits: through a
chat's input box, a column of an evaluation set, or from one module to the next.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ArgumentError, FormatError
from .base import FormatterBase

_MARK = "<lazyllm-query>"
_MODES = ("decode", "encode", "merge")


def encode_query_with_filepaths(query: str | None = None, files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None) -> str:
    """One text for a query and its files.

    Parameters
    ----------
    query : str, optional
        What is asked.
    files : path or list of paths, optional
        Its files.

    Returns
    -------
    str
        The encoded text; the query itself where there are no files.

    Examples
    --------
    >>> encode_query_with_filepaths('What is this?', 'cat.png')
    '<lazyllm-query>{"query": "What is this?", "files": ["cat.png"]}'
    """
    query = "" if query is None else query
    if not isinstance(query, str):
        raise ArgumentError(f"A query cannot be a {type(query).__name__}.", "", "Give a text.")
    paths = [files] if isinstance(files, str | os.PathLike) else list(files or ())
    wrong = next((p for p in paths if not isinstance(p, str | os.PathLike)), None)
    if wrong is not None:
        raise ArgumentError(f"A file's path cannot be a {type(wrong).__name__}.", "", "Give paths or URLs; m('…', files=[…]) takes values too.")
    return _encoded(query, [os.fspath(p) for p in paths]) if paths else query


def decode_query_with_filepaths(query_files: str) -> dict[str, Any] | str:
    """The query and files of an encoded text.

    Returns
    -------
    dict or str
        ``{'query': str, 'files': list of str}``; the text itself where nothing is encoded in it.

    Raises
    ------
    FormatError
        When the text begins with the mark, but what follows is not a query with files.
    """
    if not isinstance(query_files, str):
        raise ArgumentError(f"An encoded query cannot be a {type(query_files).__name__}.", "", "Give the text that encode_query_with_filepaths made.")
    if not query_files.startswith(_MARK):
        return query_files
    try:
        found = json.loads(query_files.removeprefix(_MARK))  # a result may count its pictures instead of its characters
        query, files = found["query"], found.get("files", [])
        if not (isinstance(query, str) and isinstance(files, list) and all(isinstance(f, str) for f in files)):
            raise TypeError("it holds no text 'query' and list 'files'")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
        cause = f"What follows {_MARK} is not a query with files: {e}."
        raise FormatError("The encoded query cannot be read.", cause, "Make it with encode_query_with_filepaths.", text=query_files) from e
    return {"query": query, "files": files}


def merge_queries(*queries: str) -> str:
    """One text of several, plain or encoded: their queries one after the other, and all their files.

    Examples
    --------
    >>> merge_queries('Look: ', encode_query_with_filepaths('what is it?', 'cat.png'))
    '<lazyllm-query>{"query": "Look: what is it?", "files": ["cat.png"]}'
    """
    text: list[str] = []
    files: list[str] = []
    for query in queries:
        found = decode_query_with_filepaths(query)
        text.append(found if isinstance(found, str) else found["query"])
        files.extend([] if isinstance(found, str) else found["files"])
    return encode_query_with_filepaths("".join(text), files)


lazyllm_merge_query = merge_queries


def _encoded(query: str, files: list[str]) -> str:
    return _MARK + json.dumps({"query": query, "files": files})


class FileFormatter(FormatterBase):
    """Queries with files: encoded texts to dicts, dicts to encoded texts, or several texts to one.

    Parameters
    ----------
    formatter : {'decode', 'encode', 'merge'}
        ``decode``: an encoded text becomes ``{'query': …, 'files': […]}``. ``encode``: such a dict becomes the text. ``merge``:
        all texts given become one. What is of another form comes through unchanged.
    """

    def __init__(self, formatter: str = "decode") -> None:
        mode = str(formatter).strip().lower()
        if mode not in _MODES:
            raise ArgumentError(f"A FileFormatter has no mode {formatter!r}.", "", f"Choose one of: {', '.join(_MODES)}.")
        self.mode = mode

    def format(self, msg: Any) -> Any:
        """What the mode makes of it."""
        if self.mode == "merge":
            return merge_queries(*([msg] if isinstance(msg, str) else msg))
        if self.mode == "decode":
            return decode_query_with_filepaths(msg) if isinstance(msg, str) else msg
        if isinstance(msg, Mapping) and set(msg) == {"query", "files"}:
            return encode_query_with_filepaths(msg["query"], msg["files"])
        return msg

    def __repr__(self) -> str:
        return f"FileFormatter({self.mode!r})"
