"""``builder_keys``: names for which a class gets methods that keep a value and return the module, as `TrainableModule`'s do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


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
