"""The environment variables that a stage starts with. Does not start it.

A kernel's variables mislead another interpreter: its module path, its virtual environment, its plotting backend, its
terminal colours. Jupyter's own tokens are nobody else's business. Everything else of the user's is passed on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from ...core.protocols import JobPlace
from ...finetune.cpu import usable_cores
from .job_processes import MARK

_NAMES = {
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONEXECUTABLE",
    "PYTHONSAFEPATH",
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
    "MPLBACKEND",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "PAGER",
    "GIT_PAGER",
    "__PYVENV_LAUNCHER__",
}
_PREFIXES = ("JPY_", "JUPYTERHUB_", "JUPYTER_", "PYDEVD_", "WORKBENCH_EVENTS", "WORKBENCH_CONTROL", "WORKBENCH_KEY_FILE", "WORKBENCH_PORT")
KEY_VARIABLES = "WORKBENCH_KEY_VARIABLES"
"""Names a supervisor the variables that hold vendors' keys, as whoever started it knows them; in JSON."""


def stage_environment(base: Mapping[str, str], place: JobPlace, python: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """What a stage's process is started with.

    Parameters
    ----------
    base : Mapping
        The variables of the user.
    place : JobPlace
        Where the job has its files.
    python : Path
        The interpreter that runs the stage; its folder comes first in ``PATH``.
    extra : Mapping
        The stage's own variables; they win.
    """
    env = {k: v for k, v in base.items() if k not in _NAMES and k != KEY_VARIABLES and not k.startswith(_PREFIXES)}
    env["PATH"] = os.pathsep.join([str(python.parent), env.get("PATH", os.defpath)])
    env["PYTHONUNBUFFERED"] = "1"
    env["PYTHONUTF8"] = "1"
    env.setdefault("OMP_NUM_THREADS", str(threads()))
    env.update(extra)
    env["WORKBENCH_EVENTS"] = str(place.events)
    env["WORKBENCH_CONTROL"] = str(place.control)
    env["WORKBENCH_KEY_FILE"] = str(place.key)
    env[MARK] = place.job_id
    return env


def threads() -> int:
    """How many threads a numeric library may use: the cores this process may run on, one left to the notebook.

    With as many threads as a busy machine has cores, those that wait for one another spin, and all become many times
    slower.
    """
    return max(1, usable_cores() - 1)


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables without those that hold vendors' keys, by what `KEY_VARIABLES` tells; where it tells nothing, the vendors' files are read."""
    if KEY_VARIABLES not in environment:
        from ..secrets import keys

        return keys.without_keys(environment)
    secret = set(json.loads(environment[KEY_VARIABLES]))
    return {name: value for name, value in environment.items() if name not in secret}
