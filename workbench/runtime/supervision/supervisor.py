"""Looks after one job from beginning to end: ``python -m workbench.runtime.supervision.supervisor JOB_ID HOME LAUNCHER``.

It alone writes the job's row. It knows how to run a backend's stages and nothing of what they do; it knows no client.

    queued ──▶ preparing ──▶ running ──▶ succeeded | failed
                   │  ▲──────────┤ a server that died, or was asked to start anew
                   └─────────────┴──▶ stopping ──▶ cancelled
    any of the first four, without a supervisor:  lost

``preparing`` until a runner reports its first step or a server answers. A server is started again as `revival` says; it
succeeds only by ending because nobody asked. Whatever happens, the job's processes are ended before its last state is
written; only the death of the supervisor itself leaves that to the next client that looks.
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
from urllib.parse import urlsplit

from ... import registry
from ...core.jobs import STOP_AND_SAVE, STOP_NOW, Failure, JobState, Progress
from ...core.protocols import Backend, JobPlace, Stage
from ...errors import WorkbenchError
from ...runners.full_disk import drop_what_does_not_fit
from ...store import JobWriter, Owner, OwnershipLost, Store
from ...store.logs import tail
from . import asked, job_processes, temporary
from .detach import detach
from .endings import Cancelled, Ended, StageFailed, exit_words, failure_of
from .hanging import HangWatch
from .ledger import Ledger
from .revival import Death, Revival, port_taken
from .stage import StageRun, say
from .stopping import Step, WayDown
from .succession import Succession, give_back

T = TypeVar("T")
_AWAKE, _DROWSY = 0.02, 0.06  # seconds between two looks: while something happens, and when it is quiet
_QUIET_SECONDS = 5.0
_LEFTOVER_SECONDS = 3.0
_EVENT_LOG = 4000  # characters of an engine's last lines that an event keeps
_FINISHED = Progress("finished", "Finished")


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
        self._asked = asked.Asked(place)
        self._lines: list[asked.Line] = []
        self._anew = False  # a client asked for a fresh start
        self._joined_at = 0.0  # when somebody came last, seconds since the epoch
        self._replaced = ""  # what takes a deployment's place
        self._port = 0  # where its server answered last
        self._succession = Succession.of(place)
        self._gone: list[str] = []  # deployments that ended to make room for this one
        self._came_up = False

    def run(self) -> None:
        """Run the job and write how it ended."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            state, changes = self._outcome()
            job_processes.end_job(self.place.job_id)
            self._ledger.read_all()
            if state is JobState.FAILED and not self._came_up:
                give_back(self._gone)
            self._ledger.finish(state, pid=None, **changes)
        except OwnershipLost as e:
            print(f"The job is no longer this supervisor's: {e}", file=sys.stderr)
        finally:
            job_processes.end_job(self.place.job_id)
            temporary.clear(self.place)
            self.place.credentials.unlink(missing_ok=True)  # a stage that never began has not read it

    def _outcome(self) -> tuple[JobState, dict[str, Any]]:
        try:
            result = self._work()
            idle = result.get("ended") == "idle"
            return JobState.SUCCEEDED, {"result": result, "progress": Progress("idle", str(result["reason"])) if idle else _FINISHED}
        except Cancelled:
            text = f"Replaced by {self._replaced}" if self._replaced else "Stopped"
            return JobState.CANCELLED, {"progress": Progress("stopped", text)}
        except StageFailed as e:
            return JobState.FAILED, {"failure": e.failure, "exit_code": e.exit_code}
        except OwnershipLost:
            raise
        except Exception as e:
            traceback.print_exc()
            return JobState.FAILED, {"failure": failure_of(e, tail(self.place.log))}

    def _work(self) -> Mapping[str, Any]:
        backend: Backend = self._wait_for(lambda: registry.get(self.spec.kind, self.spec.backend)())
        revival = Revival(int(self.spec.payload.get("restarts") or 0))
        if self._succession.first and self._succession.others:
            self._ledger.report(Progress("replace", "Waiting for the end of what has no room beside it"))
            self._gone = self._wait_for(lambda: self._succession.take(self.spec.name))
        while (ended := self._run_all(backend)) is not None:
            self._before_next(revival, ended)
            self._check_again(backend, ended)
        made = self._wait_for(lambda: dict(backend.result(self.spec.payload, self.place)))
        return {**self._writer.record().result, **made}

    def _check_again(self, backend: Backend, ended: Ended) -> None:
        """What it serves may be gone by now."""
        try:
            self._wait_for(lambda: backend.check(self.spec.payload))
        except WorkbenchError as e:
            cause = f"It was to be started again{f' after it died ({ended.failure.cause})' if ended.failure else ''}, but: {e.what} {e.cause}".strip()
            raise StageFailed(Failure(cause, e.fix, ended.failure.log_tail if ended.failure else ""), ended.code) from e

    def _run_all(self, backend: Backend) -> Ended | None:
        """Run the stages; how a server ended that is to be started again, perhaps, None when there is nothing left to do."""
        for stage in self._wait_for(lambda: list(backend.plan(self.spec.payload, self.place))):
            if stage.environment != "current":
                self._ledger.report(Progress("environment", f"Looking for the environment {stage.environment}"))
            ended = self._run_stage(backend, stage, self._wait_for(partial(self._interpreter, stage)))
            if ended is not None:
                return ended
        return None

    def _before_next(self, revival: Revival, ended: Ended) -> None:
        """Wait for the time of a server's next start. Raises `StageFailed` when there is none."""
        ledger, failure = self._ledger, ended.failure
        if failure is None:
            ledger.event("restart", {"asked": True, "cause": "Somebody asked for it."})
            ledger.again(Progress("restart", "Starting anew, as somebody asked"), "started anew")
            return
        taken = ended.answered is None and port_taken(failure.log_tail)
        delay = revival.after(Death(ended.answered, taken))
        if delay is None:
            raise StageFailed(revival.given_up(failure, ended.stage.title.removeprefix("Starting ")), ended.code)
        self._port = 0 if taken else self._port
        of = f"{revival.deaths} of {revival.limit}"
        told = {"attempt": revival.deaths, "of": revival.limit, "delay": delay, "cause": failure.cause, "exit_code": ended.code}
        ledger.event("restart", {**told, "log_tail": failure.log_tail[-_EVENT_LOG:]})
        when = f"starting again in {delay:g} s" if delay else "starting again"
        ledger.again(Progress("restart", f"{failure.cause.rstrip('.')}; {when} ({of})", revival.deaths, None), f"restart {of}")
        due = time.monotonic() + delay
        while time.monotonic() < due and not self._anew:
            self._tick()
            if self._level:
                ledger.stopping()
                raise Cancelled
            time.sleep(_AWAKE)

    def _interpreter(self, stage: Stage) -> Path:
        from ...envs import ensure

        return Path(ensure(stage.environment, self._hear, python=self.spec.payload.get("python") or ""))

    def _hear(self, progress: Progress) -> None:
        """Called by the thread that builds an environment; raising stops it."""
        if self._leaving:
            raise Cancelled
        self._ledger.report(progress)

    def _run_stage(self, backend: Backend, stage: Stage, python: Path) -> Ended | None:
        ledger, ingest = self._ledger, self._ledger.ingest
        ingest.begin_stage()
        self._anew = False
        run = StageRun(stage, self.place, python, port=self._port)
        run.start(registry.get("launcher", self._launcher)())
        self._tell_ttl()
        ledger.update(pid=run.pid, pid_start=run.pid_start, progress=Progress(stage.name, ingest.noted(stage.title)))
        down = WayDown(stage.serves, stage.stop_grace)
        watch: HangWatch | None = None
        patience, hung = float(self.spec.payload.get("restart_hung") or 0.0), 0.0
        while (code := run.poll()) is None:
            self._tick()
            if watch is None and stage.serves and ingest.ready_at is not None:
                watch = HangWatch(ingest.url, run.pid, ledger.report)
                self._arrive()
            if patience and not hung and watch is not None and watch.hung_since is not None:
                silent = time.monotonic() - watch.hung_since
                hung = silent if silent >= patience else 0.0
            anew = STOP_NOW if hung else STOP_AND_SAVE if self._anew and stage.serves else 0
            for step in down.due(self._level or anew, time.monotonic(), ingest.listening):
                if self._level:
                    ledger.stopping()
                self._take(step, run)
            quiet = time.monotonic() - ledger.last_news > _QUIET_SECONDS
            time.sleep(_DROWSY if quiet else _AWAKE)
        if watch is not None:
            watch.end()
        job_processes.end_job(self.place.job_id, run.pid, run.pid_start, _LEFTOVER_SECONDS)
        temporary.clear(self.place)
        ledger.read_all()
        ledger.update(exit_code=code)
        self._port = _port_of(ingest.url) or self._port
        if self._level:
            ledger.stopping()
            raise Cancelled
        if not stage.serves:
            if code:
                raise StageFailed(self._explain(backend, stage, code, run.log_tail()), code)
            return None
        self._hear_clients()
        if ingest.result.get("ended") == "idle":
            crossed = self._anew or self._joined_at > ingest.result_at  # somebody came while it was going: it comes back
            return Ended(stage, code, None, None) if crossed else None
        answered = None if ingest.ready_at is None else max(0.0, time.time() - ingest.ready_at - hung)
        if hung and not self._anew:
            cause = f"It did nothing and had not answered for {hung:.0f} s, though its process lived."
            return Ended(stage, code, answered, Failure(cause, "Its log may say more; start() tries again.", run.log_tail()))
        return Ended(stage, code, answered, None if self._anew else self._explain(backend, stage, code, run.log_tail()))

    def _arrive(self) -> None:
        """It answers: from now on those whose place it takes are not needed."""
        if not self._came_up and not self._succession.first and self._succession.others:
            by = f"{self.spec.name} ({self.place.job_id})"
            threading.Thread(target=self._succession.take, args=(by,), name="succession", daemon=True).start()
        self._came_up = True

    def _tick(self) -> None:
        """Keep the store true, and hear what clients ask."""
        self._ledger.tick()
        self._hear_clients()

    def _hear_clients(self) -> None:
        for line in self._asked.news():
            self._lines.append(line)
            if line.get("ask") == "join":
                self._joined(line)
            elif line.get("ask") == "restart":
                self._anew = True
            elif line.get("ask") == "replace" and (by := asked.replaced_by(self._lines)):
                self._replaced, self._signalled = by, self._signalled or STOP_AND_SAVE

    def _joined(self, line: asked.Line) -> None:
        """The longer idle time counts; 0 is for ever."""
        now, wanted = float(self.spec.payload.get("ttl") or 0.0), float(line.get("ttl") or 0.0)
        ttl = max(now, wanted) if now and wanted else 0.0
        self._joined_at = float(line.get("at") or 0.0)
        if ttl != now:
            self.spec = replace(self.spec, payload={**self.spec.payload, "ttl": ttl})
            self._ledger.update(payload=self.spec.payload)
        self._tell_ttl()

    def _tell_ttl(self) -> None:
        if "ttl" in self.spec.payload:
            say(self.place, "ttl", seconds=self.spec.payload["ttl"])

    def _take(self, step: Step, run: StageRun) -> None:
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
            failure = Failure(self._ledger.ingest.error or f"{stage.title} ended with {exit_words(code)}.")
        from ..deployments.fit import after_out_of_memory  # a supervisor starts faster without what that needs

        return after_out_of_memory(failure if failure.log_tail else replace(failure, log_tail=log), self.spec, log)

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
            self._tick()
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


def _port_of(url: str) -> int:
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return 0


def main(job_id: str, home: str, launcher: str) -> None:
    """Claim a queued job and look after it."""
    drop_what_does_not_fit()
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
