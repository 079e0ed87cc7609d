"""What the body of a request says: the arguments of a call. Knows no function.

A body is either the input itself, any JSON value, or a *call*: an object that has ``input``, ``args`` or ``kwargs`` and no other
keys. ``input`` comes before ``args``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.core import wire
from workbench.errors import ArgumentError

_KEYS = {"input", "args", "kwargs"}


@dataclass(frozen=True, slots=True)
class Given:
    """What a call was given. ``plain`` is a body that is the input itself."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    plain: bool = False


def given(body: bytes) -> Given:
    """What a body says.

    Raises
    ------
    ArgumentError
    """
    if not body.strip():
        return Given((), {})
    value = wire.parse(body)
    if not isinstance(value, dict) or not value or not value.keys() <= _KEYS:
        return Given((wire.decode(value),), {}, plain=True)
    args, kwargs = value.get("args", []), value.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise ArgumentError('The body is no call: "args" must be a list and "kwargs" an object.', "", 'Send {"args": […], "kwargs": {…}}.')
    first = [value["input"]] if "input" in value else []
    return Given(tuple(wire.decode(v) for v in (*first, *args)), {k: wire.decode(v) for k, v in kwargs.items()})
