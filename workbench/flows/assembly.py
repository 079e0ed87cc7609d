"""Building a flow: items and their names, the ``with`` form, what survives copying.

Does not know what a flow does with its items.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextvars import ContextVar
from types import FrameType
from typing import Any, ClassVar, Self

from ..errors import FlowArgumentError, FlowError, nearest
from . import building, tree
from .background import Background
from .binding import bind
from .items import Function, Step, checked, is_flow, wrapped

_building: ContextVar[tuple[Assembly, ...]] = ContextVar("workbench_flows_being_built", default=())


class FlowMeta(type):
    """A bind of a flow counts as an instance of the flow's class."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if type(instance) is bind:
            instance = instance._f
        return super().__instancecheck__(instance)


class Assembly(metaclass=FlowMeta):
    """A flow while it is built: its items, their names, the flow around it."""

    flow_kind: ClassVar[str] = "flow"
    _word: ClassVar[str] = "step"

    flow_id: str
    _items: list[Any]
    _item_names: list[str]
    _father: Assembly | None

    def __init__(self, *items: Any, post_action: Callable[..., Any] | None = None, auto_capture: bool = False, **named: Any) -> None:
        if len(items) == 1 and isinstance(items[0], list | tuple):
            items = tuple(items[0])
        if items and named:
            near = nearest(next(iter(named)), self._options())
            raise FlowArgumentError(
                f"Cannot provide args and kwargs at the same time: {self.flow_kind}() got items with and without names.",
                f"{near!r} is an argument it knows." if near else "",
                "Give all items a name, or none.",
            )
        own = self.__dict__
        own.update(flow_id=uuid.uuid4().hex, _items=[], _item_names=[], _father=None, _open=None, _name="", _hooks=[], _sync=True)
        own.update(_prepared=None, _auto=auto_capture, _background=Background())
        own["_post"] = None if post_action is None else Step(checked(post_action, f"The post_action of this {self.flow_kind}"))
        for item in items:
            self._add("", item)
        for name, item in named.items():
            self._add(name, item)

    @classmethod
    def _options(cls) -> list[str]:
        return ["post_action", "auto_capture"]

    # ---- building

    def _add(self, name: str, item: Any) -> None:
        if name:
            self._check_name(name)
        item = checked(item, f"Item {name!r} of this {self.flow_kind}" if name else f"Item {len(self._items) + 1} of this {self.flow_kind}")
        self._items.append(wrapped(item, self.flow_id, len(self._items)))
        self._item_names.append(name)
        self._adopt(item, name)
        self.__dict__["_prepared"] = None

    def _adopt(self, item: Any, name: str) -> None:
        target = item._target() if type(item) is bind else item
        if is_flow(target):
            target.__dict__["_father"] = self
            target.__dict__["_name"] = name

    def _check_name(self, name: str) -> None:
        if name in self._item_names:
            raise FlowArgumentError(f"Duplicated name: {name}", "An item has that name.", "Give every item a name of its own.")
        if name.startswith("_") or hasattr(type(self), name) or name in self.__dict__:
            raise FlowArgumentError(
                f"An item cannot be called {name!r}.",
                f"Names begin with a letter and are none of what a {self.flow_kind} has itself.",
                f"Name it {name.strip('_')}_ or {name.strip('_')}_step.",
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if self._open is None:
            raise FlowError(
                f"{name!r} cannot be set: this {self.flow_kind} is complete.",
                "Items are set in its `with` block.",
                f"Move it there: p.{name} = …",
            )
        self._add(name, value)

    def __getattr__(self, name: str) -> Any:
        names = self.__dict__.get("_item_names", ())
        if name in names and not name.startswith("__"):
            return self._items[names.index(name)]
        near = nearest(name, [*names, *(n for n in dir(type(self)) if n[0] != "_")]) if not name.startswith("_") else ""
        raise AttributeError(
            f"This {self.flow_kind} has no item or attribute {name!r}." + (f" Did you mean {near!r}?" if near else ""), name=name, obj=self
        )

    def __enter__(self) -> Self:
        if self._items:
            raise FlowArgumentError(
                f"This {self.flow_kind} has items already.", "The `with` form begins with an empty one.", f"Write: with {self.flow_kind}() as p:"
            )
        frame = building.caller()
        self.__dict__["_open"] = (frame, frame.f_lasti if frame is not None else 0, _building.get())
        _building.set((*_building.get(), self))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        frame, begin, outer = self._open
        _building.set(outer)
        try:
            if kind is None and self._auto and frame is not None:
                self._capture(frame, begin)
        finally:
            self.__dict__["_open"] = None
        if kind is None:
            self._register(frame, outer)
            self._prepare()

    def _capture(self, frame: FrameType, begin: int) -> None:
        for name in building.stored(frame, begin, frame.f_lasti):
            value = building.value_of(name, frame)
            if value is not self and callable(value) and name not in self._item_names and not any(value is i for i in self._items):
                self._add(name, value)

    def _register(self, frame: FrameType | None, outer: tuple[Assembly, ...]) -> None:
        """A flow that is built in the block of another one, in the same code, becomes its item under the variable's name."""
        name = building.name_of(self, frame)
        if self._father is not None or not outer or outer[-1]._open is None or outer[-1]._open[0] is not frame:
            self.__dict__["_name"] = self._name or name
        elif name and not outer[-1]._auto:
            outer[-1]._add(name, self)

    def _prepare(self) -> Any:
        """What `_steps` works with, made once the items are complete."""
        if self._prepared is None:
            self.__dict__["_prepared"] = self._made()
        return self._prepared

    def _made(self) -> Any:
        return tuple(Step(i) for i in self._items)

    def _number(self, name: str) -> int:
        if name not in self._item_names:
            raise tree.unknown_item(self, name)
        return self._item_names.index(name)

    def _number_of(self, value: Any) -> int | None:
        """The number of the item that ``value`` is."""
        if isinstance(value, Function):
            return value._item if value._flow_id == self.flow_id else None
        if not callable(value):
            return None
        found = [i for i, item in enumerate(self._items) if item is value or (self._auto and getattr(item, "_f", None) is value)]
        if len(found) > 1:
            raise FlowArgumentError(f"{value!r:.80} is an item of this {self.flow_kind} {len(found)} times.", "", "Say which one: p.output('name').")
        return found[0] if found else None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_father": None, "_open": None, "_prepared": None, "_background": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _background=Background())
        for item, name in zip(self._items, self._item_names, strict=True):
            self._adopt(item, name)
