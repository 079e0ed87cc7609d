"""Runs a command on this machine, in a session of its own. Does not know what the command is, nor find its children."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class LocalProcess:
    """A command that runs here."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process, which leads a session and a process group of its own."""
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), or None while it runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask its main process to end (SIGTERM)."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End its main process now (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()


class LocalLauncher:
    """Starts commands on this machine."""

    name = "local"

    def start(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> LocalProcess:
        """Start a command with exactly this environment, its output appended to ``log``. Raises OSError."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(argv), env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        return LocalProcess(process)
