"""Which part of a value cannot be carried to another process: the attribute or variable to name in the error.

Knows how values hold others; tries them one by one with the packer it is given.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

_DEEP, _WIDE = 12, 1000


def culprit(value: Any, name: str, pack: Callable[[Any], Any], error: Exception) -> tuple[str, str, str]:
    """The innermost part that fails.

    Parameters
    ----------
    value : object
        What could not be packed, with ``error``.
    name : str
        What the user calls it.
    pack : callable
        Raises for what cannot be carried.

    Returns
    -------
    (str, str, str)
        Its place, such as ``shop.connection`` or ``conn (used in ask)``; its type; why it fails.
    """
    seen: set[int] = set()
    place = name
    for _ in range(_DEEP):
        seen.add(id(value))
        for child_place, child in _parts(value, place):
            if id(child) in seen:
                continue
            failure = fails(child, pack)
            if failure is not None:
                place, value, error = child_place, child, failure
                break
        else:
            break
    kind = type(value)
    shown = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return place, shown, f"{type(error).__name__}: {error}"


def fails(value: Any, pack: Callable[[Any], Any]) -> Exception | None:
    """Why a value cannot be packed; None when it can."""
    try:
        pack(value)
    except Exception as e:
        return e
    return None


def _parts(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """What a value holds, with its place."""
    if isinstance(value, types.FunctionType):
        yield from _variables(value, place)
    elif isinstance(value, types.MethodType):
        yield place.rpartition(".")[0] or f"{place}.__self__", value.__self__
    elif isinstance(value, functools.partial):
        yield f"{place}.func", value.func
        yield from ((f"{place}.args[{i}]", v) for i, v in enumerate(value.args))
        yield from ((f"{place}.keywords[{k!r}]", v) for k, v in value.keywords.items())
    elif isinstance(value, dict):
        yield from ((f"{place}[{k!r}]", v) for k, v in list(value.items())[:_WIDE])
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((f"{place}[{i}]", v) for i, v in enumerate(list(value)[:_WIDE]))
    elif not isinstance(value, type | types.ModuleType):
        yield from ((f"{place}.{k}", v) for k, v in getattr(value, "__dict__", {}).items())


def _variables(function: types.FunctionType, place: str) -> Iterator[tuple[str, Any]]:
    """Variables around a function, and defaults."""
    own = function.__name__
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield f"{name} (used in {own})", cell.cell_contents
        except ValueError:  # not bound yet
            continue
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield f"{name} (used in {own})", function.__globals__[name]
    for i, default in enumerate(function.__defaults__ or ()):
        yield f"a default of {place} ({i + 1})", default


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
