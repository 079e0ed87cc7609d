"""Whether an interpreter already has what an environment needs. Starts a process only for one the user named."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from ..errors import EnvironmentFailed
from .definitions import Definition

_ASK = """
import json, sys
from importlib import metadata
found = {}
for name in json.loads(sys.argv[1]):
    try: found[name] = metadata.version(name)
    except metadata.PackageNotFoundError: pass
print(json.dumps(found))
"""


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version.split("+")[0])[:3])


def missing(definition: Definition, versions: dict[str, str]) -> list[str]:
    """What of ``definition.needs`` is not among these versions, as requirement texts; empty when all is there."""
    lacks = []
    for name, (low, high) in (definition.needs or {}).items():
        have = versions.get(name) or versions.get(definition.stand_ins.get(name, ""))
        if have is None or _order(have) < _order(low) or (high and _order(have) >= _order(high)):
            lacks.append(name + (f">={low}" if low != "0" else "") + (f",<{high}" if high else ""))
    return lacks


def asked(definition: Definition) -> list[str]:
    """The distributions whose versions decide."""
    return [*(definition.needs or {}), *definition.stand_ins.values()]


def versions_here(names: list[str]) -> dict[str, str]:
    """Versions of these distributions in this process's interpreter."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def current_has(definition: Definition) -> bool:
    """Whether the running interpreter has what the environment needs."""
    return bool(definition.needs) and not missing(definition, versions_here(asked(definition)))


def named(definition: Definition, python: str) -> Path:
    """The interpreter the user named, when it has what is needed.

    Parameters
    ----------
    definition : Definition
        What is needed.
    python : str
        An interpreter, or the folder of a virtual environment.

    Raises
    ------
    EnvironmentFailed
        When there is no such interpreter, it does not run, or it lacks something; the message has the install command.
    """
    path = path_of(python)
    versions = versions_of(path, asked(definition))
    lacks = missing(definition, versions)
    if lacks:
        quoted = " ".join(f"'{r}'" for r in lacks)
        raise EnvironmentFailed(
            f"{path} lacks what {definition.name} needs: {', '.join(lacks)}.",
            "An interpreter named with python= is used as it is and never changed.",
            definition.by_hand or f"{path} -m pip install {quoted}  or leave python= out: the workbench then builds an environment of its own.",
        )
    return path


def path_of(python: str) -> Path:
    """An interpreter by its path or its virtual environment's folder.

    Raises
    ------
    EnvironmentFailed
        When there is none.
    """
    path = Path(python).expanduser().absolute()
    if path.is_dir():
        path = path / "bin" / "python"
    if not path.exists():
        raise EnvironmentFailed(
            f"There is no interpreter {path}.", "python= names the interpreter to run the backend with.", "Give its path, or leave python= out."
        )
    return path


def versions_of(python: Path, names: list[str]) -> dict[str, str]:
    """Versions of these distributions in another interpreter.

    Raises
    ------
    EnvironmentFailed
        When it does not run.
    """
    try:
        answer = subprocess.run([str(python), "-c", _ASK, json.dumps(names)], capture_output=True, text=True, timeout=60, check=True)
        versions: dict[str, str] = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as e:
        detail = (getattr(e, "stderr", None) or str(e)).strip().splitlines()
        raise EnvironmentFailed(f"{python} does not run.", detail[-1] if detail else "", "Give another python=, or leave it out.") from e
    return versions


def this() -> Path:
    """The running interpreter."""
    return Path(sys.executable)
