"""What a user chose to fine-tune or serve with: a backend's name and its arguments, checked when given.

Knows the registry and that a backend names its arguments; does not know any backend.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ... import registry
from ...core.options import Option, named_options, options_of
from ...errors import ArgumentError, unknown_argument

Group = str  # "finetune" or "deploy"
AUTO, NONE = "auto", "none"


@dataclass(frozen=True, slots=True)
class Method:
    """A backend of a registry group, by name, and the arguments for it under its own names."""

    group: Group
    name: str = AUTO
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def backend(self) -> Any:
        """The backend."""
        return registry.get(self.group, self.name)()

    @property
    def options(self) -> list[Option]:
        """The options among the arguments."""
        return options_of(self.arguments)

    def settled(self) -> dict[str, Any]:
        """The arguments, for a job: an option that stands for several values has no place in one.

        Raises
        ------
        ArgumentError
            When there is one.
        """
        if found := named_options(self.arguments):
            what = f"The {self.group} method has options for {', '.join(name for name, _ in found)}."
            raise ArgumentError(what, "One run takes one value of each.", "Write wb.TrialModule(m).update() to try them all, or give one value.")
        return dict(self.arguments)


def method(group: Group, chosen: Any, arguments: Mapping[str, Any], own: frozenset[str] = frozenset()) -> Method:
    """The method for what was written: ``(backend, **arguments)`` or ``((backend, {…}))``; a backend is a class or a name, and None is
    none at all.

    Parameters
    ----------
    own : frozenset of str
        Names that the module itself takes, besides the backend's arguments.
    """
    if isinstance(chosen, tuple):
        if len(chosen) != 2 or not isinstance(chosen[1], Mapping) or arguments:
            raise ArgumentError(f"A {group} method in a tuple is (method, {{arguments}}).", "", f"Write .{group}_method((method, {{…}})).")
        chosen, arguments = chosen
    if chosen is None:
        if arguments:
            raise ArgumentError(f"No {group} method takes no arguments.", f"{', '.join(arguments)} was given.", "Name the method, or leave them out.")
        return Method(group, NONE)
    found = Method(group, _name(group, chosen), {plain(name) if plain(name) in own else name: value for name, value in arguments.items()})
    _check(found, own)
    return found


def _name(group: Group, chosen: Any) -> str:
    """The registry's name for a class, an object or a name; ``module:attribute`` for a class that nobody registered."""
    if isinstance(chosen, str):
        if ":" in chosen:
            return chosen
        try:
            chosen = getattr(importlib.import_module(f"workbench.{group}"), chosen.removeprefix(f"{group}."))
        except AttributeError as e:
            cause, listed, _ = str(e).partition("; it has ")  # all of them stand in the fix
            raise ArgumentError(f"There is no {group} method {chosen!r}.", "" if listed else cause, _choices(group)) from None
    kind = chosen if isinstance(chosen, type) else type(chosen)
    name = getattr(kind, "name", None)
    if name == AUTO:
        return AUTO
    if not isinstance(name, str) or not hasattr(kind, "arguments"):
        raise ArgumentError(f"{chosen!r} is no {group} method.", "", _choices(group))
    return name if name in registry.names(group) else f"{kind.__module__}:{kind.__qualname__}"


def _choices(group: Group) -> str:
    return "Choose one of: " + ", ".join(f"wb.{group}.{n}" for n in [AUTO, *registry.names(group)]) + "."


def plain(name: str) -> str:
    """An argument's name without a command line's dashes."""
    return name.strip("-").replace("-", "_")


def settled(method: Method, own: Collection[str] = ()) -> dict[str, Any]:
    """A method's arguments under the backend's own names: peers' short names and dashes are taken where the backend takes them.

    Raises
    ------
    ArgumentError
        For a name that the backend does not know, with the nearest one, ``own`` among them; of `auto`, for one that no backend knows.
    """
    backend = None if method.name == AUTO else method.backend
    if getattr(backend, "takes_any", False):
        return dict(method.arguments)
    known = known_arguments(method)
    settle = getattr(backend, "settle", None)
    for name in method.arguments:
        if (name if backend is not None and settle is None else plain(name)) not in known:
            raise _unknown(method, backend, name, {*known, *own})
    return dict(settle(method.arguments)) if settle is not None else dict(method.arguments)


def _unknown(method: Method, backend: Any, name: str, known: Collection[str]) -> ArgumentError:
    """The error for an argument that nobody knows: an engine also knows names that it had once, and those of other frameworks' engines."""
    if (tell := getattr(backend, "unknown", None)) is not None:
        told: ArgumentError = tell(name, known)
        return told
    where = f"{method.group}.{method.name.rpartition(':')[2]}"
    if method.group == "deploy":
        from ...deploy import retired

        if instead := retired.instead(name):
            return ArgumentError(f"{where} takes no argument {name!r}.", "", instead)
    return unknown_argument(where, name, known)


def _check(method: Method, own: frozenset[str]) -> None:
    """Refuse an argument that the backend does not know; of `auto`, one that none of the backends knows."""
    given = {name: value for name, value in method.arguments.items() if name not in own}
    if not given:
        return
    given = settled(replace(method, arguments=given), own)
    check = None if method.name == AUTO else getattr(method.backend, "check_arguments", None)
    if check is not None:
        for values in _tried(given):
            check(values)


def _tried(arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments with the current value of each option, and then with each further value of each, so that every one is seen."""
    now = copy.deepcopy(dict(arguments))  # a copy of an option is its value
    yield now
    for name, value in arguments.items():
        if isinstance(value, Option):
            for other in value.values[1:]:
                yield {**now, name: other}


def known_arguments(method: Method) -> set[str]:
    """Names of the arguments a method takes."""
    names = registry.names(method.group)
    backends = [method.backend] if method.name != AUTO else [registry.get(method.group, name)() for name in names]
    return {argument for backend in backends for argument in _arguments(backend)}


def _arguments(backend: Any) -> Iterable[str]:
    """What a backend takes, and every other spelling of it; nothing where a plugin's does not tell."""
    tell = getattr(backend, "known", None) or getattr(backend, "arguments", None)
    return tell() if tell is not None else ()
