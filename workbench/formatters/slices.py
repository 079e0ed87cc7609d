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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ArgumentError, FormatError, nearest

Key = int | str

_PLAIN = re.compile(r"[^\[\]{},:*\"'\s](?:[^\[\]{},:\"']*[^\[\]{},:\"'\s])?")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<mark>[\[\]{},:*])|(?P<plain>[^\[\]{},:*"'\s][^\[\]{},:"']*))""", re.DOTALL
)
_CLOSES = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class One:
    """``[key]``: one item."""

    key: Key

    def __str__(self) -> str:
        return f"[{_written(self.key)}]"


@dataclass(frozen=True, slots=True)
class Several:
    """``[a, b]``: several items."""

    keys: tuple[Key, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(_written, self.keys))}]"


@dataclass(frozen=True, slots=True)
class Every:
    """``[start:stop:step]``: a slice; ``[:]`` is everything."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None

    def __str__(self) -> str:
        parts = ["" if n is None else str(n) for n in (self.start, self.stop, self.step)]
        return f"[{':'.join(parts if self.step is not None else parts[:2])}]"


@dataclass(frozen=True, slots=True)
class Fields:
    """``{a, b}``: a dict of some keys; None stands for all."""

    keys: tuple[Key, ...] | None = None

    def __str__(self) -> str:
        return "{:}" if self.keys is None else f"{{{', '.join(map(_written, self.keys))}}}"


Step = One | Several | Every | Fields


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
        result = _pick(data, self.steps, None)
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
            found.append(("key", int(plain) if _NUMBER.fullmatch(plain) else plain, token.start("plain")))
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


def _written(key: Key) -> str:
    if isinstance(key, int):
        return str(key)
    bare = _PLAIN.fullmatch(key) and not _NUMBER.fullmatch(key) and key != "None"
    return key if bare else repr(key)


# ---- picking

Place = tuple[Any, Any] | None
"""Where the data stand: the place of what holds them, and their key there. Written out only for an error."""


def _pick(data: Any, steps: tuple[Step, ...], where: Place) -> Any:
    for number, step in enumerate(steps):
        if isinstance(step, One):
            data, where = _item(data, step.key, where), (where, step.key)
            continue
        rest = steps[number + 1 :]
        if isinstance(step, Fields):
            if not isinstance(data, Mapping):
                raise _misfit(data, str(step), where, "a dict")
            chosen = list(data) if step.keys is None else [_key(data, key, where) for key in step.keys]
            return {k: _pick(data[k], rest, (where, k)) if rest else data[k] for k in chosen}
        if isinstance(step, Several):
            picked = [_item(data, key, where) for key in step.keys]
            names: Iterable[Any] = step.keys
        else:
            picked, names = _every(data, step, where)
        return _like(data, [_pick(item, rest, (where, name)) for item, name in zip(picked, names, strict=True)] if rest else picked)
    return data


def _item(data: Any, key: Key, where: Place) -> Any:
    if isinstance(data, Mapping):
        return data[_key(data, key, where)]
    if not isinstance(data, list | tuple):
        raise _misfit(data, f"[{_written(key)}]", where, "a list or dict")
    if not isinstance(key, int):
        raise FormatError(
            f"The list{_at(where)} has no key {key!r}.",
            f"It is a list of {len(data)} items.",
            f"Write [:][{_written(key)}] for every item's, or [0][{_written(key)}] for the first's.",
        )
    if not -len(data) <= key < len(data):
        raise FormatError(f"The list{_at(where)} has no item {key}.", f"It has {len(data)} items.", "[:] picks as many as there are.")
    return data[key]


def _key(data: Mapping[Any, Any], key: Key, where: Place) -> Any:
    if key in data:
        return key
    if str(key) in data:  # JSON's keys are texts, a Python dict's may be numbers
        return str(key)
    names = [str(k) for k in data]
    near = nearest(str(key), names)
    has = f"It has {', '.join(map(repr, names[:12]))}{', …' if len(names) > 12 else ''}." if names else "It is empty."
    raise FormatError(f"The dict{_at(where)} has no key {key!r}.", has, f"Write [{_written(near)}]." if near else "Choose one of its keys.")


def _every(data: Any, step: Every, where: Place) -> tuple[list[Any], Iterable[Any]]:
    if isinstance(data, Mapping):
        if step != Every():
            fix = "Write [:] for all its values, or [a, b] for some."
            raise FormatError(f"The dict{_at(where)} cannot be cut by {step}.", "A dict's values have no numbers.", fix)
        return list(data.values()), list(data)
    if not isinstance(data, list | tuple):
        raise _misfit(data, str(step), where, "a list")
    cut = slice(step.start, step.stop, step.step)
    return list(data[cut]), range(len(data))[cut]


def _like(data: Any, items: list[Any]) -> Any:
    """The items as a tuple, or whatever kind of tuple it was, where the data are one."""
    if not isinstance(data, tuple):
        return items
    return tuple(items) if type(data) is tuple or hasattr(data, "_fields") else type(data)(items)


def _misfit(data: Any, step: str, where: Place, wanted: str) -> FormatError:
    shown = f"{data!r:.60}"
    what = f"{step} cannot be taken of the {type(data).__name__}{_at(where)}."
    return FormatError(what, f"It is {shown}, and {step} needs {wanted}.", "Look at the data without a slice first: JsonFormatter().")


def _at(where: Place) -> str:
    path = ""
    while where is not None:
        where, key = where
        path = f"[{_written(key if isinstance(key, int) else str(key))}]{path}"
    return f" at {path}" if path else ""
