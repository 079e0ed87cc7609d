"""What a flow is made of: its items, as the user gave them and as they are called.

Knows how to call a function, a flow and a bind. Does not know which flow does what.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Sequence
from typing import Any

from ..errors import FlowArgumentError
from .binding import Frame, Reference, Selection, bind
from .carriers import collected, spread
from .driving import Steps

_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodDescriptorType, functools.partial, type)


class Function:
    """A function as an item of one flow: the same function twice is two items, so that each can be told from the other in a bind.

    Called, or asked for an attribute, it is the function.
    """

    def __init__(self, function: Any, flow_id: str, number: int) -> None:
        self._f, self._flow_id, self._item = function, flow_id, number

    def _as_reference(self) -> Reference:
        return Reference(self._flow_id, self._item)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._f(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "_f":
            raise AttributeError(name)
        return getattr(self._f, name)

    def __getitem__(self, key: Any) -> Any:
        """For binds: select inside what it returns, ``p.name[0]``."""
        return self._as_reference()[key]

    def __or__(self, other: Any) -> Any:
        return self._f | other

    def __repr__(self) -> str:
        return f"<Function {getattr(self._f, '__name__', repr(self._f))}>"


def checked(item: Any, where: str) -> Any:
    """An item that can be called; a class whose objects can be called is made an object.

    Raises
    ------
    FlowArgumentError
        When it cannot be called.
    """
    if isinstance(item, Function):
        item = item._f
    if isinstance(item, type) and any("__call__" in vars(c) for c in item.__mro__):
        return item()
    if not callable(item) or isinstance(item, Selection):
        kind = "None" if item is None else f"{type(item).__name__}: {item!r:.60}"
        raise FlowArgumentError(
            f"{where} cannot be called ({kind}).", "Items of a flow are functions, modules, flows and binds.", "Give something callable."
        )
    return item


def is_flow(item: Any) -> bool:
    """Whether it is a flow itself, not a bind of one."""
    return type(item) is not bind and hasattr(type(item), "_enter")


def is_module(item: Any) -> bool:
    """Whether it is a module."""
    return not isinstance(item, bind | Selection | type) and hasattr(item, "module_id") and hasattr(item, "submodules")


def wrapped(item: Any, flow_id: str, number: int) -> Any:
    """What the flow shows of an item."""
    return Function(item, flow_id, number) if isinstance(item, _FUNCTIONS) else item


CALL, FLOW, BOUND = range(3)


class Step:
    """An item, prepared for being called.

    Parameters
    ----------
    item : callable
        As `checked` gave it.
    """

    __slots__ = ("inner", "item", "kind")

    def __init__(self, item: Any) -> None:
        self.item = item._f if isinstance(item, Function) else item
        self.kind = BOUND if type(self.item) is bind else FLOW if is_flow(self.item) else CALL
        self.inner = Step(self.item._target()) if self.kind == BOUND else None


def run(step: Step, value: Any, kwargs: dict[str, Any], frame: Frame | None, owner: str = "") -> Steps:
    """Give a step its input.

    Parameters
    ----------
    value, kwargs : object, dict
        A carrier is spread where the step is not a flow.
    frame : Frame or None
        The innermost pipeline that runs.
    owner : str, optional
        The ``flow_id`` of the pipeline whose direct member it is.
    """
    if step.kind == FLOW:
        return (yield from step.item._enter(value, kwargs, frame))
    args, kwargs = spread(value, kwargs)
    return (yield from call(step, args, kwargs, frame, owner))


def call(step: Step, args: Sequence[Any], kwargs: dict[str, Any], frame: Frame | None, owner: str = "") -> Steps:
    """Call a step with exactly these arguments."""
    if step.kind == BOUND:
        args, kwargs = step.item.arguments(args, kwargs, frame, owner)
        assert step.inner is not None
        return (yield from call(step.inner, args, kwargs, frame, owner))
    if step.kind == FLOW:
        return (yield from step.item._enter(collected(args), kwargs, frame))
    return (yield step.item, args, kwargs)
