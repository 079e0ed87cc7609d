"""How a stage or a job ends, as values and in words. Ends nothing."""

from __future__ import annotations

import signal
import traceback
from dataclasses import dataclass
from pathlib import Path

from ...core.jobs import Failure
from ...core.protocols import Stage
from ...errors import WorkbenchError


class Cancelled(Exception):
    """The client asked the job to end."""


class StageFailed(Exception):
    """A stage ended badly."""

    def __init__(self, failure: Failure, exit_code: int | None) -> None:
        super().__init__(failure.cause)
        self.failure, self.exit_code = failure, exit_code


@dataclass(frozen=True, slots=True)
class Ended:
    """How a server's process ended; None for ``failure`` where it was told to start anew."""

    stage: Stage
    code: int
    answered: float | None
    failure: Failure | None


def failure_of(error: Exception, log: str) -> Failure:
    """What is kept of an error that nobody expected; ``log`` is the job's own last lines."""
    if isinstance(error, WorkbenchError):
        return Failure(f"{error.what} {error.cause}".strip(), error.fix, log)
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Failure(f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})", "", log or traceback.format_exc())


def exit_words(code: int) -> str:
    """An exit code for people; negative is a signal."""
    return f"exit code {code}" if code >= 0 else f"the signal {signal.Signals(-code).name}"
