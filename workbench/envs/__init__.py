"""The interpreters that backends run in. Trainers and engines pin versions that break one another, so each has an
environment: the interpreter the user names, else the running one when it has the backend, else one built by uv.
Does not know what a backend does.

``workbench.envs()`` lists them; the module itself can be called because that is what people type.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..callable_module import callable_module

if TYPE_CHECKING:
    from ..core.jobs import Progress
    from .catalog import DoctorReport, EnvInfo, EnvList
    from .definitions import Definition

__all__ = ["check", "create", "device", "doctor", "ensure", "envs", "installed", "names", "remove"]


def _silent(progress: Progress) -> None: ...


def names() -> list[str]:
    """The names of all environments."""
    from .definitions import DEFINITIONS

    return sorted(DEFINITIONS)


def ensure(name: str, on_progress: Callable[[Progress], None] | None = None, python: str = "") -> Path:
    """The interpreter of an environment, which is built first when it has to be.

    Parameters
    ----------
    name : str
        Such as ``llamafactory``; ``current`` is the running interpreter.
    on_progress : callable, optional
        Told what is being downloaded and installed, at least twice a second; raising from it cancels the build.
    python : str, optional
        An interpreter that the user names for the backend; it is used as it is or refused, never changed.

    Returns
    -------
    Path
        The interpreter.

    Raises
    ------
    EnvironmentFailed
        When the name is unknown, the named interpreter lacks the backend, the build fails, or it is one for which the user has to ask.
    """
    from .choice import found

    chosen = found(name, python)
    if isinstance(chosen, Path):
        return chosen
    from . import build

    folder = build.ready(chosen) or build.build(chosen, on_progress or _silent)
    return build.python_of(folder)


def check(name: str, python: str = "") -> None:
    """Whether `ensure` can give an interpreter, as far as that is known without building one.

    Raises
    ------
    EnvironmentFailed
        When the name is unknown, the named interpreter lacks the backend, or the environment is one that the user has to ask for.
    """
    from .choice import found

    found(name, python)


def device(name: str, python: str = "") -> Literal["cpu", "gpu"]:
    """What the backend in that environment computes on: builds for CPUs cannot use a GPU, whatever the machine has."""
    from .choice import device as of

    return of(name, python)


def installed(name: str) -> bool:
    """Whether `ensure` would return at once."""
    from ..errors import EnvironmentFailed
    from . import build
    from .choice import found

    try:
        chosen = found(name)
    except EnvironmentFailed:
        return False
    return isinstance(chosen, Path) or build.ready(chosen) is not None


def envs() -> EnvList:
    """All environments with state, interpreter, size and packages."""
    from .catalog import listing

    return listing()


def create(name: str, on_progress: Callable[[Progress], None] | None = None, *, rebuild: bool = False) -> EnvInfo:
    """Build an environment now, also when the running interpreter has the backend; outdated builds that nothing runs in are removed.

    Parameters
    ----------
    name : str
        Which.
    on_progress : callable, optional
        As in `ensure`.
    rebuild : bool
        Build it again although it is there.
    """
    from ..errors import EnvironmentFailed
    from . import build
    from .catalog import listing
    from .definitions import definition

    wanted = _buildable(definition(name))
    if rebuild:
        remove(name)
    folder = build.build(wanted, on_progress or _silent)
    for old in build.folders(wanted):
        if old != folder and build.marker_of(old) is not None:
            with suppress(EnvironmentFailed):  # something still runs in it
                build.remove_folder(old)
    return next(e for e in listing() if e.folder == str(folder))


def remove(name: str) -> int:
    """Delete all that was built for an environment and return the bytes that went.

    Raises
    ------
    EnvironmentFailed
        When a process still runs in it, or it is the notebook's own.
    """
    from . import build
    from .definitions import definition

    wanted = _buildable(definition(name))
    with build.lock_of(wanted):
        return sum(build.remove_folder(folder) for folder in build.folders(wanted))


def _buildable(wanted: Definition) -> Definition:
    from ..errors import EnvironmentFailed

    if not wanted.buildable:
        raise EnvironmentFailed(
            "The notebook's own interpreter is not the workbench's to change.",
            "",
            f"Choose one of: {', '.join(n for n in names() if n != wanted.name)}.",
        )
    if wanted.by_hand:
        fix = f"{wanted.by_hand} Then name its interpreter with python=…."
        raise EnvironmentFailed(f"The environment {wanted.name} is not built by the workbench.", "No package index has what it needs.", fix)
    return wanted


def doctor(name: str = "") -> DoctorReport:
    """Start the interpreter of every built environment (or of the named one), import what matters and report problems."""
    from .catalog import examine

    return examine(name)


callable_module(__name__)
