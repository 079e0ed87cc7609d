"""Where in a text a JSON value ends, or goes wrong: the strict grammar without recursion, and without making the value.

The standard decoder says where it fails, but not which inner values were complete by then; trying each of them again from its
own bracket would take time that grows with the square of the depth. One pass of this knows both. Knows no repairs.
RFC 8259 is the grammar, widened as Python's decoder is: ``NaN``, ``Infinity``, and control characters inside strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STRING = r'"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+)*+"'
_SCALAR = r"-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?|true|false|null|NaN|-?Infinity"
_TOKEN = re.compile(rf"[ \t\n\r]*+(?:(?P<string>{STRING})|(?P<scalar>{_SCALAR})|(?P<mark>[\[\]{{}},:]))")
_VALUE, _KEY, _COLON, _AFTER, _FIRST_KEY, _FIRST_VALUE = range(6)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a pass found: ``end`` of the value, or None and the place ``wrong`` where it goes wrong; the complete lists and dicts
    inside a value that goes wrong, the outermost ones only, as (start, end).
    """

    end: int | None
    wrong: int
    complete: tuple[tuple[int, int], ...] = ()


def scan(text: str, start: int) -> Scan:
    """Follow the value whose bracket is at ``start``. Takes time linear in what it passes over."""
    stack = [(start, text[start])]
    complete: list[tuple[int, int]] = []
    at = start + 1
    state = _FIRST_VALUE if text[start] == "[" else _FIRST_KEY
    while True:
        token = _TOKEN.match(text, at)
        kind = token.lastgroup if token else None
        mark = token["mark"] if token else None
        closes = mark in ("]", "}") and stack[-1][1] == ("[" if mark == "]" else "{")
        if closes and state in (_AFTER, _FIRST_VALUE, _FIRST_KEY):
            assert token is not None
            opened, _ = stack.pop()
            if not stack:
                return Scan(token.end(), token.end())
            while complete and complete[-1][0] > opened:
                complete.pop()
            complete.append((opened, token.end()))
            state = _AFTER
        elif mark is not None and mark in "[{" and state in (_VALUE, _FIRST_VALUE):
            assert token is not None
            stack.append((token.start("mark"), mark))
            state = _FIRST_VALUE if mark == "[" else _FIRST_KEY
        elif kind in ("string", "scalar") and state in (_VALUE, _FIRST_VALUE):
            state = _AFTER
        elif kind == "string" and state in (_KEY, _FIRST_KEY):
            state = _COLON
        elif mark == ":" and state == _COLON:
            state = _VALUE
        elif mark == "," and state == _AFTER:
            state = _VALUE if stack[-1][1] == "[" else _KEY
        else:
            wrong = _skip(text, at)
            return Scan(None, wrong, tuple(complete))
        assert token is not None
        at = token.end()


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\n\r":
        at += 1
    return at
