"""What is inside a flow, however deep. Knows flows by their parts, and modules by their ``module_id``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import FlowArgumentError, nearest
from .binding import bind
from .items import Function, is_flow, is_module


def leaves(part: Any, bound: bool = False, seen: set[int] | None = None) -> Iterator[Any]:
    """Every item of a flow, those of flows inside included, of a bind what it binds.

    Parameters
    ----------
    bound : bool, optional
        Also what binds hold as values.
    """
    seen = set() if seen is None else seen
    target = part._f if type(part) is bind else part
    if is_flow(target):
        if id(target) in seen:
            return
        seen.add(id(target))
        parts: Iterable[Any] = target._parts()
        for inner in parts:
            yield from leaves(inner, bound, seen)
    elif type(target) is bind:
        yield from leaves(target, bound, seen)
    else:
        yield target
    if bound and type(part) is bind:
        for value in (*part._args, *part._kw.values()):
            if is_module(value) or is_flow(value) or type(value) is bind:
                yield from leaves(value, bound, seen)


def held(part: Any) -> list[Any]:
    """Every module in a flow or a bind, each once; of a module's method, that module."""
    found = (leaf._f if isinstance(leaf, Function) else leaf for leaf in leaves(part, bound=True))
    owners = (getattr(leaf, "__self__", leaf) for leaf in found)
    return list({id(m): m for m in owners if is_module(m)}.values())


def unknown_item(flow: Any, name: Any) -> FlowArgumentError:
    """The error for an item that a flow does not have."""
    names = [n for n in flow._item_names if n]
    near = nearest(str(name), names)
    known = ", ".join(names) or "no items with names"
    return FlowArgumentError(
        f"{flow._told()} has no item {name!r}.",
        f"{near!r} is the nearest name." if near else "",
        f"It has: {known}.",
    )
