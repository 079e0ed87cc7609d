"""Which interpreter or environment a name stands for on this machine. Builds nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..errors import EnvironmentFailed
from . import interpreters, torch_variant
from .definitions import Definition, definition


def found(name: str, python: str = "") -> Path | Definition:
    """The interpreter that has what the environment is for, else the definition of the one to use or build.

    Raises
    ------
    EnvironmentFailed
        When the name is unknown, the interpreter that the user named lacks the backend, or nothing may be built without the
        user's word.
    """
    wanted = definition(name)
    if python:
        return interpreters.named(wanted, python)
    if not wanted.buildable or interpreters.current_has(wanted):
        return interpreters.this()
    chosen = on_this_machine(wanted)
    if chosen.by_hand or (chosen.gpu_only and torch_variant.driver_cuda() is None):
        raise _not_here(chosen)
    if chosen.on_word and not _built(chosen):
        raise _ask_for(wanted, chosen)
    return chosen


def on_this_machine(wanted: Definition) -> Definition:
    """The environment itself, or without a GPU the one that takes its place."""
    return definition(wanted.without_gpu) if wanted.without_gpu and torch_variant.driver_cuda() is None else wanted


def _built(wanted: Definition) -> bool:
    from . import build  # with what it takes to build: slow to import, and seldom needed

    return build.ready(wanted) is not None


def device(name: str, python: str = "") -> Literal["cpu", "gpu"]:
    """What the backend in the environment computes on."""
    wanted = definition(name)
    if python or interpreters.current_has(wanted):
        names = interpreters.asked(wanted)
        versions = interpreters.versions_of(interpreters.path_of(python), names) if python else interpreters.versions_here(names)
        if any(n in versions for n in wanted.stand_ins.values()) or any("+cpu" in v for v in versions.values()):
            return "cpu"
    elif on_this_machine(wanted).cpu_only:
        return "cpu"
    return "cpu" if torch_variant.driver_cuda() is None else "gpu"


def _not_here(wanted: Definition) -> EnvironmentFailed:
    """For what is not built: on this machine, or at all."""
    without = torch_variant.driver_cuda() is None
    what = f"{wanted.name} needs a GPU, and this machine has none." if without else f"The environment {wanted.name} is not built by the workbench."
    own = f"an interpreter that has {wanted.name} with python=…."
    fix = f"Choose an engine that serves here, such as wb.deploy.auto, or name {own}" if without else f"Name {own}"
    return EnvironmentFailed(what, wanted.by_hand, fix)


def _ask_for(wanted: Definition, chosen: Definition) -> EnvironmentFailed:
    what = f"The environment {chosen.name} is not built." if wanted is chosen else f"This machine has no GPU that {wanted.name} could use."
    instead = "" if wanted is chosen else f"{chosen.name} takes its place on a CPU. "
    return EnvironmentFailed(
        what,
        f"{instead}{chosen.on_word} It is installed only when you ask for it.",
        f"workbench env create {chosen.name}  (in Python: wb.envs.create({chosen.name!r})), or name an interpreter that has it with python=…, "
        "or choose another engine.",
    )
