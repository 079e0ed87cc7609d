"""Formatters one after the other. A formatter is any callable from an output to a value; this knows nothing of what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Formatter = Callable[[Any], Any]


class Chain:
    """Give the output to each formatter in turn: ``module | f | g``."""

    def __init__(self, *formatters: Formatter) -> None:
        self.formatters = formatters

    def __call__(self, value: Any) -> Any:
        for formatter in self.formatters:
            value = formatter(value)
        return value

    def __or__(self, other: Formatter) -> Chain:
        return Chain(*self.formatters, other)

    def __repr__(self) -> str:
        return " | ".join(getattr(f, "__name__", repr(f)) for f in self.formatters)


def chain(first: Formatter | None, then: Formatter) -> Formatter:
    """``then`` after ``first``, which may be missing."""
    if first is None:
        return then
    return first | then if isinstance(first, Chain) else Chain(first, then)
