"""Starts the supervisor of a job so that it outlives whoever started it. Does not know what it then does.

The supervisor forks once more as soon as it could import what it needs: the process that started it has no child then, so
neither a kernel that is killed with all its children nor a closing lab takes it along. When the import fails, the process
that started it is told.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ...errors import JobError
from ...store.logs import tail
from ..work import devices
from .job_processes import MARK
from .stage_env import KEY_VARIABLES

_IMPORT_SECONDS = 120.0
_LOOK_SECONDS = 0.005  # `Popen.wait` with a limit looks every 50 ms, and everybody who starts a model waits for it


def start_supervisor(job_id: str, home: Path, folder: Path) -> None:
    """Start ``python -m workbench.runtime.supervision.supervisor`` for a job and return when it is on its own.

    Raises
    ------
    JobError
        When it cannot be started.
    """
    from ...settings import settings  # the supervisor imports this module, too, and not settings

    log = folder / "supervisor.txt"
    command = [sys.executable, "-P", "-m", "workbench.runtime.supervision.supervisor", job_id, str(home), settings().default_launcher]
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=_environment(home, settings().model_dump()),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as e:
        raise JobError("The job's supervisor cannot be started.", str(e), job_id=job_id) from e
    late = time.monotonic() + _IMPORT_SECONDS
    while (code := process.poll()) is None:
        if time.monotonic() > late:
            process.kill()
            cause = f"It has not come up within {_IMPORT_SECONDS:g} s."
            raise JobError("The job's supervisor does not start.", cause, "Try again when the machine is less busy.", job_id=job_id)
        time.sleep(_LOOK_SECONDS)
    if code:
        raise JobError("The job's supervisor cannot be started.", tail(log, 3), "Check the installation of workbench.", job_id=job_id)


def detach() -> None:
    """Leave the process that started this one: go on as a child of nobody, in a session of its own."""
    if os.fork():
        os._exit(0)
    os.setsid()


def _environment(home: Path, client_settings: Mapping[str, object]) -> dict[str, str]:
    """The client's variables, with its settings as they are: a ``.env`` beside a notebook is not seen from a job's folder."""
    from ..secrets import keys  # the supervisor imports this module, too, and starts twice as fast without pydantic

    env = {k: v for k, v in os.environ.items() if k not in {MARK, "WORKBENCH_EVENTS", "WORKBENCH_CONTROL", "WORKBENCH_KEY_FILE"}}
    for name, value in client_settings.items():
        if value is not None:
            env[f"WORKBENCH_{name.upper()}"] = str(value.expanduser().absolute()) if isinstance(value, Path) else str(value)
    env["WORKBENCH_HOME"] = str(home)
    if os.path.isfile(".env"):
        env["WORKBENCH_DOTENV"] = os.path.abspath(".env")  # keys are read from it where they are needed, and are in no variable
    env[KEY_VARIABLES] = json.dumps(keys.key_variables(env))
    env.update(devices.environment())
    modules = [p for p in env.get("PYTHONPATH", "").split(os.pathsep) if p]
    package = str(Path(__file__).resolve().parents[3])
    env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(p) for p in [*modules, package])
    return env
