"""What hangs together: the modules inside a module's attributes, and the tree as text. Knows no calls and no life."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import ModuleBase


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


def text(module: ModuleBase) -> str:
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
