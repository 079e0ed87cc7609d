"""The monitor of a job: its curve, its numbers, its log and what can be done with it, live. Follows any job of this home by
its id; stops nothing when it is closed itself.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..core.jobs import JobRecord
from ..errors import JobNotFound
from . import static
from .base import Reply, Widget
from .messages import say
from .metrics import Columns, smoothed
from .record import Facts, view
from .words import amount, chip, duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from ..runtime.work.watch import JobUpdate, JobWatch

_POLL, _TROUBLE = 0.05, 1.0
_LOG_KEPT = 60_000


class HasId(Protocol):
    """Anything that stands for a job."""

    @property
    def id(self) -> str: ...


class Monitor(Widget):
    """A live card of one job.

    Parameters
    ----------
    job : Job or str
        A job, its id, the beginning of one, or its name.
    """

    bundle_name = "monitor"

    def __init__(self, job: HasId | str, **unknown: Any) -> None:
        self._columns = Columns()
        self._generation = 0
        self._log, self._log_end = "", 0
        self._facts = Facts()
        self._record: JobRecord | None = None
        self._watch: JobWatch | None = None
        self._thread: threading.Thread | None = None
        self._start: str = "" if unknown else job if isinstance(job, str) else job.id
        super().__init__(**unknown)
        self._follow(self._start)

    @property
    def job_id(self) -> str:
        """The job that is shown; another one after it was continued from here."""
        return self._watch.job_id if self._watch else ""

    # ---- following

    def _follow(self, job_id: str) -> None:
        from ..runtime.work.watch import JobWatch

        with self._lock:
            watch = JobWatch(job_id)  # raises when there is no such job
            self._watch, self._facts = watch, Facts()
            self._columns, self._generation = Columns(), self._generation + 1
            self._log, self._log_end = "", 0
            self._take(watch.poll())
        thread = self._thread = threading.Thread(target=self._loop, args=(watch,), name=f"monitor-{watch.job_id}", daemon=True)
        thread.start()

    def _loop(self, watch: JobWatch) -> None:
        while watch is self._watch and not self._closing.is_set():
            try:
                with self._lock:
                    if watch is not self._watch:
                        return
                    update = watch.poll()
                    news = self._take(update)
                    over = update is None and not self._active
            except JobNotFound:
                return  # its home was removed, or another one is the current one
            except (OSError, sqlite3.Error):
                self._closing.wait(_TROUBLE)
                continue
            if news is not None:
                self.news(*news)
            if over:
                self._renew()
                return
            self._closing.wait(_POLL)

    @property
    def _active(self) -> bool:
        return self._record is None or self._record.state.active

    def _take(self, update: JobUpdate | None) -> tuple[dict[str, Any], bytes] | None:
        """Keep what is new, and say it as a message."""
        if update is None:
            return None
        if update.fresh and self._columns.count:
            self._columns, self._generation = Columns(), self._generation + 1
            self._facts = Facts()
        self._record = update.record
        self._facts.take(update.events)
        start, log_at = self._columns.count, self._log_end
        self._columns.extend(update.metrics)
        self._log = (self._log + update.log)[-_LOG_KEPT:]
        self._log_end += len(update.log)
        return self._message(start, log_at)

    def _message(self, start: int, log_at: int) -> tuple[dict[str, Any], bytes]:
        names, data = self._columns.piece(start)
        count = self._columns.count - start
        first = max(log_at, self._log_end - len(self._log))
        content = {
            "job": view(self._record, self._facts) if self._record else None,
            "gen": self._generation,
            "from": start,
            "count": count,
            "names": names,
            "log": self._log[len(self._log) - (self._log_end - first) :] if self._log_end > first else "",
            "log_at": first,
        }
        return content, data if count else b""

    def close(self) -> None:
        super().close()
        self._watch = None

    # ---- what a page asks for

    def _snapshot(self) -> Mapping[str, Any]:
        return self._message(0, 0)[0]

    def _packed(self) -> bytes:
        return self._message(0, 0)[1]

    def _hello(self, have: int = 0, log_end: int = 0, gen: int = 0, **_: Any) -> Reply:
        same = gen == self._generation
        return Reply(*self._message(have if same else 0, log_end if same else 0))

    def _methods(self) -> Mapping[str, Callable[..., Any]]:
        from ..runtime.work import jobs

        return {
            "stop": lambda: self._do(jobs.stop, save=True),
            "cancel": lambda: self._do(jobs.stop, save=False),
            "save": lambda: self._do(jobs.command, "save"),
            "pause": lambda: self._do(jobs.command, "pause"),
            "unpause": lambda: self._do(jobs.command, "resume"),
            "continue": self._resume,
            "again": self._resume,
            "preview": self._preview,
        }

    def _do(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        action(self.job_id, *args, **kwargs)

    def _resume(self) -> None:
        from ..runtime.work import jobs

        self._follow(jobs.resume(self.job_id).id)
        self.news(*self._message(0, 0))

    def _preview(self) -> dict[str, Any]:
        from .preview import first_rows

        train = self._record.spec.payload.get("train") if self._record else None
        path = str(train["path"]) if isinstance(train, Mapping) else ""
        return {"rows": first_rows(path) if path else [], "path": path}

    # ---- data and static forms

    def to_pandas(self) -> DataFrame:
        """What was measured, one row per step; see `Job.metrics`."""
        from ..runtime.work.jobs import all_metrics
        from ..runtime.work.metrics import as_frame

        return as_frame(all_metrics(self.job_id))

    def plot(self) -> Figure:
        """The loss by step as a matplotlib figure: raw, smoothed with 0.90, and the evaluations."""
        import matplotlib.pyplot as plt

        with self._lock:
            train, judged = self._columns.known("loss"), self._columns.known("eval_loss")
        figure, axes = plt.subplots(figsize=(7, 3))
        axes.plot(*train, color="C0", alpha=0.26, linewidth=1)
        axes.plot(train[0], smoothed(train[1]), color="C0", label=say("train"))
        if judged[0]:
            axes.plot(*judged, "o-", color="C4", markersize=4, linewidth=1, label=say("eval"))
        axes.set(xlabel=say("Step"), ylabel=say("Loss"), title=self._record.name if self._record else "")
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.legend(frameon=False)
        figure.tight_layout()
        plt.close(figure)  # else the notebook shows it a second time at the end of the cell
        return figure

    def _static_html(self) -> str:
        record = self._record
        if record is None:
            return ""
        train, judged = self._columns.known("loss"), self._columns.known("eval_loss")
        shown = view(record, self._facts)
        word, tone = chip(record)
        took = (record.ended_at or time.time()) - record.started_at if record.started_at else None
        steps = say("step {step} / {steps}", step=amount(record.step), steps=amount(record.max_steps)) if record.step is not None else ""
        best = f"{say('Best eval')} {min(judged[1]):.3f}" if judged[1] else ""
        facts = [static.escape(f) for f in (shown["base"], shown["method"], steps, duration(took), best)]
        failure = record.failure
        body = static.why(failure.cause, failure.fix, (say("Cause"), say("Fix")), failure.log_tail) if failure else ""
        chart = static.loss_chart(train, smoothed(train[1]), judged, (say("train"), say("eval")))
        return static.card(record.name, word, tone, facts, body, chart)

    def __repr__(self) -> str:
        record = self._record
        if record is None:
            return "<Monitor>"
        step = f", step {record.step} of {record.max_steps}" if record.step is not None else ""
        return f"<Monitor {record.name!r} ({record.id}): {record.state}{step}>"
