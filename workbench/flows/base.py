"""`FlowBase`: a callable made of callables. Calls, hooks, the tree; what a flow does with its items is `_steps`.

Knows no module: objects that have ``module_id`` and ``submodules`` are found for those who do.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Self

from .. import registry
from ..errors import FlowArgumentError
from ..runtime.network.pulse import pulse
from . import building, picture, places, tree
from .assembly import Assembly
from .binding import Frame, bind
from .carriers import collected, positions, spread
from .driving import Steps, adrive, drive
from .items import run

Bind = bind  # inside the class that name is the method


class FlowBase(Assembly):
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

    # ---- calling

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        raise NotImplementedError(f"A {self.flow_kind} does not say what it does with its items.")

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
            places.passed(e, f"{self.flow_kind} post_action")
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
        except BaseException as e:
            places.named(e, self.flow_kind, self._name or building.name_of(self, building.caller()))
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
            with pulse():
                return await adrive(self._enter(collected(args), kwargs, None))
        except BaseException as e:
            places.named(e, self.flow_kind, self._name)
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
        flow: Any = self
        while flow._father is not None:
            flow = flow._father
        return flow  # type: ignore[no-any-return]

    def id(self, item: Any = None) -> str:
        """The id of an item, given itself or by name: its name, else its number; of nothing, the flow's own."""
        if item is None:
            return self.flow_id
        if isinstance(item, str):
            return item
        number = self._number_of(item)
        if number is None:
            raise FlowArgumentError(f"{item!r} is no item of this {self.flow_kind}.", "", "Give p.name, or the object that was set.")
        return self._item_names[number] or str(number)

    def _parts(self) -> Iterator[Any]:
        """Everything that is called: the items, then conditions and the like."""
        yield from self._items
        if self._post is not None:
            yield self._post.item

    def for_each(self, filter: Callable[[Any], Any], action: Callable[[Any], Any]) -> None:
        """Do ``action`` with every item, those of flows inside included, that ``filter`` accepts; of a bind with what it binds."""
        for item in tree.leaves(self):
            if filter(item):
                action(item)

    def held_modules(self) -> list[Any]:
        """Every module in the flow, each once."""
        return tree.held(self)

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

    def _told(self) -> str:
        return f"{self.flow_kind} {self._name!r}" if self._name else f"This {self.flow_kind}"

    def _repr_html_(self) -> str:
        return picture.boxes(self)
