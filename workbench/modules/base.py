"""`ModuleBase`: something callable that may hold others of its kind, and can be trained, deployed and evaluated with them.

Knows the tree, hooks and evaluation sets. Does not know models, jobs' contents or how anything is served: subclasses
override `forward`, and where they train or serve, `_training`, `_trained`, `_deploy` and `_undeploy`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .. import registry
from ..core.jobs import JobSpec
from ..core.messages import Usage
from ..errors import ArgumentError, NotStarted
from . import hooks
from .context import listener

if TYPE_CHECKING:
    import pandas as pd

    from ..runtime.job import Job


def identity(value: Any) -> Any:
    """The value itself."""
    return value


class ModuleBase:
    """Base of all modules. Override `forward`; an attribute that is a module becomes a submodule.

    Parameters
    ----------
    return_trace : bool, optional
        Add what each call returns to the ``traces`` of the `StreamCallHelper` call it runs in.
    name : str, optional
        What people see; the class's name when empty.

    Attributes
    ----------
    eval_result : object
        After `eval` or `update`: an `EvalResult`, or what ``collect_f`` made of the list of outputs. None before.
    usage : Usage
        Tokens of this module's own calls so far.
    """

    def __init__(self, *, return_trace: bool = False, name: str = "") -> None:
        self.module_id = uuid.uuid4().hex[:12]
        self.return_trace = return_trace
        self.eval_result: Any = None
        self.usage = Usage()
        self._name = name
        self._hooks: list[hooks.HookSource] = []
        self._evalset: Any = None
        self._collect: Callable[[Any], Any] = identity
        self._evaluation: Any = None

    # ---- calling

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What a call does."""
        raise NotImplementedError(f"{type(self).__name__} does not say what a call does: it has no 'forward'.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._hooks and not self.return_trace:
            return self.forward(*args, **kwargs)
        begun = hooks.begin(self._hooks, args, kwargs)
        output = self.forward(*args, **kwargs)
        hooks.end(begun, output)
        heard = listener.get()
        if self.return_trace and heard is not None:
            heard.traces.append(output)
        return output

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """Call it without blocking the event loop."""
        return await asyncio.to_thread(self, *args, **kwargs)

    def register_hook(self, hook: hooks.HookSource) -> Self:
        """Run a `Hook` (class or object) around every call."""
        self._hooks = [*self._hooks, hook]
        return self

    def unregister_hook(self, hook: hooks.HookSource) -> Self:
        """Take a hook away again; one that is not there is no error."""
        self._hooks = [h for h in self._hooks if h is not hook]
        return self

    def clear_hooks(self) -> Self:
        """Take all hooks away."""
        self._hooks = []
        return self

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
        """The modules this one holds as attributes, in the order of assignment."""
        return list(dict.fromkeys(v for v in vars(self).values() if isinstance(v, ModuleBase)))

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

    # ---- the life of the tree

    def start(self, *, recursive: bool = True) -> Self:
        """Deploy whatever has to be served; what runs already stays."""
        for module in self.modules(recursive):
            module._deploy()
        return self

    def restart(self, *, recursive: bool = True) -> Self:
        """`stop`, then `start`."""
        self.stop(recursive=recursive)
        return self.start(recursive=recursive)

    def stop(self, *, recursive: bool = True) -> None:
        """End the deployments."""
        for module in self.modules(recursive):
            module._undeploy()

    def wait(self) -> None:
        """Wait until the fine-tuning that `update` began with ``wait=False`` has ended."""
        for module in self.modules():
            module._await_training()

    def update(self, *, wait: bool = True, recursive: bool = True) -> Any:
        """Fine-tune, then deploy, then evaluate, over the whole tree.

        Everything is checked before anything starts. Modules are fine-tuned side by side.

        Parameters
        ----------
        wait : bool, optional
            False returns the fine-tuning `Job` at once (a list of them when several modules train), and deploys and
            evaluates nothing.

        Returns
        -------
        ModuleBase or Job or list of Job
        """
        modules = list(self.modules(recursive))
        planned = [(m, spec) for m in modules if (spec := m._training()) is not None]
        if not wait and not planned:
            raise ArgumentError("update(wait=False) has no job to return.", "Nothing here is to be fine-tuned.", "Give a trainset, or call update().")
        begun = [(m, m._train(spec)) for m, spec in planned]
        if not wait:
            return begun[0][1] if len(begun) == 1 else [job for _, job in begun]
        for module, _ in begun:
            module._await_training()
        self._redeploy(modules)
        self._evaluate_all(modules)
        return self

    def update_server(self, *, recursive: bool = True) -> Self:
        """Deploy again what has changed, without fine-tuning or evaluating."""
        self._redeploy(list(self.modules(recursive)))
        return self

    def eval(self, *, recursive: bool = True) -> Self:
        """Evaluate every module of the tree that has an evaluation set; see `eval_result`."""
        self._evaluate_all(list(self.modules(recursive)))
        return self

    # ---- evaluation

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
        if isinstance(evalset, str | Path):
            path = Path(evalset).expanduser()
            if not path.is_file():
                raise ArgumentError(f"The evaluation set {str(evalset)!r} is not there.", f"There is no file {path.absolute()}.", "Check the path.")
            if load_f is not None:
                with path.open(encoding="utf-8") as file:
                    evalset = load_f(file)
        self._evalset, self._collect = evalset, collect_f
        return self

    def eval_table(self) -> Any:
        """The table of the last evaluation."""
        if self._evaluation is None:
            raise NotStarted(f"{self.name} has not been evaluated.", "", "Give it rows with evalset(rows), then call eval().")
        return registry.get("view", "evaltable")(self._evaluation)

    def _evaluate(self) -> None:
        if self._evalset is None:
            return
        from .. import evals

        def begun(result: Any) -> None:
            self._evaluation = result  # an interrupt keeps the rows that are there

        evals.evaluate(self, self._evalset, on_start=begun)
        outputs = (row.outputs[0].value for row in self._evaluation.rows)
        self.eval_result = self._evaluation if self._collect is identity else self._collect(list(outputs))

    @staticmethod
    def _evaluate_all(modules: list[ModuleBase]) -> None:
        for module in modules:
            module._evaluate()

    # ---- what a subclass that trains or serves overrides

    def _training(self) -> JobSpec | None:
        """The fine-tuning to run, checked; None when there is none."""
        return None

    def _train(self, spec: JobSpec) -> Job:
        raise NotImplementedError

    def _await_training(self) -> None:
        pass

    def _deploy(self) -> None:
        pass

    def _undeploy(self) -> None:
        pass

    @staticmethod
    def _redeploy(modules: list[ModuleBase]) -> None:
        for module in modules:
            module._deploy()

    def __repr__(self) -> str:
        return f"<Module type={type(self).__name__} name={self.name}>"
