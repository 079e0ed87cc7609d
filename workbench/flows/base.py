"""`FlowBase`: a callable made of callables. Building, names, the tree, hooks, calls; what a flow does with its items is `_steps`.

Knows no module: objects that have ``module_id`` and ``submodules`` are found for those who do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any, ClassVar, Self

from .. import registry
from ..errors import FlowArgumentError, FlowError, nearest
from . import building, picture, places
from .background import Background
from .binding import Frame, bind
from .carriers import collected, positions, spread
from .driving import Steps, adrive, drive
from .items import Function, Step, checked, is_flow, is_module, run, wrapped

Bind = bind  # inside the class that name is the method
_building: ContextVar[tuple[FlowBase, ...]] = ContextVar("workbench_flows_being_built", default=())


class FlowMeta(type):
    """A bind of a flow counts as an instance of the flow's class."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if type(instance) is Bind:
            instance = instance._f
        return super().__instancecheck__(instance)


class FlowBase(metaclass=FlowMeta):
    """Base of all flows.

    Parameters
    ----------
    *items : callable
        Functions, modules, flows and binds, or one list of them; a class is made an object where its objects can be called.
    post_action : callable, optional
        Called with the output at the end; what it returns is dropped.
    auto_capture : bool, optional
        In the ``with`` form: whatever callable gets a name in the block becomes an item.
    **named : callable
        The items with names, instead of those without.

    Attributes
    ----------
    flow_id : str
        Its own, in this process.

    Raises
    ------
    FlowArgumentError
        An item that cannot be called, a name that is given twice or that the flow itself uses.
    """

    kind: ClassVar[str] = "flow"
    _word: ClassVar[str] = "step"

    flow_id: str
    _items: list[Any]
    _item_names: list[str]
    _father: FlowBase | None

    def __init__(self, *items: Any, post_action: Callable[..., Any] | None = None, auto_capture: bool = False, **named: Any) -> None:
        if len(items) == 1 and isinstance(items[0], list | tuple):
            items = tuple(items[0])
        if items and named:
            near = nearest(next(iter(named)), self._options())
            raise FlowArgumentError(
                f"Cannot provide args and kwargs at the same time: {self.kind}() got items with and without names.",
                f"{near!r} is an argument it knows." if near else "",
                "Give all items a name, or none.",
            )
        own = self.__dict__
        own.update(flow_id=uuid.uuid4().hex, _items=[], _item_names=[], _father=None, _open=None, _name="", _hooks=[], _sync=True)
        own.update(_prepared=None, _auto=auto_capture, _background=Background())
        own["_post"] = None if post_action is None else Step(checked(post_action, f"The post_action of this {self.kind}"))
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
        item = checked(item, f"Item {name!r} of this {self.kind}" if name else f"Item {len(self._items) + 1} of this {self.kind}")
        self._items.append(wrapped(item, self.flow_id, len(self._items)))
        self._item_names.append(name)
        self._adopt(item, name)
        self.__dict__["_prepared"] = None

    def _adopt(self, item: Any, name: str) -> None:
        target = item._target() if type(item) is Bind else item
        if is_flow(target):
            target.__dict__["_father"] = self
            target.__dict__["_name"] = name

    def _check_name(self, name: str) -> None:
        if name in self._item_names:
            raise FlowArgumentError(f"Duplicated name: {name}", f"This {self.kind} has an item of that name.", "Give every item a name of its own.")
        if hasattr(type(self), name) or name in self.__dict__:
            raise FlowArgumentError(
                f"An item cannot be called {name!r}.", f"That is what a {self.kind} calls something of its own.", f"Name it {name}_ or {name}_step."
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        elif self._open is None:
            raise FlowError(
                f"{name!r} cannot be set: this {self.kind} is complete.", "Items are set inside its `with` block.", f"Move it there: p.{name} = …"
            )
        else:
            self._add(name, value)

    def __getattr__(self, name: str) -> Any:
        names = self.__dict__.get("_item_names", ())
        if name in names and not name.startswith("__"):
            return self._items[names.index(name)]
        near = nearest(name, [*names, *(n for n in dir(type(self)) if n[0] != "_")]) if not name.startswith("_") else ""
        raise AttributeError(
            f"This {self.kind} has no item or attribute {name!r}." + (f" Did you mean {near!r}?" if near else ""), name=name, obj=self
        )

    def __enter__(self) -> Self:
        if self._items:
            raise FlowArgumentError(
                f"This {self.kind} has items already.", "The `with` form begins with an empty one.", f"Write: with {self.kind}() as p:"
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

    def _register(self, frame: FrameType | None, outer: tuple[FlowBase, ...]) -> None:
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

    # ---- calling

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        raise NotImplementedError(f"A {self.kind} does not say what it does with its items.")

    def _enter(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        """One run, as a part of ``frame``."""
        value, kwargs = positions(value, kwargs)
        if self._hooks:
            return (yield from self._hooked(value, kwargs, frame))
        output = yield from self._steps(value, kwargs, frame)
        if self._post is not None:
            yield from self._posted(output, frame)
        return output

    def _posted(self, output: Any, frame: Frame | None) -> Steps:
        try:
            yield from run(self._post, output, {}, frame)
        except Exception as e:
            places.passed(e, f"{self.kind} post_action")
            raise

    def _hooked(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        around = registry.get("hooks", "workbench.modules.hooks:Around")(self._hooks, self)
        try:
            args, _ = spread(value, {})
            around.begin(args, kwargs)
            output = yield from self._steps(value, kwargs, frame)
            if self._post is not None:
                yield from self._posted(output, frame)
            around.end(output)
            return output
        except GeneratorExit:
            raise
        except BaseException as e:
            around.failed(e)
            raise
        finally:
            around.finish()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._sync:
            return self._background.begin(self, args, kwargs)
        return self._run(args, kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return drive(self._enter(collected(args), kwargs, None))
        except Exception as e:
            places.named(e, self.kind, self._name or building.name_of(self, building.caller()))
            e.__traceback__ = places.without_machinery(e.__traceback__)
            raise

    def acall(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """``await flow.acall(x)``: the same without blocking the event loop.

        Coroutine functions and modules are awaited, side by side in branches; plain functions run in a thread.
        """
        if not self._name:
            self.__dict__["_name"] = building.name_of(self, building.caller())  # at an error that code is out of sight
        return self._arun(args, kwargs)

    async def _arun(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return await adrive(self._enter(collected(args), kwargs, None))
        except Exception as e:
            places.named(e, self.kind, self._name)
            e.__traceback__ = places.without_machinery(e.__traceback__)
            raise

    def set_sync(self, sync: bool = True) -> Self:
        """False: a call returns at once a future of its result; `wait` waits for all of them."""
        self.__dict__["_sync"] = bool(sync)
        return self

    def wait(self) -> Self:
        """Wait for the calls that run in the background (`set_sync`), and for fine-tuning of its modules; raise their first error."""
        self._background.wait()
        for module in self.held_modules():
            module.wait()
        return self

    def bind(self, *args: Any, **kwargs: Any) -> Bind:
        """``bind(flow, …)``; also as ``with pipeline().bind(x=p.input) as p.sub:``."""
        return Bind(self, *args, **kwargs)

    # ---- hooks

    def register_hook(self, hook: Any) -> Self:
        """Run a hook around every call; see ``ModuleBase.register_hook``."""
        self.__dict__["_hooks"] = [*self._hooks, registry.get("hooks", "workbench.modules.hooks:check")(hook)]
        return self

    def unregister_hook(self, hook: Any) -> Self:
        """Take a hook away again; one that is not there is no error."""
        self.__dict__["_hooks"] = [h for h in self._hooks if h is not hook]
        return self

    def clear_hooks(self) -> Self:
        """Take all hooks away."""
        self.__dict__["_hooks"] = []
        return self

    # ---- the tree

    @property
    def is_root(self) -> bool:
        """Whether it is part of no other flow."""
        return self._father is None

    @property
    def ancestor(self) -> FlowBase:
        """The outermost flow that it is part of; itself when it is the outermost."""
        flow: FlowBase = self
        while flow._father is not None:
            flow = flow._father
        return flow

    def id(self, item: Any = None) -> str:
        """The id of an item, given itself or by name: its name, else its number; of nothing, the flow's own."""
        if item is None:
            return self.flow_id
        if isinstance(item, str):
            return item
        number = self._number_of(item)
        if number is None:
            raise FlowArgumentError(f"{item!r} is no item of this {self.kind}.", "", "Give p.name, or the object that was set.")
        return self._item_names[number] or str(number)

    def _number(self, name: str) -> int:
        if name not in self._item_names:
            raise unknown_item(self, name)
        return self._item_names.index(name)

    def _number_of(self, value: Any) -> int | None:
        """The number of the item that ``value`` is."""
        if isinstance(value, Function):
            return value._item if value._flow_id == self.flow_id else None
        if not callable(value):
            return None
        found = [i for i, item in enumerate(self._items) if item is value or (self._auto and getattr(item, "_f", None) is value)]
        if len(found) > 1:
            raise FlowArgumentError(f"{value!r:.80} is an item of this {self.kind} {len(found)} times.", "", "Say which one: p.output('name').")
        return found[0] if found else None

    def _parts(self) -> Iterator[Any]:
        """Everything that is called: the items, then conditions and the like."""
        yield from self._items
        if self._post is not None:
            yield self._post.item

    def for_each(self, filter: Callable[[Any], Any], action: Callable[[Any], Any]) -> None:
        """Do ``action`` with every item, those of flows inside included, that ``filter`` accepts; of a bind with what it binds."""
        for item in _leaves(self):
            if filter(item):
                action(item)

    def held_modules(self) -> list[Any]:
        """Every module in the flow, each once."""
        leaves = (leaf._f if isinstance(leaf, Function) else leaf for leaf in _leaves(self, bound=True))
        found = (getattr(leaf, "__self__", leaf) for leaf in leaves)  # of a method, whose it is
        return list({id(m): m for m in found if is_module(m)}.values())

    # ---- the life of its modules

    def _as_module(self) -> Any:
        return registry.get("module", "workbench.modules.action:ActionModule")(self)

    def start(self) -> Self:
        """Deploy every module in the flow that has to be served."""
        self._as_module().start()
        return self

    def restart(self) -> Self:
        """`stop`, then `start`."""
        self._as_module().restart()
        return self

    def stop(self) -> None:
        """End the deployments of its modules."""
        self._as_module().stop()

    def update(self, **kwargs: Any) -> Any:
        """Fine-tune, deploy and evaluate its modules; see ``ModuleBase.update``."""
        module = self._as_module()
        result = module.update(**kwargs)
        return self if result is module else result

    def update_server(self) -> Self:
        """Deploy again those of its modules that have changed."""
        self._as_module().update_server()
        return self

    def eval(self) -> Self:
        """Evaluate its modules that have an evaluation set."""
        self._as_module().eval()
        return self

    # ---- showing and keeping

    def __repr__(self) -> str:
        return picture.tree(self)

    def __str__(self) -> str:
        return f"{self.kind} {self._name!r}" if self._name else f"This {self.kind}"

    def _repr_html_(self) -> str:
        return picture.boxes(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_father": None, "_open": None, "_prepared": None, "_background": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _background=Background())
        for item, name in zip(self._items, self._item_names, strict=True):
            self._adopt(item, name)


def unknown_item(flow: FlowBase, name: Any) -> FlowArgumentError:
    """The error for an item that a flow does not have."""
    names = [n for n in flow._item_names if n]
    near = nearest(str(name), names)
    return FlowArgumentError(
        f"{flow!s} has no item {name!r}.", f"{near!r} is the nearest name." if near else "", f"It has: {', '.join(names) or 'no items with names'}."
    )


def _leaves(part: Any, bound: bool = False, seen: set[int] | None = None) -> Iterator[Any]:
    seen = set() if seen is None else seen
    target = part._f if type(part) is Bind else part
    if is_flow(target):
        if id(target) in seen:
            return
        seen.add(id(target))
        parts: Iterable[Any] = target._parts()
        for inner in parts:
            yield from _leaves(inner, bound, seen)
    elif type(target) is Bind:
        yield from _leaves(target, bound, seen)
    else:
        yield target
    if bound and type(part) is Bind:
        for value in (*part._args, *part._kw.values()):
            if is_module(value) or is_flow(value) or type(value) is Bind:
                yield from _leaves(value, bound, seen)
