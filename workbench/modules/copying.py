"""A deep copy of a module tree: the same wishes, a life of its own. Nothing that runs is copied: a copy is neither trained nor
deployed nor evaluated. An `Option` becomes its current value. Does not know what the attributes of a module mean.
"""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

from ..core.options import Option
from . import usage, wishes

if TYPE_CHECKING:
    from .base import ModuleBase

SHARED = frozenset({"_trainset", "_validset", "_evalset", "_wishes"})  # rows: large, and never changed by a module


def copied(module: ModuleBase, memo: dict[int, Any]) -> ModuleBase:
    """What ``copy.deepcopy(module)`` gives."""
    other = object.__new__(type(module))
    memo[id(module)] = other
    for name, value in vars(module).items():
        vars(other)[name] = _value(name, value, memo)
    other.module_id = uuid.uuid4().hex[:12]
    other.usage = other.last_usage = usage.ZERO
    other._usage_in = {}
    other.eval_result = other._evaluation = None
    usage.known_as(other)
    wishes.granted(other)
    return other


def _value(name: str, value: Any, memo: dict[int, Any]) -> Any:
    if name in SHARED:
        return value.current if isinstance(value, Option) else value
    try:
        return copy.deepcopy(value, memo)
    except (TypeError, NotImplementedError):  # a lock, a connection, a generator: what cannot be copied is shared
        return value
