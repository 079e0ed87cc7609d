"""Looks after one job from beginning to end: ``python -m workbench.runtime.supervisor JOB_ID HOME LAUNCHER``.

It alone writes the job's row. It knows how to run a backend's stages and nothing of what they do; it knows no client.

    queued ──▶ preparing ──▶ running ──▶ succeeded | failed
                   └─────────────┴──▶ stopping ──▶ cancelled
    any of the first four, without a supervisor:  lost

``preparing`` until a runner reports its first step or a server answers. Whatever happens, the job's processes are ended
before its last state is written; only the death of the supervisor itself leaves that to the next client that looks.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .. import registry
from ..core.jobs import STOP_AND_SAVE, STOP_NOW, Failure, JobState, Progress
from ..core.protocols import Backend, JobPlace, Stage
from ..errors import WorkbenchError
from ..store import JobWriter, Owner, OwnershipLost, Store
from ..store.logs import tail
from . import job_processes
from .detach import detach
from .ledger import Ledger
from .stage import StageRun
from .stopping import Step, WayDown

T = TypeVar("T")
_AWAKE, _DROWSY = 0.02, 0.06  # seconds between two looks: while something happens, and when it is quiet
_QUIET_SECONDS = 5.0
_LEFTOVER_SECONDS = 3.0


class Cancelled(Exception):
    """The client asked the job to end."""


class StageFailed(Exception):
    """A stage ended badly."""

    def __init__(self, failure: Failure, exit_code: int | None) -> None:
        super().__init__(failure.cause)
        self.failure, self.exit_code = failure, exit_code


class Supervisor:
    """One job's life.

    Parameters
    ----------
    writer : JobWriter
        Of a job that this process has claimed.
    place : JobPlace
        The job's files.
    launcher : str
        Where its commands run: a name in the registry.
    """

    def __init__(self, writer: JobWriter, place: JobPlace, launcher: str) -> None:
        self.place, self._launcher = place, launcher
        self.spec = writer.record().spec
        self._writer = writer
        self._ledger = Ledger(writer, place)
        self._signalled = 0
        self._leaving = False

    def run(self) -> None:
        """Run the job and write how it ended."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            state, changes = self._outcome()
            job_processes.end_job(self.place.job_id)
            self._ledger.read_all()
            self._ledger.finish(state, pid=None, **changes)
        except OwnershipLost as e:
            print(f"The job is no longer this supervisor's: {e}", file=sys.stderr)
        finally:
            job_processes.end_job(self.place.job_id)
            self.place.credentials.unlink(missing_ok=True)  # a stage that never began has not read it

    def _outcome(self) -> tuple[JobState, dict[str, Any]]:
        try:
            return JobState.SUCCEEDED, {"result": self._work(), "progress": Progress("finished", "Finished")}
        except Cancelled:
            return JobState.CANCELLED, {"progress": Progress("stopped", "Stopped")}
        except StageFailed as e:
            return JobState.FAILED, {"failure": e.failure, "exit_code": e.exit_code}
        except OwnershipLost:
            raise
        except Exception as e:
            traceback.print_exc()
            return JobState.FAILED, {"failure": _failure_of(e, tail(self.place.log))}

    def _work(self) -> Mapping[str, Any]:
        backend: Backend = self._wait_for(lambda: registry.get(self.spec.kind, self.spec.backend)())
        for stage in self._wait_for(lambda: list(backend.plan(self.spec.payload, self.place))):
            if stage.environment != "current":
                self._ledger.report(Progress("environment", f"Looking for the environment {stage.environment}"))
            self._run_stage(backend, stage, self._wait_for(partial(self._interpreter, stage)))
        made = self._wait_for(lambda: dict(backend.result(self.spec.payload, self.place)))
        return {**self._writer.record().result, **made}

    def _interpreter(self, stage: Stage) -> Path:
        from ..envs import ensure

        return Path(ensure(stage.environment, self._hear, python=self.spec.payload.get("python") or ""))

    def _hear(self, progress: Progress) -> None:
        """Called by the thread that builds an environment; raising stops it."""
        if self._leaving:
            raise Cancelled
        self._ledger.report(progress)

    def _run_stage(self, backend: Backend, stage: Stage, python: Path) -> None:
        ledger = self._ledger
        ledger.ingest.listening, ledger.ingest.error = False, ""
        run = StageRun(stage, self.place, python)
        run.start(registry.get("launcher", self._launcher)())
        ledger.update(pid=run.pid, pid_start=run.pid_start, progress=Progress(stage.name, stage.title))
        down = WayDown(stage.serves, stage.stop_grace)
        while (code := run.poll()) is None:
            ledger.tick()
            for step in down.due(self._level, time.monotonic(), ledger.ingest.listening):
                self._take(step, run)
            quiet = time.monotonic() - ledger.last_news > _QUIET_SECONDS
            time.sleep(_DROWSY if quiet else _AWAKE)
        job_processes.end_job(self.place.job_id, run.pid, run.pid_start, _LEFTOVER_SECONDS)
        ledger.read_all()
        ledger.update(exit_code=code)
        if self._level:
            ledger.stopping()
            raise Cancelled
        if code or stage.serves:
            raise StageFailed(self._explain(backend, stage, code, run.log_tail()), code)

    def _take(self, step: Step, run: StageRun) -> None:
        self._ledger.stopping()
        if step is Step.ASK:
            run.ask_to_stop()
        elif step is Step.TERMINATE:
            run.terminate()
        else:
            job_processes.end_job(self.place.job_id, run.pid, run.pid_start)
            run.kill()

    def _explain(self, backend: Backend, stage: Stage, code: int, log: str) -> Failure:
        try:
            failure = backend.explain(stage.name, code, log)
        except Exception:
            traceback.print_exc()
            failure = Failure(self._ledger.ingest.error or f"{stage.title} ended with {_exit_words(code)}.")
        return failure if failure.log_tail else replace(failure, log_tail=log)

    def _wait_for(self, work: Callable[[], T]) -> T:
        """The result of something that may take long, done beside the heartbeat; a stop does not wait for it."""
        done: list[T] = []
        failed: list[BaseException] = []

        def body() -> None:
            try:
                done.append(work())
            except BaseException as e:
                failed.append(e)

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        while thread.is_alive():
            self._ledger.tick()
            if self._level:
                self._leaving = True
                self._ledger.stopping()
                job_processes.end(job_processes.children(), _LEFTOVER_SECONDS)
                raise Cancelled
            thread.join(_AWAKE)
        if failed:
            raise failed[0]
        return done[0]

    @property
    def _level(self) -> int:
        return max(self._signalled, self._ledger.level)

    def _on_signal(self, number: int, frame: object) -> None:
        self._signalled = STOP_NOW if self._signalled else STOP_AND_SAVE


def _failure_of(error: Exception, log: str) -> Failure:
    if isinstance(error, WorkbenchError):
        return Failure(f"{error.what} {error.cause}".strip(), error.fix, log)
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Failure(f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})", "", log or traceback.format_exc())


def _exit_words(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"the signal {signal.Signals(-code).name}"


def main(job_id: str, home: str, launcher: str) -> None:
    """Claim a queued job and look after it."""
    writer = JobWriter(Path(home), job_id, Owner.of(os.getpid()))
    if writer.claim():
        os.environ[job_processes.MARK] = job_id  # what builds an environment is the job's, too
        Supervisor(writer, Store(Path(home)).place(job_id), launcher).run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread that a stop left behind must not keep the process


if __name__ == "__main__":
    detach()
    main(*sys.argv[1:4])
