"""Which module spends which tokens. A call knows the call it runs in, by a context variable that threads and tasks carry
along; what a request took is counted once for every module on that way, and for the modules that were named with `used_by`.

Does not know requests or models.
"""

from __future__ import annotations

import threading
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ..core.messages import Usage
from ..errors import WorkbenchError

if TYPE_CHECKING:
    from .base import ModuleBase

ZERO = Usage()
_lock = threading.Lock()
_known: weakref.WeakValueDictionary[str, ModuleBase] = weakref.WeakValueDictionary()


class Call:
    """A call that runs: of which module (None for one that only gathers), inside which other, and the tokens it has taken."""

    __slots__ = ("module", "outer", "usage")

    def __init__(self, module: ModuleBase | None, outer: Call | None) -> None:
        self.module, self.outer, self.usage = module, outer, ZERO

    @property
    def path(self) -> list[str]:
        """Names of the modules from the outermost call to this one."""
        names: list[str] = []
        call: Call | None = self
        while call is not None:
            if call.module is not None:
                names.append(call.module.name)
            call = call.outer
        return names[::-1]

    def place(self, error: BaseException) -> None:
        """Say once, as a note of the error, which module of which tree it comes from. The error keeps its type."""
        if getattr(error, "_workbench_placed", False) or not isinstance(error, Exception):
            return
        path = self.path
        if len(path) > 1 or not isinstance(error, WorkbenchError):
            error.add_note(f"In the module {' ▸ '.join(path)}.")
        try:
            error._workbench_placed = True  # type: ignore[attr-defined]
        except AttributeError:
            return  # an exception with slots is told by every module on the way


running: ContextVar[Call | None] = ContextVar("workbench_running_call", default=None)


def known_as(module: ModuleBase) -> None:
    """Let a module be found by its id."""
    _known[module.module_id] = module


def parent_id(parent: ModuleBase | str) -> str:
    """A module's id, or the id itself."""
    return parent if isinstance(parent, str) else parent.module_id


def count(usage: Usage, module: ModuleBase, inside: Call | None) -> None:
    """Count what one request of ``module`` took, which was made inside the call ``inside``."""
    with _lock:
        paid = {module.module_id}
        module.usage += usage
        call = inside
        while call is not None:
            call.usage = usage if call.usage is ZERO else call.usage + usage
            if (user := call.module) is not None and user.module_id not in paid:
                paid.add(user.module_id)
                user.usage += usage
            if user is not None and user is not module:
                _note(module, user.module_id, usage)
            call = call.outer
        for parent in module._used_by - paid:
            _note(module, parent, usage)
            if (user := _known.get(parent)) is not None:
                user.usage += usage


def _note(module: ModuleBase, parent: str, usage: Usage) -> None:
    before = module._usage_in.get(parent)
    module._usage_in[parent] = usage if before is None else before + usage
