"""Builder methods take an `Option` wherever they take a value: the call is kept, the first value stands until one is chosen, and a
copy of the module makes the call again with the chosen one. A constructor takes none. Does not know what any builder method does.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..core.options import Option, named_options, options_of
from ..errors import ArgumentError

if TYPE_CHECKING:
    from .base import ModuleBase

F = TypeVar("F", bound=Callable[..., Any])
Wish = tuple[tuple[Any, ...], dict[str, Any]]


def tries(method: F) -> F:
    """Let a builder method take options: as an argument, or inside one that is a tuple or a dict."""

    @functools.wraps(method)
    def build(self: ModuleBase, *args: Any, **kwargs: Any) -> Any:
        name = method.__name__
        kept = {k: v for k, v in self._wishes.items() if k != name}
        if _concerns(name, args, kwargs):
            kept[name] = (args, kwargs)
            args, kwargs = copy.deepcopy(args), copy.deepcopy(kwargs)  # a copy of an option is its value
        result = method(self, *args, **kwargs)
        self._wishes = kept
        return result

    return cast(F, build)


def _concerns(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """A backend's arguments keep options by themselves (`methods`); which backend it is to be is told here."""
    return isinstance(args[0] if args else None, Option) if name.endswith("_method") else bool(_named(args, kwargs))


def granted(module: ModuleBase) -> None:
    """Make the kept calls of a fresh copy with the values that are current now."""
    wishes, module._wishes = module._wishes, {}
    for name, (args, kwargs) in wishes.items():
        getattr(module, name)(*copy.deepcopy(args), **copy.deepcopy(kwargs))


def wished(module: ModuleBase) -> list[tuple[str, Option]]:
    """The options in the kept calls, by method and argument: ``prompt``, ``deploy.port``."""
    return [found for name, (args, kwargs) in module._wishes.items() for found in _named(args, kwargs, name.removesuffix("_method"))]


def _named(args: tuple[Any, ...], kwargs: Mapping[str, Any], name: str = "") -> list[tuple[str, Option]]:
    """Rows and other lists are not looked into: they may be long, and an option in one would be no option."""
    found = [o for value in args if isinstance(value, Option | tuple | Mapping) for o in named_options(value, name)]
    for key, value in kwargs.items():
        if isinstance(value, Option | tuple | Mapping):
            found += named_options(value, f"{name}.{key}" if name else key)
    return found


def refuse_options(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """An `Option` belongs into a method's arguments; a constructor takes one only where its annotation says so."""
    if not any(isinstance(v, Option) for v in (*args, *kwargs.values())):
        return
    named = inspect.signature(cls.__init__).parameters  # type: ignore[misc]  # only looked at
    positional = list(named)[1:]
    for name, value in [*zip(positional, args, strict=False), *kwargs.items()]:
        taken = named.get(name)
        if isinstance(value, Option) and (taken is None or "Option" not in str(taken.annotation)):
            fix = f"Give options to the methods, such as .finetune_method(…, {name}=Option(…)), or one value here."
            raise ArgumentError(f"{cls.__name__} cannot take an Option as {name!r}.", "A module is made of one value.", fix)


def own_options(module: ModuleBase) -> list[Option]:
    """The options among a module's attributes, and in those that hold arguments: dicts called ``…_args``."""
    found: list[Option] = []
    for name, value in vars(module).items():
        if isinstance(value, Option) or (name.endswith("_args") and isinstance(value, Mapping)):
            found += options_of(value)
    return [*found, *module._method_options(), *(option for _, option in wished(module))]
