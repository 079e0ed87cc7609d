"""One stage while it runs: its files, its start, and the ways to reach it. Does not know when it should end.

Nothing secret is in its arguments or variables: a server's key is in a file that only the user can read.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from ...core.protocols import JobPlace, Launched, Launcher, Stage
from ...store.liveness import start_of
from ...store.logs import tail
from . import temporary
from .stage_env import stage_environment, without_keys


class StageRun:
    """A stage of a job.

    Parameters
    ----------
    stage : Stage
        What to run.
    place : JobPlace
        The job's files.
    python : Path
        The interpreter of the stage's environment.
    port : int
        Where a server should answer if it can, because it answered there before; 0 leaves it the choice.
    """

    def __init__(self, stage: Stage, place: JobPlace, python: Path, port: int = 0) -> None:
        self.stage, self.place, self._python, self._port = stage, place, python, port
        self._launched: Launched | None = None
        self._log_start = 0
        self.pid_start: str | None = None

    def start(self, launcher: Launcher) -> None:
        """Write the stage's files and start it. Raises OSError."""
        place, stage = self.place, self.stage
        place.work.mkdir(mode=0o700, exist_ok=True)
        for name, text in stage.files.items():
            write_file(place.folder / name, text)
        place.control.write_bytes(b"")  # what was said to the stage before is not said to this one
        place.events.touch(mode=0o600)
        place.log.touch(mode=0o600)
        if stage.serves and not place.key.exists():  # one that is started again keeps its key: callers have it
            write_key(place.key)
        self._log_start = place.log.stat().st_size
        base = os.environ if stage.asks_vendors else without_keys(os.environ)
        extra = {**stage.env, "WORKBENCH_PORT": str(self._port)} if stage.serves and self._port else dict(stage.env)
        if stage.serves and stage.own_temp and (folder := temporary.make(place)) is not None:
            extra = {**temporary.variables(folder), **extra}
        env = stage_environment(base, place, self._python, extra)
        self._launched = launcher.start([str(self._python), *stage.argv], env=env, cwd=place.work, log=place.log)
        self.pid_start = start_of(self.pid) if self.pid is not None else None

    @property
    def pid(self) -> int | None:
        """The process that leads the stage's session, None where it runs elsewhere."""
        return self._launched.pid if self._launched else None

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._launched.poll() if self._launched else None

    def ask_to_stop(self) -> None:
        """Say "stop" through the control file."""
        say(self.place, "stop")

    def terminate(self) -> None:
        """Ask the main process to end."""
        if self._launched:
            self._launched.terminate()

    def kill(self) -> None:
        """End the main process now."""
        if self._launched:
            self._launched.kill()

    def log_tail(self, lines: int = 40) -> str:
        """The last lines that this stage wrote."""
        return tail(self.place.log, lines, self._log_start)


def say(place: JobPlace, command: str, **details: Any) -> None:
    """Append a command to a job's control file, in one write."""
    control = os.open(place.control, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(control, (json.dumps({"command": command, **details}) + "\n").encode())
    finally:
        os.close(control)


def write_key(path: Path) -> None:
    """Write a new random key to a file that only the user can read."""
    path.unlink(missing_ok=True)
    key = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(key, secrets.token_urlsafe(32).encode())
    finally:
        os.close(key)


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file of a job, for its owner's eyes only, in a folder made for it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(file, "wb") as f:
        f.write(content.encode() if isinstance(content, str) else content)
