"""The result of an evaluation, live while it runs and complete after it. Does not know how rows are made.

One writer appends rows from any thread; readers look at any time and may ask to be told of changes. Every row is on disk before
anybody sees it (`journal`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..core.messages import Usage
from ..errors import DataError
from . import journal
from .coalesce import Coalesced
from .identity import Identity
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
    identity : Identity
        What was asked and with what, so that `evaluate` knows whether it may go on where this one ended.

    Notes
    -----
    A result reads like the list of its answers: ``len``, indexing, iterating and comparing with a list go over `outputs`.
    """

    def __init__(
        self,
        name: str,
        models: Sequence[str],
        measures: Sequence[Measure] = (),
        total: int = 0,
        *,
        facts: Mapping[str, Any] | None = None,
        identity: Identity | None = None,
        id: str = "",
        keep: bool = True,
    ) -> None:
        self.id = id or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"
        self.name, self.models, self.total = name, tuple(models), total
        self.measures = tuple(measures)
        if not any(m.name == LATENCY for m in self.measures):
            self.measures += (LATENCY_MEASURE,)
        self.facts: dict[str, Any] = dict(facts or {})
        self.identity = identity or Identity()
        self.state: State = "running"
        self.started_at = time.time()
        self.ended_at: float | None = None
        self.shown_in: int | None = None  # the notebook's cell whose output holds the live table
        self._spent = 0.0  # seconds of earlier runs that this one completes
        self._rows: dict[int, EvalRow] = {}
        self._sorted: list[EvalRow] | None = None
        self._done = self._errors = self._version = 0
        self._summaries: dict[tuple[int, int | None], tuple[int, list[ScoreSummary]]] = {}
        self._lock = threading.Lock()
        self._watchers: list[Coalesced] = []
        self._stop: Callable[[], object] | None = None
        self._ended = threading.Event()
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
            if self._sorted is None:
                self._sorted = sorted(self._rows.values(), key=lambda r: r.index)
            return list(self._sorted)

    def row(self, index: int) -> EvalRow | None:
        """The row of that number in the evaluation set; None while it is not there."""
        return self._rows.get(index)

    @property
    def outputs(self) -> list[Any]:
        """The answers in the order of the evaluation set, None where there is none; tuples where several models were asked."""
        return [r.outputs[0].value if len(self.models) == 1 else tuple(o.value for o in r.outputs) for r in self.rows]

    @property
    def done(self) -> int:
        """How many rows were asked and answered, errors included."""
        return self._done

    @property
    def errors(self) -> int:
        """How many rows have an error instead of an answer."""
        return self._errors

    @property
    def usage(self) -> Usage:
        """Tokens that the models took, all rows together."""
        return sum((o.usage for r in self.rows for o in r.outputs), Usage())

    @property
    def judge_usage(self) -> Usage:
        """Tokens that models as judges took, all rows together."""
        return sum((o.judge_usage for r in self.rows for o in r.outputs), Usage())

    @property
    def elapsed(self) -> float:
        """Seconds since the start, or that it took; of an evaluation that was completed later, without the time between."""
        return self._spent + (self.ended_at or time.time()) - self.started_at

    @property
    def eta(self) -> float | None:
        """About how many seconds are left; None when unknown or over."""
        done = self._done
        return self.elapsed / done * (self.total - done) if self.state == "running" and done else None

    @property
    def path(self) -> Path | None:
        """The file that holds the rows, or None for a result that is not kept."""
        return self._journal.path if self._journal else None

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self.outputs[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.outputs)

    def __eq__(self, other: object) -> bool:
        return self.outputs == other if isinstance(other, list) else self is other

    __hash__ = object.__hash__

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
        version = self._version
        known = self._summaries.get((baseline, candidate))
        if known is not None and known[0] == version:
            return list(known[1])
        rows = self.rows
        measured = any(o.latency is not None for r in rows for o in r.outputs)
        measures = [m for m in self.measures if measured or m.name != LATENCY]
        made = [summarise(rows, m, len(self.models), baseline=baseline, candidate=candidate) for m in measures]
        self._summaries[baseline, candidate] = version, made
        return list(made)

    def to_pandas(self) -> pd.DataFrame:
        """One line a row and model.

        Returns
        -------
        DataFrame
            Columns row, input, expected, model, output, error, skipped, one a scorer, latency and first_token (seconds),
            prompt_tokens, completion_tokens; cost (US dollars) and judge_tokens where there are any.
        """
        from .frame import frame_of

        return frame_of(self)

    # What the runner does

    def append(self, row: EvalRow) -> None:
        """Add a finished row: to disk, then to the result, then to whoever watches."""
        self._note("row", journal.row_to_json(row))
        self._add(row)
        self._changed()

    def _add(self, row: EvalRow) -> None:
        with self._lock:
            before = self._rows.get(row.index)
            self._rows[row.index] = row
            self._done += (not row.skipped) - (before is not None and not before.skipped)
            self._errors += row.failed - (before is not None and before.failed)
            self._sorted = None
            self._version += 1

    def finish(self, state: State = "finished") -> None:
        """Say that no more rows come."""
        with self._lock:
            if self.state != "running":
                return
            self.ended_at = time.time()
            self.state = state
            self._version += 1
        self._note("end", {"state": state, "ended_at": self.ended_at, "models": self.identity.after})
        if self._journal:
            self._journal.close()
        self._ended.set()
        self._changed()

    def reopen(self) -> None:
        """Say that further rows come to an evaluation that had ended."""
        with self._lock:
            self._spent, self.started_at = self.elapsed, time.time()
            self.state, self.ended_at = "running", None
            self._version += 1
        self._ended.clear()
        self._note("resumed", {"started_at": self.started_at, "spent": self._spent})
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
        self._ended.wait(timeout)
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
        from .frame import training_of

        target = Path(path).expanduser().absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(report.html(self, metrics=training_of(self) if metrics is None else metrics), encoding="utf-8")
        announce.saved(self, target)
        return target

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
        identity = Identity.from_json(head.get("identity") or {})
        result = cls(head["name"], head["models"], measures, head["total"], facts=head["facts"], identity=identity, id=head["id"], keep=False)
        result.started_at, result.state = head["started_at"], "cancelled"
        for kind, data in lines:
            if kind == "row":
                result._add(journal.row_from_json(data))
            elif kind == "end":
                result.state, result.ended_at, identity.after = data["state"], data["ended_at"], data.get("models")
            elif kind == "resumed":
                result.state, result.ended_at, result.started_at, result._spent = "cancelled", None, data["started_at"], data["spent"]
        result.ended_at = result.ended_at or path.stat().st_mtime
        result._journal = journal.Journal(path)
        result._ended.set()
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
            "identity": self.identity.to_json(),
        }

    def _note(self, kind: str, data: Mapping[str, Any]) -> None:
        if self._journal:
            self._journal.write(kind, data)

    def _changed(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()
