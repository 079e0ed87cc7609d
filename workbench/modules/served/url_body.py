"""The body of a call: for a server of ours, and for any other that takes JSON. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core import wire
from ...errors import ArgumentError


def call(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, each in the form of `workbench.core.wire`.

    Raises
    ------
    ArgumentError
    """
    body: dict[str, Any] = {"args": [wire.encode(v, f"argument {i + 1}") for i, v in enumerate(args)]}
    if kwargs:
        body["kwargs"] = {k: wire.encode(v, k) for k, v in kwargs.items()}
    return body


def plain(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The body for any other server: the input itself; with arguments by name, an object of them."""
    if len(args) > 1:
        raise ArgumentError("A plain JSON endpoint takes one input.", f"{len(args)} were given by position.", "Give one, or give them by name.")
    if not kwargs:
        return wire.encode(args[0] if args else {}, "the input")
    first = {} if not args else args[0] if isinstance(args[0], Mapping) else {"input": args[0]}
    return wire.encode({**first, **kwargs}, "the input")
