"""What the steps of a slice expression pick out of data, and what is said where the data have not what is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import FormatError, nearest
from .steps import Every, Fields, Key, One, Several, Step, written

Place = tuple[Any, Any] | None
"""Where the data stand: the place of what holds them, and their key there. Written out only for an error."""


def pick(data: Any, steps: tuple[Step, ...], where: Place = None) -> Any:
    """What the steps pick, one after the other; what follows a step that picks several works on each.

    Raises
    ------
    FormatError
        When the data have not what is asked for; it names the place, and the nearest key.
    """
    for number, step in enumerate(steps):
        if isinstance(step, One):
            data, where = _item(data, step.key, where), (where, step.key)
            continue
        rest = steps[number + 1 :]
        if isinstance(step, Fields):
            if not isinstance(data, Mapping):
                raise _misfit(data, str(step), where, "a dict")
            chosen = list(data) if step.keys is None else [_key(data, key, where) for key in step.keys]
            return {k: pick(data[k], rest, (where, k)) if rest else data[k] for k in chosen}
        if isinstance(step, Several):
            picked = [_item(data, key, where) for key in step.keys]
            names: Iterable[Any] = step.keys
        else:
            picked, names = _every(data, step, where)
        return _like(data, [pick(item, rest, (where, name)) for item, name in zip(picked, names, strict=True)] if rest else picked)
    return data


def _item(data: Any, key: Key, where: Place) -> Any:
    if isinstance(data, Mapping):
        return data[_key(data, key, where)]
    if not isinstance(data, list | tuple):
        raise _misfit(data, f"[{written(key)}]", where, "a list or dict")
    if not isinstance(key, int):
        raise FormatError(
            f"The list{_at(where)} has no key {key!r}.",
            f"It is a list of {len(data)} items.",
            f"Write [:][{written(key)}] for every item's, or [0][{written(key)}] for the first's.",
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
    raise FormatError(f"The dict{_at(where)} has no key {key!r}.", has, f"Write [{written(near)}]." if near else "Choose one of its keys.")


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
        path = f"[{written(key if isinstance(key, int) else str(key))}]{path}"
    return f" at {path}" if path else ""
