"""What one step hands to the next when it is more than one value. Knows nothing of flows.

A `package` is spread over the next step's positions, `kwargs` over its keywords, `arguments` over both; any other value, a
tuple, list and dict among them, is one argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, SupportsIndex

from ..errors import ArgumentError


class package(tuple[Any, ...]):
    """Several values: ``package(1, 2)``, or of one list or tuple, ``package([1, 2])``. Slices and sums are packages, too."""

    __slots__ = ()

    def __new__(cls, *values: Any) -> Self:
        if len(values) == 1 and isinstance(values[0], list | tuple):
            return tuple.__new__(cls, values[0])
        return tuple.__new__(cls, values)

    @classmethod
    def of(cls, values: Iterable[Any]) -> Self:
        """Of exactly these values, a single list among them not opened."""
        return tuple.__new__(cls, values)

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        found = tuple.__getitem__(self, key)
        return package.of(found) if isinstance(key, slice) else found

    def __add__(self, other: tuple[Any, ...]) -> package:
        return package.of(tuple.__add__(self, other))


class kwargs(dict[str, Any]):
    """Keyword arguments: ``kwargs(a=1)``."""


class arguments:
    """Positions and keywords together.

    Parameters
    ----------
    args : tuple, list or object, optional
        Positions; anything but a tuple or list is the one position.
    kw : mapping, optional
        Keywords.
    """

    __slots__ = ("args", "kw")

    def __init__(self, args: Any = (), kw: Mapping[str, Any] | None = None) -> None:
        if kw is not None and not isinstance(kw, Mapping):
            raise ArgumentError(
                f"The keywords of arguments() are a dict, not {type(kw).__name__}.", "", "Write arguments((1, 2), dict(a=3)), or package(1, 2)."
            )
        self.args = package() if args is None else package.of(args) if isinstance(args, tuple | list) else package.of((args,))
        self.kw = kwargs(kw or {})

    def append(self, value: Any) -> Self:
        """Add one value; a carrier's contents are added to their own kind."""
        if isinstance(value, arguments):
            self.args, self.kw = self.args + value.args, kwargs(self.kw, **value.kw)
        elif isinstance(value, package):
            self.args = self.args + value
        elif isinstance(value, kwargs):
            self.kw = kwargs(self.kw, **value)
        else:
            self.args = package.of((*self.args, value))
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, arguments) and (self.args, self.kw) == (other.args, other.kw)

    __hash__ = None  # type: ignore[assignment]  # as for lists: it can change

    def __repr__(self) -> str:
        return f"arguments({tuple(self.args)!r}, {dict(self.kw)!r})"


NOTHING: package = package.of(())


def collected(args: Sequence[Any]) -> Any:
    """The arguments of a call as one value."""
    return args[0] if len(args) == 1 else package.of(args)


def spread(value: Any, kw: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A value and further keywords as the arguments of a call."""
    kind = value.__class__
    if kind is package:
        return value, kw
    if kind is kwargs:
        return (), {**value, **kw}
    if kind is arguments:
        return value.args, {**value.kw, **kw}
    return (value,), kw


def positions(value: Any, kw: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A value and further keywords where the value of a flow is positions only: keywords that it carries join the others."""
    if value.__class__ is kwargs:
        return NOTHING, {**value, **kw}
    if value.__class__ is arguments:
        return (value.args[0] if len(value.args) == 1 else value.args), {**value.kw, **kw}
    return value, kw
