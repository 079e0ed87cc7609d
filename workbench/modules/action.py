"""`ActionModule`: functions and flows as a module, so that they can be served, evaluated, and started with the modules inside."""

from __future__ import annotations

from typing import Any

from ..flows import FlowBase, pipeline
from ..flows.items import is_flow
from .base import ModuleBase


class ActionModule(ModuleBase):
    """A module whose call is a call of what it is given.

    Parameters
    ----------
    *action : callable
        A flow, or one or more callables (also as one list), which become a pipeline.
    return_trace : bool, optional
        See `ModuleBase`.

    Attributes
    ----------
    action : FlowBase
        The flow; the modules in it are this module's submodules.

    Examples
    --------
    >>> ActionModule(str.strip, len)('  four  ')
    4
    """

    def __init__(self, *action: Any, return_trace: bool = False) -> None:
        super().__init__(return_trace=return_trace)
        if len(action) == 1 and isinstance(action[0], list | tuple):
            action = tuple(action[0])
        is_one_flow = len(action) == 1 and is_flow(action[0])
        self.action: FlowBase = action[0] if is_one_flow else pipeline(*action)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the flow."""
        return self.action(*args, **kwargs)

    async def aforward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the flow without blocking the event loop."""
        return await self.action.acall(*args, **kwargs)

    @property
    def submodules(self) -> list[ModuleBase]:
        """The modules in the flow, nested ones included."""
        return self.action.held_modules()

    def __repr__(self) -> str:
        return f"<Module type={type(self).__name__} name={self.name}>\n{self.action!r}"
