"""The result of an evaluation, live while it runs and complete after it. Does not know how rows are made.

One writer appends rows from any thread; readers look at any time and may ask to be told of changes. Every row is on disk before
anybody sees it (`journal`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..errors import DataError, JobNotFound
from . import journal
from .coalesce import Coalesced
from .summary import summarise
from .values import LATENCY, LATENCY_MEASURE, EvalCase, EvalOutput, EvalRow, Measure, ScoreSummary, State, Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EvalCase", "EvalOutput", "EvalResult", "EvalRow", "Measure", "ScoreSummary", "State", "Verdict"]


class EvalResult:
    """Outputs and scores of one or more models over one evaluation set.

    Attributes
    ----------
    id : str
        Names the folder under ``WORKBENCH_HOME/evals`` where the rows are.
    name : str
        What people see.
    models : tuple of str
        One label a model; the first is the baseline.
    measures : tuple of Measure
        One a scorer, and one of the latency; `scorers` has the scorers' names, which are the keys of ``EvalOutput.scores``.
    state : str
        ``running``, ``finished`` or ``cancelled``.
    total : int
        Rows that were asked for.
    facts : dict
        Where, when and with what it ran; JSON values.
    """

    def __init__(
        self,
        name: str,
        models: Sequence[str],
        measures: Sequence[Measure] = (),
        total: int = 0,
        *,
        facts: Mapping[str, Any] | None = None,
        id: str = "",
        keep: bool = True,
    ) -> None:
        self.id = id or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"
        self.name, self.models, self.total = name, tuple(models), total
        self.measures = tuple(measures)
        if not any(m.name == LATENCY for m in self.measures):
            self.measures += (LATENCY_MEASURE,)
        self.facts: dict[str, Any] = dict(facts or {})
        self.state: State = "running"
        self.started_at = time.time()
        self.ended_at: float | None = None
        self.shown_in: int | None = None  # the notebook's cell whose output holds the live table
        self._rows: list[EvalRow] = []
        self._lock = threading.Lock()
        self._watchers: list[Coalesced] = []
        self._stop: Callable[[], object] | None = None
        self._done = threading.Event()
        self._journal = journal.Journal(journal.folder_of(self.id) / journal.FILE) if keep else None
        self._note("head", self._head())

    # What is there

    @property
    def scorers(self) -> tuple[str, ...]:
        """Names of the scorers."""
        return tuple(m.name for m in self.measures if m.name != LATENCY)

    @property
    def rows(self) -> list[EvalRow]:
        """A snapshot of the rows so far, in the order of the evaluation set."""
        with self._lock:
            return sorted(self._rows, key=lambda r: r.index)

    @property
    def done(self) -> int:
        """How many rows were asked and answered, errors included."""
        with self._lock:
            return sum(not r.skipped for r in self._rows)

    @property
    def errors(self) -> int:
        """How many rows have an error instead of an answer."""
        with self._lock:
            return sum(r.failed for r in self._rows)

    @property
    def elapsed(self) -> float:
        """Seconds since the start, or that it took."""
        return (self.ended_at or time.time()) - self.started_at

    @property
    def eta(self) -> float | None:
        """About how many seconds are left; None when unknown or over."""
        done = self.done
        return self.elapsed / done * (self.total - done) if self.state == "running" and done else None

    @property
    def path(self) -> Path | None:
        """The file that holds the rows, or None for a result that is not kept."""
        return self._journal.path if self._journal else None

    def __len__(self) -> int:
        return len(self._rows)

    def summary(self, *, baseline: int = 0, candidate: int | None = None) -> list[ScoreSummary]:
        """One summary a scorer, and one of the latency.

        Parameters
        ----------
        baseline, candidate : int
            Which models to compare; the first with the last by default.

        Returns
        -------
        list of ScoreSummary
            In the order of the scorers; latency last, where any was measured.
        """
        rows = self.rows
        measured = any(o.latency is not None for r in rows for o in r.outputs)
        measures = [m for m in self.measures if measured or m.name != LATENCY]
        return [summarise(rows, m, len(self.models), baseline=baseline, candidate=candidate) for m in measures]

    def to_pandas(self) -> pd.DataFrame:
        """One line a row and model.

        Returns
        -------
        DataFrame
            Columns row, input, expected, model, output, error, skipped, one a scorer, latency and first_token (seconds),
            prompt_tokens, completion_tokens.
        """
        import pandas as pd

        def line(row: EvalRow, model: str, o: EvalOutput) -> list[Any]:
            asked = [row.index, row.input, row.expected, model, o.value, o.error, o.skipped]
            cost = [o.latency, o.first_token, o.usage.prompt_tokens, o.usage.completion_tokens]
            return [*asked, *(o.scores.get(s) for s in self.scorers), *cost]

        columns = ["row", "input", "expected", "model", "output", "error", "skipped", *self.scorers]
        columns += ["latency", "first_token", "prompt_tokens", "completion_tokens"]
        lines = [line(row, model, o) for row in self.rows for model, o in zip(self.models, row.outputs, strict=False)]
        frame = pd.DataFrame(lines, columns=columns)
        numbers = [*self.scorers, "latency", "first_token"]
        frame[numbers] = frame[numbers].astype(float)
        return frame

    # What the runner does

    def append(self, row: EvalRow) -> None:
        """Add a finished row: to disk, then to the result, then to whoever watches."""
        self._note("row", journal.row_to_json(row))
        with self._lock:
            self._rows.append(row)
        self._changed()

    def finish(self, state: State = "finished") -> None:
        """Say that no more rows come."""
        with self._lock:
            if self.state != "running":
                return
            self.state, self.ended_at = state, time.time()
        self._note("end", {"state": state, "ended_at": self.ended_at})
        self._done.set()
        self._changed()

    def set_stop(self, stop: Callable[[], object]) -> None:
        """Tell the result how its run is stopped."""
        self._stop = stop

    # What a user does

    def stop(self) -> None:
        """Ask the run to stop; what is there stays, the rest is marked as skipped. Returns at once."""
        if self.state == "running" and self._stop:
            self._stop()

    def wait(self, timeout: float | None = None) -> EvalResult:
        """Wait until no more rows come, at most ``timeout`` seconds, and return the result."""
        self._done.wait(timeout)
        return self

    def on_change(self, callback: Callable[[], None], *, interval: float = 0.05) -> Callable[[], None]:
        """Call back after changes, at most once in ``interval`` seconds and always after the last; any thread may call.

        Returns
        -------
        callable
            Ends the calls.
        """
        watcher = Coalesced(callback, interval)
        with self._lock:
            self._watchers.append(watcher)

        def forget() -> None:
            with self._lock:
                if watcher in self._watchers:
                    self._watchers.remove(watcher)
            watcher.close()

        return forget

    def save_html(self, path: str | Path, *, metrics: pd.DataFrame | None = None) -> Path:
        """Write one self-contained HTML file that reads without a kernel, a network or JavaScript.

        Parameters
        ----------
        path : path
            Where to; folders are made.
        metrics : DataFrame, optional
            The training that led here, as ``Job.metrics()`` gives it, drawn as a loss curve; that of the last model's own
            fine-tuning when it has one.

        Returns
        -------
        Path
            The absolute path of the file.
        """
        from . import announce, report

        target = Path(path).expanduser().absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(report.html(self, metrics=self._training() if metrics is None else metrics), encoding="utf-8")
        announce.saved(self, target)
        return target

    def _training(self) -> pd.DataFrame | None:
        """What the fine-tuning of the last model measured, where its job is still there."""
        job = self.facts.get("models", {}).get(self.models[-1], {}).get("job") if self.models else None
        if not job:
            return None
        from ..runtime import jobs
        from ..runtime.metrics import as_frame

        with contextlib.suppress(JobNotFound):
            return as_frame(jobs.all_metrics(job))
        return None

    def to_markdown(self) -> str:
        """The summary as a Markdown table."""
        from .text import markdown

        return markdown(self)

    def __str__(self) -> str:
        from .text import plain

        return plain(self)

    def __repr__(self) -> str:
        return f"<EvalResult {self.name!r} {' vs '.join(self.models)}: {self.done} of {self.total} rows, {self.state}>"

    def _ipython_display_(self) -> None:
        from .show import take

        if not take(self):
            raise NotImplementedError  # IPython then asks for the bundle

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from .show import mimebundle

        return mimebundle(self, include, exclude)

    # On disk

    @classmethod
    def load(cls, which: str | Path = "") -> EvalResult:
        """A result from disk.

        Parameters
        ----------
        which : str or Path
            An id, a path of a ``result.jsonl`` or its folder; the newest of this home when empty.

        Raises
        ------
        DataError
            When there is none, or the file is not an evaluation's.
        """
        path = journal.find(which)
        lines = journal.read(path)
        kind, head = next(lines, ("", {}))
        if kind != "head":
            raise DataError(f"{path} is not the file of an evaluation.", "Its first line is not a head line.")
        measures = [Measure(**m) for m in head["measures"]]
        result = cls(head["name"], head["models"], measures, head["total"], facts=head["facts"], id=head["id"], keep=False)
        result.started_at, result.state = head["started_at"], "cancelled"
        for kind, data in lines:
            if kind == "row":
                result._rows.append(journal.row_from_json(data))
            elif kind == "end":
                result.state, result.ended_at = data["state"], data["ended_at"]
        result.ended_at = result.ended_at or path.stat().st_mtime
        result._journal = journal.Journal(path)
        result._done.set()
        return result

    def _head(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "models": list(self.models),
            "measures": [asdict(m) for m in self.measures],
            "total": self.total,
            "started_at": self.started_at,
            "facts": self.facts,
        }

    def _note(self, kind: str, data: Mapping[str, Any]) -> None:
        if self._journal:
            self._journal.write(kind, data)

    def _changed(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()
