"""The steps of a slice expression as values, and how each is written. What they mean is in `slices`."""

from __future__ import annotations

import re
from dataclasses import dataclass

Key = int | str

_PLAIN = re.compile(r"[^\[\]{},:*\"'\s](?:[^\[\]{},:\"']*[^\[\]{},:\"'\s])?")
NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})")


def written(key: Key) -> str:
    """A key as it stands in an expression, in quotes where it must."""
    if isinstance(key, int):
        return str(key)
    bare = _PLAIN.fullmatch(key) and not NUMBER.fullmatch(key) and key != "None"
    return key if bare else repr(key)


@dataclass(frozen=True, slots=True)
class One:
    """``[key]``: one item."""

    key: Key

    def __str__(self) -> str:
        return f"[{written(self.key)}]"


@dataclass(frozen=True, slots=True)
class Several:
    """``[a, b]``: several items."""

    keys: tuple[Key, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(written, self.keys))}]"


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
        return "{:}" if self.keys is None else f"{{{', '.join(map(written, self.keys))}}}"


Step = One | Several | Every | Fields
