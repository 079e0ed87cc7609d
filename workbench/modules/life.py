"""What happens to a tree of modules: fine-tuned side by side, deployed side by side, evaluated. A module that fails costs the
others nothing; its error is raised when they are through. Knows the order, not how a module does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, WorkbenchError
from .sessions import no_session
from .wishes import wished

if TYPE_CHECKING:
    from ..runtime.work.job import Job
    from .base import ModuleBase


def deploy(modules: Sequence[ModuleBase]) -> None:
    """Deploy all, the deployments coming up at the same time."""
    _deploy(modules)
    _tasks(modules, "_get_post_process_tasks")


def undeploy(modules: Sequence[ModuleBase]) -> None:
    """End all deployments."""
    _each(modules, lambda m: m._undeploy())


def await_training(modules: Sequence[ModuleBase]) -> None:
    """Wait for every fine-tuning that was begun."""
    _each(modules, lambda m: m._await_training())


def evaluate(modules: Sequence[ModuleBase], **options: Any) -> None:
    """Evaluate those that have something to be asked; the options are those of `evals.evaluate`."""
    _evaluate(modules, **options)
    _tasks(modules, "_get_post_process_tasks")


def update(modules: Sequence[ModuleBase], *, wait: bool = True) -> Job | list[Job] | None:
    """Fine-tune, deploy, evaluate. Without ``wait``: the jobs of the fine-tuning, which has begun."""
    unsettled = [name for m in modules for name, _ in wished(m)]
    if unsettled:
        fix = "Write wb.TrialModule(m).update() to try them all, or give one value."
        raise ArgumentError(f"There are options for {', '.join(unsettled)}.", "One run takes one value of each.", fix)
    planned = [(m, spec) for m in modules if (spec := m._training()) is not None]
    if not wait and not planned:
        raise ArgumentError("update(wait=False) has no job to return.", "Nothing here is to be fine-tuned.", "Give a trainset, or call update().")
    jobs = [m._train(spec) for m, spec in planned]
    if not wait:
        return jobs[0] if len(jobs) == 1 else jobs
    _tasks(modules, "_get_train_tasks")
    await_training([m for m, _ in planned])
    _deploy(modules)
    _evaluate(modules)
    _tasks(modules, "_get_post_process_tasks")
    return None


def _deploy(modules: Sequence[ModuleBase]) -> None:
    announced: list[ModuleBase] = []
    try:
        if len(modules) > 1:
            for module in modules:
                try:
                    module._announce_deploy()
                    announced.append(module)
                except WorkbenchError:
                    continue  # `_deploy` says it
        _each(modules, lambda m: m._deploy())
    except KeyboardInterrupt:
        for module in announced:
            module._withdraw_deploy()
        raise
    _tasks(modules, "_get_deploy_tasks")


def _evaluate(modules: Sequence[ModuleBase], **options: Any) -> None:
    with no_session():
        _each(modules, lambda m: m._evaluate(**options))
        _tasks(modules, "_get_eval_tasks")


def _each(modules: Iterable[ModuleBase], action: Callable[[ModuleBase], None]) -> None:
    """Do it with every module; what went wrong is raised at the end, a single error as it is."""
    errors: list[tuple[ModuleBase, Exception]] = []
    for module in modules:
        try:
            action(module)
        except Exception as e:
            errors.append((module, e))
    if not errors:
        return
    first = errors[0][1]
    for module, error in errors[1:]:
        first.add_note(f"{module.name} failed, too: {type(error).__name__}: {error}")
    raise first


def _tasks(modules: Iterable[ModuleBase], kind: str) -> None:
    """Run the steps that subclasses added."""
    for module in modules:
        found: Any = getattr(module, kind)()
        for task in found if isinstance(found, list | tuple) else [found]:
            if task is not None:
                task()
