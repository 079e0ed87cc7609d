"""The card of a model: what it is, where it runs, how it answers, and what can be done with it, live. Follows the module it was
made for; a deployment shared with other notebooks shows its state here as well.

How busy it is tells the engine, for everybody who asks it; how fast it answers, where the engine tells nothing, the answers of this kernel.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..core.jobs import JobRecord, JobState
from ..core.kinds import call_of
from ..core.models import ModelMeta
from ..core.sizes import size
from ..errors import ArgumentError
from . import static
from .base import Widget, problem
from .chat import quietly
from .messages import say
from .modelcode import code_of
from .modelfacts import details_of, fit_of, of_files, reason_of
from .modelload import LoadLines
from .modelstart import StartSteps
from .words import chip, duration

if TYPE_CHECKING:
    from pandas import DataFrame

_LOOK, _CALM = 0.1, 1.0  # seconds between two looks while something goes on, and while nothing does
_ALONE = 20.0  # seconds after which nobody seems to look
_WINDOW = 300.0
_SHOWN = 60  # values in a small line
_FIT_SECONDS = 15.0
_LOG_LINES = 8


class ModelCard(Widget):
    """A live card of a model.

    Parameters
    ----------
    module : TrainableModule
        The model.
    """

    bundle_name = "modelcard"

    def __init__(self, module: Any, **unknown: Any) -> None:
        if not unknown and not (hasattr(module, "state") and hasattr(module, "name")):
            raise ArgumentError(f"A {type(module).__name__} has no card.", "It is no model.", "Give a module, such as TrainableModule('pocket').")
        self._module = module
        self._heard = time.monotonic()
        self._busy = ""
        self._problem: dict[str, str] | None = None
        self._meta: tuple[str, ModelMeta | None] = ("", None)
        self._line = ("", "")
        self._memory: deque[int] = deque(maxlen=_SHOWN)
        self._steps = StartSteps()
        self._lines = LoadLines()
        self._load: dict[str, Any] | None = None
        self._log = ""
        self._fit: tuple[float, str, dict[str, Any] | None] = (-_FIT_SECONDS, "", None)
        self._thread: threading.Thread | None = None
        super().__init__(**unknown)
        self._awake()

    # ---- following

    def _awake(self) -> None:
        self._heard = time.monotonic()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._loop, name="modelcard", daemon=True)
            self._thread.start()

    def _loop(self) -> None:
        last: Mapping[str, Any] = {}
        measured = 0.0
        while not self._closing.is_set():
            self._check_fit(self._record())
            with self._lock:
                if time.monotonic() - measured >= _CALM:
                    measured = time.monotonic()
                    self._measure()
                now = self._view()
            if {**now, "now": 0} != {**last, "now": 0}:
                self.news({"card": now})
                if last and now["state"] != last["state"]:
                    self._renew()
            last = now
            working = bool(self._busy) or now["state"] in ("queued", "preparing", "stopping")
            if not working and time.monotonic() - self._heard > _ALONE:
                break
            self._closing.wait(_LOOK if working else _CALM)
        with self._lock:
            self._thread = None

    def _measure(self) -> None:
        import psutil

        from ..runtime.work import jobs

        record = self._record()
        self._load, self._log = None, ""
        if record is not None and record.state is JobState.RUNNING:
            self._load = self._lines.read(jobs.store(), record, time.time())
        if record is not None and record.state in (JobState.QUEUED, JobState.PREPARING) and self._steps.slow:
            self._log = jobs.log_tail(record.id, _LOG_LINES)
        if record is None or record.pid is None or record.state is not JobState.RUNNING:
            return
        try:
            process = psutil.Process(record.pid)
            self._memory.append(sum(p.memory_info().rss for p in (process, *process.children(recursive=True))))
        except psutil.Error:
            return

    def _check_fit(self, record: JobRecord | None) -> None:
        """Whether what is not deployed would fit now; asked again now and then, because others take and give memory."""
        if self._busy or (record is not None and record.state.active) or self._module.state not in ("idle", "cancelled", "succeeded", "failed"):
            return
        key = str(getattr(self._module, "finetuned_model_path", ""))
        at, of, _ = self._fit
        if of != key or time.monotonic() - at >= _FIT_SECONDS:
            self._fit = (time.monotonic(), key, fit_of(self._module))

    def _record(self) -> JobRecord | None:
        job = getattr(self._module, "deployment", None)
        return job.record if job is not None else None

    # ---- what it shows

    def _view(self) -> dict[str, Any]:
        module, record = self._module, self._record()
        state = self._state(record)
        progress = record.progress if record is not None and record.state.active else getattr(module, "progress", None)
        starting = state in ("queued", "preparing")
        self._steps.note(starting, progress)
        failure = record.failure if record is not None else None
        meta = self._facts_of_model()
        endpoint = (record.endpoint if record is not None else None) or {}
        hosted = record is None and state == "running"
        if hosted:
            endpoint = {"url": getattr(module.endpoint, "url", "")}
        return {
            "name": str(module.name),
            "state": state,
            "hosted": hosted,
            "restarting": starting and record is not None and bool(record.endpoint),
            "engine": str(record.spec.backend if record is not None else ""),
            "type": str((record.spec.payload.get("type") if record is not None else "") or (meta.type if meta is not None else "") or "llm"),
            "reason": reason_of(record),
            "details": details_of(record, meta),
            "fit": self._fit[2] if not starting and state != "running" else None,
            "base": str(getattr(module, "base_model", "") or ""),
            "meta": {
                "parameters": meta.parameters,
                "size": meta.size_bytes,
                "dtype": meta.dtype,
                "context": meta.context_length,
                "architecture": meta.architecture,
            }
            if meta is not None
            else None,
            "steps": self._steps.shown() if starting else [],
            "log": self._log if starting else "",
            "progress": {"done": progress.done, "total": progress.total, "unit": progress.unit, "eta": progress.eta}
            if progress is not None
            else None,
            "started_at": record.started_at if record is not None else None,
            "now": time.time(),
            "failure": {"cause": failure.cause, "fix": failure.fix, "log_tail": failure.log_tail} if failure is not None else None,
            "problem": self._problem,
            "endpoint": str(endpoint.get("url", "")),
            "code": self._code(record),
            "call": call_of(str(getattr(module, "type", "")).lower()),
            "answers": self._answers(record),
            "load": self._load if state == "running" else None,
            "memory": list(self._memory) if state == "running" else [],
            "memory_total": _memory_total(),
            "actions": self._actions(state),
        }

    def _state(self, record: JobRecord | None) -> str:
        if record is not None and record.state.active and record.cancel_requested:
            return "stopping"
        if self._busy == "restart":
            return "preparing"  # the engine that hangs is ended first
        if self._busy and (record is None or not record.state.active):
            return "preparing" if self._busy == "deploy" else "stopping"
        state = str(self._module.state)
        progress = getattr(self._module, "progress", None)
        # Between the call of start() and its job there is the model to find, and perhaps to download.
        return "preparing" if state == "idle" and progress is not None and (progress.text or progress.phase) else state

    def _facts_of_model(self) -> ModelMeta | None:
        """What the files tell; looked at again only when another model would be served. A deployment is not asked: it may hang."""
        key = str(getattr(self._module, "finetuned_model_path", "")) + str(self._module.state)
        if self._meta[0] != key:
            record = self._record()
            path = str(record.spec.payload.get("model") or "") if record is not None else ""
            self._meta = (key, of_files(path) if path else getattr(self._module, "meta", None))
        return self._meta[1]

    def _answers(self, record: JobRecord | None) -> dict[str, Any]:
        since = max(time.time() - _WINDOW, (record.started_at or 0.0) if record is not None else 0.0)
        recent = [c for at, c in list(getattr(self._module, "recent", ())) if at >= since]
        first = [c.timing.first_token for c in recent if c.timing.first_token is not None]
        speeds = [s for c in recent if (s := c.timing.tokens_per_second(c.usage.completion_tokens)) is not None]
        return {
            "count": sum(int(c.details.get("made", 1)) for c in recent),
            "failed": sum(c.finish_reason == "unknown" for c in recent),
            "first_token": statistics.median(first) if first else None,
            "first_tokens": first[-_SHOWN:],
            "speed": statistics.median(speeds) if speeds else None,
            "speeds": speeds[-_SHOWN:],
        }

    def _actions(self, state: str) -> list[str]:
        if self._busy:
            return []
        if state in ("queued", "preparing"):
            return ["cancel"] if self._record() is not None else []
        if state == "running":
            record = self._record()
            if record is None:
                return []
            return ["restart", "stop"] if record.progress.phase == "hung" else ["stop"]
        return ["deploy"] if callable(getattr(self._module, "start", None)) and state != "stopping" else []

    def _code(self, record: JobRecord | None) -> str:
        """Made once for each deployment: which engine would be taken is looked up in the model's files."""
        key = f"{record.id if record is not None else ''} {getattr(self._module, 'finetuned_model_path', '')} {self._meta[1] is None}"
        if self._line[0] != key:
            self._line = (key, code_of(self._module, record, self._meta[1]))
        return self._line[1]

    # ---- what a page asks for

    def _snapshot(self) -> Mapping[str, Any]:
        return {"card": self._view()}

    def _hello(self, **have: Any) -> Any:
        self._awake()
        return self._snapshot()

    def _methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"awake": self._awake, "deploy": self._deploy, "stop": self._stop, "cancel": self._cancel, "restart": self._restart}

    def _deploy(self) -> None:
        self._in_background("deploy", lambda: quietly(self._module.start, self._module))

    def _stop(self) -> None:
        self._in_background("stop", self._module.stop)

    def _restart(self) -> None:
        from ..runtime.deployments.deployment import Deployment

        record = self._record()
        if record is not None:
            self._in_background("restart", lambda: Deployment(record.id).restart())

    def _cancel(self) -> None:
        from ..runtime.work import jobs

        record = self._record()
        if record is not None:
            jobs.stop(record.id, save=False)

    def _in_background(self, what: str, action: Callable[[], Any]) -> None:
        """Do what takes a while; its end, or its error, is seen by the loop."""
        if self._busy:
            return
        self._busy, self._problem = what, None

        def run() -> None:
            try:
                action()
            except Exception as e:
                self._problem = problem(e)
            finally:
                self._busy = ""

        threading.Thread(target=run, name=f"modelcard-{what}", daemon=True).start()
        self._awake()

    # ---- data and static forms

    def to_pandas(self) -> DataFrame:
        """The last answers of this model in this notebook.

        Returns
        -------
        pandas.DataFrame
            Columns ``time`` (UTC), ``first_token`` and ``seconds``, ``prompt_tokens``, ``tokens``, ``tokens_per_second``,
            ``finish_reason``.
        """
        import pandas as pd

        rows = [
            (
                pd.Timestamp(at, unit="s", tz="UTC"),
                c.timing.first_token,
                c.timing.total,
                c.usage.prompt_tokens,
                c.usage.completion_tokens,
                c.timing.tokens_per_second(c.usage.completion_tokens),
                c.finish_reason,
            )
            for at, c in list(getattr(self._module, "recent", ()))
        ]
        columns = ["time", "first_token", "seconds", "prompt_tokens", "tokens", "tokens_per_second", "finish_reason"]
        return pd.DataFrame(rows, columns=columns)

    def _static_html(self) -> str:
        record, meta = self._record(), self._facts_of_model()
        word, tone = chip(record) if record is not None else (say("Idle"), "idle")
        facts = [str(getattr(self._module, "base_model", "")), size(meta.size_bytes) if meta is not None and meta.size_bytes else ""]
        if record is not None:
            facts += [record.spec.backend, str((record.endpoint or {}).get("url", "")), reason_of(record)]
        answers = self._answers(record)
        if answers["first_token"] is not None:
            facts.append(say("first token {time}", time=duration(answers["first_token"])))
        failure = record.failure if record is not None else None
        body = static.why(failure.cause, failure.fix, (say("Cause"), say("Fix")), failure.log_tail) if failure is not None else ""
        return static.card(str(self._module.name), word, tone, [static.escape(f) for f in facts], body)

    def __repr__(self) -> str:
        return repr(self._module)


def _memory_total() -> int:
    import psutil

    return int(psutil.virtual_memory().total)
