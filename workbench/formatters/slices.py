"""The grammar ``'[…][…]{…}'``, which picks values out of nested lists and dicts. Knows nothing of where the data come from.

One step stands in each pair of brackets, and works on what the steps before it picked:

====================  =====================================================================================
``[0]``, ``[title]``  one item of a list, or the value of one key of a dict
``[0, 3]``            several items, as a list (a tuple of a tuple)
``[a, b]``            the values of several keys, as a list
``[1:8:2]``           a slice of a list or tuple, as Python means it
``[:]``               every item; of a dict, a list of all its values
``{a, b}``, ``{:}``   a dict of some keys, or of all
``*`` in front        the result becomes a ``package``: several values for the next step of a flow
====================  =====================================================================================

After a step that picks several, the rest works on each of them: ``'[:][title]'`` is every item's title. A key that holds one of
``[]{},:*"'`` or begins or ends with a space stands in quotes, in Python's way of writing them.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from ..errors import ArgumentError
from .picking import pick
from .steps import NUMBER, Every, Fields, Key, One, Several, Step

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<mark>[\[\]{},:*])|(?P<plain>[^\[\]{},:*"'\s][^\[\]{},:"']*))""", re.DOTALL
)
_CLOSES = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Slices:
    """A whole expression: its steps, and whether the result is a package. ``str()`` writes it in the grammar again."""

    steps: tuple[Step, ...] = ()
    package: bool = False

    def __str__(self) -> str:
        return "*" * self.package + "".join(map(str, self.steps))

    def of(self, data: Any) -> Any:
        """What the expression picks out of the data.

        Raises
        ------
        FormatError
            When the data have not what is asked for; it names the place, and the nearest key.
        """
        result = pick(data, self.steps)
        if not self.package:
            return result
        from ..flows.carriers import package

        return package.of(result if isinstance(result, list | tuple) else [result])


def parse(text: str) -> Slices:
    """An expression from its text; an empty one picks everything.

    Raises
    ------
    ArgumentError
        When the text is no expression; it names the character where it goes wrong.
    """
    tokens = _tokens(text)
    at, steps = 0, []
    package = bool(tokens) and tokens[0][0] == "*"
    at += package
    while at < len(tokens):
        opened = tokens[at][0]
        if opened not in _CLOSES:
            raise _wrong(text, tokens[at][2], "a step begins with [ or {")
        end = next((i for i in range(at + 1, len(tokens)) if tokens[i][0] in ("[", "{", "]", "}")), None)
        if end is None or tokens[end][0] != _CLOSES[opened]:
            raise _wrong(text, tokens[at][2] if end is None else tokens[end][2], f"{opened} must be closed by {_CLOSES[opened]}")
        steps.append(_step(text, opened, tokens[at + 1 : end], tokens[end][2]))
        at = end + 1
    if package and not steps:
        raise _wrong(text, len(text), "a step must follow *")
    return Slices(tuple(steps), package)


def _tokens(text: str) -> list[tuple[str, Key, int]]:
    """(mark or kind, key, place) of each token."""
    found: list[tuple[str, Key, int]] = []
    at = 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _wrong(text, at, "a quoted key is not closed")
        if token["mark"]:
            found.append((token["mark"], "", token.start("mark")))
        elif token["quoted"]:
            found.append(("key", _unquoted(text, token["quoted"], token.start("quoted")), token.start("quoted")))
        else:
            plain = token["plain"].strip()
            found.append(("key", int(plain) if NUMBER.fullmatch(plain) else plain, token.start("plain")))
        at = token.end()
    return found


def _unquoted(text: str, quoted: str, at: int) -> str:
    try:
        return str(ast.literal_eval(quoted.replace("\r", "\\r").replace("\n", "\\n")))
    except (SyntaxError, ValueError) as e:
        raise _wrong(text, at, f"a quoted key cannot be read ({e})") from None


def _step(text: str, opened: str, inside: list[tuple[str, Key, int]], end: int) -> Step:
    marks = {kind for kind, _, _ in inside}
    if ":" in marks:
        if opened == "{":
            if len(inside) != 1:
                raise _wrong(text, inside[0][2], "only {:} or {a, b} can stand in braces")
            return Fields()
        if "," in marks:
            raise _wrong(text, inside[0][2], "keys and a slice cannot stand in the same brackets")
        return _slice(text, inside)
    keys = []
    for number, (kind, key, place) in enumerate(inside):
        if kind != ("key" if number % 2 == 0 else ","):
            raise _wrong(text, place, "keys stand with commas between them")
        if kind == "key":
            keys.append(key)
    if len(inside) % 2 == 0:
        raise _wrong(text, end, "a key, an index or a slice is missing")
    if opened == "{":
        return Fields(tuple(keys))
    return One(keys[0]) if len(keys) == 1 else Several(tuple(keys))


def _slice(text: str, inside: list[tuple[str, Key, int]]) -> Every:
    bounds: list[int | None] = [None]
    before = ":"
    for kind, key, place in inside:
        if kind == ":":
            bounds.append(None)
        elif kind != "key" or before != ":" or not (isinstance(key, int) or key == "None"):
            raise _wrong(text, place, "a slice's bounds are whole numbers, None or empty")
        else:
            bounds[-1] = key if isinstance(key, int) else None
        before = kind
    if len(bounds) > 3:
        raise _wrong(text, inside[0][2], "a slice has at most start, stop and step")
    if len(bounds) == 3 and bounds[2] == 0:
        raise _wrong(text, inside[-1][2], "a slice's step cannot be 0")
    return Every(*bounds)


def _wrong(text: str, at: int, why: str) -> ArgumentError:
    fix = "Write steps such as '[0]', '[title]', '[:][title]', '[0:3]' or '{title, year}'; quote a key that holds such a character."
    return ArgumentError(f"{text!r} is no slice expression.", f"At character {at + 1}: {why}.", fix)
