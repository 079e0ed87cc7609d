"""`ModuleBase`: something callable that may hold others of its kind, and can be trained, deployed and evaluated with them.

Knows calls, the tree, hooks and evaluation sets. Does not know models, jobs' contents or how anything is served: subclasses
override `forward`, and where they train or serve, `_training`, `_train`, `_await_training`, `_deploy` and `_undeploy`.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Self

from .. import registry
from ..core.events import Piece
from ..core.jobs import JobSpec
from ..core.messages import Usage
from ..errors import NotStarted
from ..runtime import loop
from ..runtime.network.pulse import pulse
from . import builder_keys, contents, hooks, life, tree, usage, wishes
from .evaluation import EvalSet, identity
from .streaming.context import listener
from .streaming.outlet import Nothing, Outlet
from .streaming.printing import StreamOption, check_stream
from .usage import Call, running
from .wishes import Wish, tries

if TYPE_CHECKING:
    import pandas as pd

    from ..core.options import Option
    from ..runtime.work.job import Job


class ModuleBase:
    """Base of all modules. Override `forward`; an attribute that is a module becomes a submodule, and so do the modules
    inside an attribute that is a flow.

    Parameters
    ----------
    return_trace : bool, optional
        Add what each call returns to the ``traces`` of the `StreamCallHelper` call it runs in.
    name : str, optional
        What people see; the class's name when empty.

    Attributes
    ----------
    module_id : str
        Its own, in this process.
    eval_result : object
        After `eval` or `update`: an `EvalResult`, or what ``collect_f`` made of the list of outputs. None before.
    usage : Usage
        Tokens so far, of its own requests and of those that other modules made inside its calls.
    last_usage : Usage
        The same for the call that ended last.
    builder_keys : list of str
        On a subclass: names for which a method is made that keeps a value and returns the module; ``m.x(1)`` sets ``_x``, its
        keyword arguments ``_x_args``; of a key ``x_method`` they are ``_x`` and ``_x_args``, too.

    Examples
    --------
    >>> class Twice(wb.ModuleBase):
    ...     def __init__(self, model):
    ...         super().__init__()
    ...         self.model = model
    ...     def forward(self, text):
    ...         return self.model(self.model(text))
    """

    builder_keys: tuple[str, ...] | list[str] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if args or kwargs:
            wishes.refuse_options(cls, args, kwargs)
        self = object.__new__(cls)
        self.module_id = uuid.uuid4().hex[:12]
        self.return_trace = False
        self.eval_result = None
        self.usage = self.last_usage = usage.ZERO
        self._name = ""
        self._hooks = []
        self._evalset = None
        self._evaluation = None
        self._used_by = frozenset()
        self._usage_in = {}
        self._wishes = {}
        usage.known_as(self)
        return self

    module_id: str
    eval_result: Any
    usage: Usage
    last_usage: Usage
    _name: str
    _hooks: list[hooks.HookSource]
    _evalset: EvalSet | None
    _evaluation: Any
    _used_by: frozenset[str]
    _usage_in: dict[str, Usage]
    _wishes: dict[str, Wish]

    def __init__(self, *, return_trace: bool = False, name: str = "") -> None:
        self.return_trace = return_trace
        self._name = name

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        builder_keys.add_builders(cls)

    # ---- calling

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What a call does; may be ``async``."""
        raise NotImplementedError(f"{type(self).__name__} does not say what a call does: it has no 'forward'.")

    async def aforward(self, *args: Any, **kwargs: Any) -> Any:
        """What an awaited call does: `forward`, in a thread where it is not ``async``, unless a subclass has something better."""
        if inspect.iscoroutinefunction(self.forward):
            return await self.forward(*args, **kwargs)
        from ..runtime.threads import in_thread  # not the loop's few threads, which calls that wait for each other use up

        return await in_thread(self.forward, *args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], dict) and type(args[0]) is not dict:
            args, kwargs = contents.spread(args, kwargs)
        call = Call(self, running.get())
        token = running.set(call)
        around = None
        try:
            if self._hooks:
                around = hooks.Around(self._hooks, self)
                around.begin(args, kwargs)
            output = self.forward(*args, **kwargs)
            if type(output) is CoroutineType:
                output = loop.run(output)
            if around is not None:
                around.end(output)
            if self.return_trace:
                self._trace(output)
            return output
        except BaseException as e:
            call.place(e)
            if around is not None:
                around.failed(e)
            raise
        finally:
            running.reset(token)
            self.last_usage = call.usage
            if around is not None:
                around.finish()

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """Call it without blocking the event loop: the same arguments, hooks and result."""
        if args and isinstance(args[0], dict) and type(args[0]) is not dict:
            args, kwargs = contents.spread(args, kwargs)
        call = Call(self, running.get())
        token = running.set(call)
        around = hooks.Around(self._hooks, self)
        try:
            around.begin(args, kwargs)
            with pulse():
                output = await self.aforward(*args, **kwargs)
            around.end(output)
            if self.return_trace:
                self._trace(output)
            return output
        except BaseException as e:
            call.place(e)
            around.failed(e)
            raise
        finally:
            running.reset(token)
            self.last_usage = call.usage
            around.finish()

    @contextmanager
    def stream_output(self, look: StreamOption = True) -> Iterator[Callable[[str], None]]:
        """Say something of one's own while a call runs, to be heard by a `StreamCallHelper` or printed.

        Parameters
        ----------
        look : bool or dict, optional
            As the ``stream`` of a model: a colour, a prefix and a suffix; False says nothing, except to the helper of this module.

        Examples
        --------
        >>> def forward(self, question):
        ...     with self.stream_output({'prefix': 'search: ', 'color': 'cyan'}) as say:
        ...         say('looking at the manual')
        """
        with Outlet(self, self.name, check_stream(look), Nothing()) as outlet:
            put = outlet.put
            yield (lambda text: put(Piece(str(text)))) if put is not None else (lambda text: None)

    def _trace(self, output: Any) -> None:
        heard = listener.get()
        if heard is not None:
            heard.traces.append(output)

    def register_hook(self, hook: hooks.HookSource) -> Self:
        """Run a `Hook` (class or object) or a function around every call; of a generator function, what stands behind its
        ``yield`` runs after the call."""
        self._hooks = [*self._hooks, hooks.check(hook)]
        return self

    def unregister_hook(self, hook: hooks.HookSource) -> Self:
        """Take a hook away again; one that is not there is no error."""
        self._hooks = [h for h in self._hooks if h is not hook]
        return self

    def clear_hooks(self) -> Self:
        """Take all hooks away."""
        self._hooks = []
        return self

    # ---- what calls take

    def used_by(self, parent: ModuleBase | str) -> Self:
        """Count what this module takes for another one, too, given as the module or its ``module_id``.

        A module that calls this one inside its own call is counted without being named.
        """
        self._used_by = self._used_by | {usage.parent_id(parent)}
        return self

    def usage_in(self, parent: ModuleBase | str) -> Usage:
        """Tokens that this module has taken for ``parent``: inside its calls, or named with `used_by`."""
        return self._usage_in.get(usage.parent_id(parent), usage.ZERO)

    # ---- the tree

    @property
    def name(self) -> str:
        """What people see."""
        return self._name or type(self).__name__

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def submodules(self) -> list[ModuleBase]:
        """The modules this one holds as attributes, alone or inside flows, in the order of assignment; each once."""
        return tree.held(vars(self).values())

    def modules(self, recursive: bool = True) -> Iterator[ModuleBase]:
        """This module and all below it, each once, the inner ones first."""
        seen: set[str] = set()

        def walk(module: ModuleBase) -> Iterator[ModuleBase]:
            if module.module_id not in seen:
                seen.add(module.module_id)
                for child in module.submodules if recursive else ():
                    yield from walk(child)
                yield module

        return walk(self)

    def for_each(self, filter: Callable[[ModuleBase], bool], action: Callable[[ModuleBase], Any]) -> Self:
        """Do ``action`` with every module of the tree that ``filter`` accepts."""
        for module in self.modules():
            if filter(module):
                action(module)
        return self

    @property
    def options(self) -> list[Option]:
        """The `Option` values in this module's arguments and in those of all below it."""
        return list(dict.fromkeys(option for module in self.modules() for option in wishes.own_options(module)))

    def tree(self) -> str:
        """The module and all below it, a line each."""
        return tree.text(self)

    # ---- the life of the tree

    def start(self, *, recursive: bool = True) -> Self:
        """Deploy whatever has to be served, side by side; what runs already stays."""
        life.deploy(list(self.modules(recursive)))
        return self

    def restart(self, *, recursive: bool = True) -> Self:
        """`stop`, then `start`."""
        self.stop(recursive=recursive)
        return self.start(recursive=recursive)

    def stop(self, *, recursive: bool = True) -> None:
        """End the deployments."""
        life.undeploy(list(self.modules(recursive)))

    def wait(self) -> None:
        """Wait until the fine-tuning that `update` began with ``wait=False`` has ended."""
        life.await_training(list(self.modules()))

    def update(self, *, wait: bool = True, recursive: bool = True) -> Any:
        """Fine-tune, then deploy, then evaluate, over the whole tree.

        Everything is checked before anything starts. Modules are fine-tuned side by side; when one fails, the others are
        fine-tuned to their end before the error is raised.

        Parameters
        ----------
        wait : bool, optional
            False returns the fine-tuning `Job` at once (a list of them when several modules train), and deploys and
            evaluates nothing.

        Returns
        -------
        ModuleBase or Job or list of Job
        """
        jobs = life.update(list(self.modules(recursive)), wait=wait)
        return self if wait else jobs

    def update_server(self, *, recursive: bool = True) -> Self:
        """Deploy again what has changed, without fine-tuning or evaluating."""
        life.deploy(list(self.modules(recursive)))
        return self

    def eval(self, *, recursive: bool = True, **options: Any) -> Self:
        """Evaluate every module of the tree that has an evaluation set; see `eval_result`.

        An evaluation that was interrupted goes on where it stood when neither module nor evaluation set has changed.

        Parameters
        ----------
        **options
            Those of `workbench.evals.evaluate`: ``scorers``, ``concurrency``, ``name``, ``show``, ``on_row``, and ``resume``: True
            asks again what has no answer in the last evaluation (in a new process: the newest that asked the same), False asks
            everything.
        """
        life.evaluate(list(self.modules(recursive)), **options)
        return self

    # ---- evaluation

    @tries
    def evalset(
        self,
        evalset: str | Path | list[Any] | pd.DataFrame,
        load_f: Callable[[Any], Any] | None = None,
        collect_f: Callable[[Any], Any] = identity,
    ) -> Self:
        """Set what `eval` and `update` ask.

        Parameters
        ----------
        evalset : list, path or DataFrame
            Rows with an input and, where it can be judged, the expected output; or bare inputs. A dict without those
            fields is given to the call as keyword arguments.
        load_f : callable, optional
            Reads the opened file when ``evalset`` is a path; without it the workbench reads JSON, JSONL, CSV and Parquet.
        collect_f : callable, optional
            What to make of the list of outputs for `eval_result`; without it that is the `EvalResult`.
        """
        self._evalset = EvalSet.of(evalset, load_f, collect_f)
        return self

    def eval_table(self) -> Any:
        """The table of the last evaluation."""
        if self._evaluation is None:
            raise NotStarted(f"{self.name} has not been evaluated.", "", "Give it rows with evalset(rows), then call eval().")
        return registry.get("view", "evaltable")(self._evaluation)

    def _evaluate(self, **options: Any) -> None:
        if self._evalset is None:
            return

        def begun(result: Any) -> None:
            self._evaluation = self.eval_result = result  # an interrupt keeps the rows that are there

        self.eval_result = self._evalset.ask(self, begun, last=self._evaluation, **options)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        from .copying import copied

        return copied(self, memo)  # type: ignore[return-value]  # of the module's own class

    # ---- what a subclass that trains or serves overrides

    def _training(self) -> JobSpec | None:
        """The fine-tuning to run, checked; None when there is none."""
        return None

    def _train(self, spec: JobSpec) -> Job:
        raise NotImplementedError

    def _await_training(self) -> None:
        pass

    def _announce_deploy(self) -> None:
        """Ask for the deployment without waiting for it, where that can be done quickly; `_deploy` waits for it later."""

    def _withdraw_deploy(self) -> None:
        """Take back what `_announce_deploy` asked for, as far as nobody waits for it."""

    def _deploy(self) -> None:
        pass

    def _undeploy(self) -> None:
        pass

    def _method_options(self) -> list[Option]:
        """Options in the arguments of the methods that were chosen."""
        return []

    def _get_train_tasks(self) -> Any:
        """A function or flow without arguments (or a list of them) that `update` runs first."""
        return None

    def _get_deploy_tasks(self) -> Any:
        """The same for `start` and `update`."""
        return None

    def _get_eval_tasks(self) -> Any:
        """The same for `eval` and `update`."""
        return None

    def _get_post_process_tasks(self) -> Any:
        """The same for the very end of each."""
        return None

    # ---- looks

    def __repr__(self) -> str:
        return f"<Module type={type(self).__name__} name={self.name}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self) if cycle else self.tree())
