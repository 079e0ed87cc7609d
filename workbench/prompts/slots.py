"""Slots in a text: ``{name}`` is filled, everything else with braces stays as it is. Knows nothing of turns or models.

A slot is one name in braces, in any script. ``{{name}}`` writes a literal ``{name}``. JSON examples, code and formulas need no
escaping, for what they have in braces is no name: ``{"a": 1}``, ``{ return x }``, ``\\boxed{answer}``. What is filled in is
never read again, so braces in a user's text mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ArgumentError, nearest

_BRACES = re.compile(r"\{\{(?P<literal>[^\W\d]\w*)\}\}|(?P<formula>\\[A-Za-z]{2,}\{[^\W\d]\w*\})|\{(?P<slot>[^\W\d]\w*)\}")


def names(*texts: str) -> tuple[str, ...]:
    """The slots of some texts, each once, in the order in which they stand."""
    return tuple(dict.fromkeys(m["slot"] for text in texts for m in _BRACES.finditer(text) if m["slot"]))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its slots filled."""

    def filled(m: re.Match[str]) -> str:
        if m["literal"]:
            return f"{{{m['literal']}}}"
        return m["formula"] or values[m["slot"]]

    return _BRACES.sub(filled, text)


def fit(given: Any, slots: tuple[str, ...], *, over: bool = True) -> tuple[dict[str, str], str]:
    """Values for the slots, and what is said besides.

    Parameters
    ----------
    given : dict or any value
        A dict gives values by name; any other value fills the only slot, or is what is said where there is none.
    slots : tuple of str
        The names to fill.
    over : bool, optional
        Whether one entry of a dict may be left over, as what is said.

    Raises
    ------
    ArgumentError
        When a slot gets no value, or more is left over than may be; it names both, and the nearest name.
    """
    if not isinstance(given, Mapping):
        if len(slots) > 1:
            raise ArgumentError(
                "The prompt has several slots, but one value was given.",
                "A single value fills only a single slot.",
                f"Give a dict with: {', '.join(slots)}. A name in braces that is no slot is written {{{{name}}}}.",
            )
        return ({slots[0]: str(given)}, "") if slots else ({}, str(given))
    missing = [s for s in slots if s not in given]
    rest = [str(k) for k in given if k not in slots]
    if missing or len(rest) > over:
        raise _misfit(missing, rest, slots, over)
    return {s: str(given[s]) for s in slots}, next((str(v) for k, v in given.items() if k not in slots), "")


def _misfit(missing: list[str], rest: list[str], slots: Iterable[str], over: bool) -> ArgumentError:
    said = []
    if missing:
        said.append(f"Missing: {', '.join(missing)}.")
    if rest:
        allowed = "; only one entry may be, as what the user says" if over and not missing else ""
        said.append(f"Left over: {', '.join(rest)}{allowed}.")
    near = [(r, n) for r in rest if (n := nearest(r, missing or slots))]
    said.extend(f"{r!r} is nearly {n!r}." for r, n in near)
    return ArgumentError("The input does not fit the prompt.", " ".join(said), f"The prompt's slots: {', '.join(slots) or 'none'}.")
