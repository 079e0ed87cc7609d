"""Formatters that change little: the output as it is, and as text."""

from __future__ import annotations

import json
from typing import Any

from .base import FormatterBase


class EmptyFormatter(FormatterBase):
    """The output as it is; of a chat message, its text."""


class StrFormatter(FormatterBase):
    """A text from any value: a text as it is, dicts and lists as JSON, None as the empty text, bytes as UTF-8.

    Examples
    --------
    >>> StrFormatter()({'a': [1, None]})
    '{"a": [1, null]}'
    """

    def format(self, msg: Any) -> str:
        """The text."""
        if isinstance(msg, str):
            return msg
        if msg is None:
            return ""
        if isinstance(msg, bytes):
            return msg.decode("utf-8", "replace")
        if isinstance(msg, dict | list | tuple):
            return json.dumps(msg, ensure_ascii=False, default=str)
        return str(msg)
