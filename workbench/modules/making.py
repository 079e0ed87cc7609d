"""What every module gets without its author writing anything: builder methods, the modules inside its attributes, options,
a place for its errors, and the tree as text.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..core.options import Option, options_of
from ..errors import ArgumentError, WorkbenchError
from .wishes import wished

if TYPE_CHECKING:
    from .base import ModuleBase
    from .usage import Call


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


def add_builders(cls: type) -> None:
    """A method for each of the class's own ``builder_keys``, unless it has one."""
    for key in cls.__dict__.get("builder_keys", ()):
        slot = f"_{key.removesuffix('_method')}"
        if not hasattr(cls, key):
            setattr(cls, key, _builder(key, slot))
        for name, unset in ((slot, None), (f"{slot}_args", {})):
            if not hasattr(cls, name):
                setattr(cls, name, unset)


def _builder(key: str, slot: str) -> Callable[..., Any]:
    def build(self: Any, value: Any, **arguments: Any) -> Any:
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping):
            value, arguments = value[0], {**arguments, **value[1]}
        if arguments:
            setattr(self, f"{slot}_args", arguments)
        setattr(self, slot, value)
        changed = getattr(self, f"{slot}_setter_hook", None)
        if changed is not None:
            changed()
        return self

    build.__name__ = build.__qualname__ = key
    build.__doc__ = f"Set {key!r}; keyword arguments, or ``(value, {{…}})``, are its arguments. Returns the module."
    return build


def spread(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call whose first one is a flow's carrier of keyword arguments."""
    from ..flows import kwargs as carrier

    return (args[1:], {**args[0], **kwargs}) if isinstance(args[0], carrier) else (args, kwargs)


def held(values: Iterable[Any]) -> list[ModuleBase]:
    """The modules among some values, and those inside flows and binds among them; each once."""
    from .base import ModuleBase

    found: dict[ModuleBase, None] = {}
    for value in values:
        if issubclass(type(value), ModuleBase):  # a bind says that it is an instance of what it binds
            found[value] = None
        elif not isinstance(value, type) and (inside := getattr(value, "held_modules", None)) is not None:
            found.update(dict.fromkeys(m for m in inside() if isinstance(m, ModuleBase)))
    return list(found)


def own_options(module: ModuleBase) -> list[Option]:
    """The options among a module's attributes, and in those that hold arguments: dicts called ``…_args``."""
    found: list[Option] = []
    for name, value in vars(module).items():
        if isinstance(value, Option) or (name.endswith("_args") and isinstance(value, Mapping)):
            found += options_of(value)
    return [*found, *module._method_options(), *(option for _, option in wished(module))]


def place(error: BaseException, call: Call) -> None:
    """Say once which module of which tree an error comes from. The error keeps its type."""
    if getattr(error, "_workbench_placed", False) or not isinstance(error, Exception):
        return
    path = call.path
    if len(path) > 1 or not isinstance(error, WorkbenchError):
        error.add_note(f"In the module {' ▸ '.join(path)}.")
    try:
        error._workbench_placed = True  # type: ignore[attr-defined]
    except AttributeError:
        return  # an exception with slots is told by every module on the way


def tree(module: ModuleBase) -> str:
    """The module and all below it, a line each; one that stands there already is not opened again."""
    lines: list[str] = []
    seen: set[str] = set()

    def walk(m: ModuleBase, first: str, rest: str) -> None:
        again = m.module_id in seen
        seen.add(m.module_id)
        below = [] if again else m.submodules
        lines.append(f"{first}{m!r}{' (see above)' if again and m.submodules else ''}")
        for i, child in enumerate(below):
            last = i == len(below) - 1
            walk(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))

    walk(module, "", "")
    return "\n".join(lines)
