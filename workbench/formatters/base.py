"""`FormatterBase`: from an output to a value, in two steps that subclasses may override. Knows no format of its own.

A formatter stands behind a module (``m | f``), a function or a flow (``function | f``) or another formatter (``f | g``). Any
callable can take its place; this class adds the ``|`` and what is common to formatters of text.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..errors import ArgumentError

_MESSAGE = {"role", "content", "tool_calls", "reasoning_content", "refusal", "name", "audio", "annotations", "function_call"}


class FormatterBase:
    """Base of the formatters. Override `_load` (from text to data) and `_parse_py_data_by_formatter` (from data to the result).

    A subclass needs no call of this class's constructor.

    Examples
    --------
    >>> class Numbers(FormatterBase):
    ...     def _load(self, msg):
    ...         return [int(n) for n in msg.split(',')]
    ...     def _parse_py_data_by_formatter(self, data):
    ...         return sum(data)
    >>> Numbers()('1,2,3')
    6
    """

    _takes_messages: ClassVar[bool] = False
    """Whether a chat message (a dict with role and content) comes as it is; else it is reduced to its text."""

    def _load(self, msg: str) -> Any:
        """Data from text; the text itself unless overridden."""
        return msg

    def _parse_py_data_by_formatter(self, data: Any) -> Any:
        """The result from data; the data themselves unless overridden."""
        return data

    def format(self, msg: Any) -> Any:
        """The value of one output: a text is loaded first, anything else is taken as data."""
        return self._parse_py_data_by_formatter(self._load(msg) if isinstance(msg, str) else msg)

    def __call__(self, *msg: Any) -> Any:
        """`format` of one output; several are one ``package``.

        Raises
        ------
        FormatError
            When the output is not of the form that this formatter reads.
        """
        if len(msg) == 1:
            return self.format(msg[0] if self._takes_messages else text_of(msg[0]))
        from ..flows.carriers import package

        return self.format(package.of(msg))

    def __or__(self, other: Any) -> Any:
        """This one, then ``other``: a formatter or any callable."""
        if not callable(other):
            return NotImplemented
        from .chain import chain

        return chain(self, other)

    def __ror__(self, other: Any) -> Any:
        """``function | formatter``: a pipeline. A pipeline takes the formatter in as its last item."""
        if not callable(other):
            return NotImplemented
        from ..flows import pipeline

        if issubclass(type(other), pipeline):
            other._add("", self)
            return other
        return pipeline(other, self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def text_of(msg: Any) -> Any:
    """The text of an assistant's message, its reasoning in front; anything that is no such message as it is."""
    if not (isinstance(msg, Mapping) and msg.get("role") == "assistant" and "content" in msg and set(msg) <= _MESSAGE):
        return msg
    if msg.get("tool_calls"):
        warnings.warn("The formatter drops the tool calls of this message; FunctionCallFormatter keeps them.", stacklevel=3)
    content = msg["content"] or ""
    if not isinstance(content, str):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    reasoning = msg.get("reasoning_content")
    return f"<think>{reasoning}</think>{content}" if reasoning else content


def formatter_of(value: Any) -> Callable[[Any], Any]:
    """A formatter from what a user gives: a formatter, its class, or any callable."""
    if isinstance(value, type) and issubclass(value, FormatterBase):
        return value()
    if not callable(value):
        raise ArgumentError(f"A formatter cannot be a {type(value).__name__}.", "", "Give a formatter, or a callable that takes the answer's text.")
    return value  # type: ignore[no-any-return]  # whatever it returns
