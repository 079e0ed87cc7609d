"""Formatters one after the other. A formatter is any callable from an output to a value; this knows nothing of what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base import FormatterBase, formatter_of, text_of

Formatter = Callable[[Any], Any]


class Chain(FormatterBase):
    """Give the output to each formatter in turn: ``module | f | g``.

    Parameters
    ----------
    *formatters : callable
        Formatters, classes of formatters, or any functions.
    """

    _takes_messages = True  # the first formatter decides

    def __init__(self, *formatters: Formatter) -> None:
        flat: list[Formatter] = []
        for formatter in map(formatter_of, formatters):
            flat.extend(formatter.formatters if type(formatter) is Chain else [formatter])
        self.formatters: tuple[Formatter, ...] = tuple(flat)

    def format(self, msg: Any) -> Any:
        """The value that the last formatter makes of it."""
        for number, formatter in enumerate(self.formatters):
            if number and isinstance(formatter, FormatterBase):
                msg = formatter.format(msg)  # what came out of a formatter is data, even where it looks like a message
            elif isinstance(formatter, FormatterBase):
                msg = formatter.format(msg if formatter._takes_messages else text_of(msg))
            else:
                msg = formatter(msg)
        return msg

    def __repr__(self) -> str:
        return " | ".join(getattr(f, "__name__", repr(f)) for f in self.formatters)


def chain(first: Formatter | None, then: Formatter) -> Formatter:
    """``then`` after ``first``, which may be missing."""
    return formatter_of(then) if first is None else Chain(first, then)
