"""Turns the lines a runner wrote into what the store keeps. Does not write them, nor know which runner it was.

The protocol is described in `workbench.core.jobs`.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ...core.endpoints import Endpoint
from ...core.jobs import JobState, Progress
from ...core.protocols import JobPlace
from ...store.writer import Batch

_CHUNK = 1 << 20
_LARGE = 8 << 20  # bytes of a server's events that are kept: it may report for weeks
_SETTLE_SECONDS = 0.02  # a writer that has opened the file has written its line by then
_PACE = 50  # steps over which the speed is measured that tells the time left
_PROGRESS = {f.name for f in fields(Progress)}
_ENDPOINT = {f.name for f in fields(Endpoint)}


class Ingest:
    """Reads the events of one job, from where its store ends.

    Parameters
    ----------
    place : JobPlace
        The job's files.
    offset : int
        How many bytes of the events are in the store already.
    result : Mapping
        The result so far.
    resumes : bool
        The job continues another: the step at which its runner begins is where the other's rows end.

    Attributes
    ----------
    listening : bool
        A runner has said that it is in its loop, where it reads its control file; told anew per stage.
    error : str
        The last error that a runner reported.
    ready_at : float or None
        When a server said that it answers, seconds since the epoch; told anew per stage.
    url : str
        Where a server answered last.
    result_at : float
        When the last result was reported, seconds since the epoch.
    """

    def __init__(self, place: JobPlace, offset: int = 0, result: Mapping[str, Any] | None = None, resumes: bool = False) -> None:
        self._place, self._offset, self._resumes = place, offset, resumes
        self.result = dict(result or {})
        self._pace: deque[tuple[float, int]] = deque(maxlen=_PACE)
        self._max_steps: int | None = None
        self._begun = False
        self._note = ""
        self.listening = False
        self.error = self.url = ""
        self.ready_at: float | None = None
        self.result_at = 0.0

    def begin_stage(self) -> None:
        """Another process reports from now on."""
        self.listening, self.error, self.ready_at = False, "", None
        self.result.pop("ended", None)

    def begin_again(self, note: str) -> None:
        """A server is started again: its next word that it answers makes the job run once more."""
        self._begun, self._note = False, note

    def noted(self, text: str) -> str:
        """What a runner says it does, and in which attempt."""
        return f"{text} · {self._note}" if self._note and text else text

    def read(self, final: bool = False) -> Batch | None:
        """The next batch, None when there is nothing new. With ``final`` a last line without an end counts, too."""
        if self._offset > _LARGE and self.ready_at is not None and not final:
            return self._turn_over()
        try:
            with self._place.events.open("rb") as f:
                f.seek(self._offset)
                data = f.read(_CHUNK)
                while len(data) % _CHUNK == 0 and data and b"\n" not in data:  # a line longer than a chunk
                    more = f.read(_CHUNK)
                    if not more:
                        break
                    data += more
        except FileNotFoundError:
            return None
        end = data.rfind(b"\n") + 1
        if final and end == 0:
            end = len(data)
        if end == 0:
            return None
        batch = Batch(begin=self._offset, end=self._offset + end)
        for line in data[:end].splitlines():
            if line.strip():
                self._take(line, batch)
        self._offset = batch.end
        return batch

    def _turn_over(self) -> Batch:
        """Begin a new file of events, for a runner opens it anew for each line; the rest of the old one is the batch."""
        old = self._place.events.with_suffix(".old")
        os.replace(self._place.events, old)
        time.sleep(_SETTLE_SECONDS)
        with old.open("rb") as f:
            f.seek(self._offset)
            data = f.read()
        batch = Batch(begin=self._offset, end=0)
        for line in data.splitlines():
            if line.strip():
                self._take(line, batch)
        old.unlink()
        self._offset = 0
        return batch

    def _take(self, line: bytes, batch: Batch) -> None:
        try:
            data = json.loads(line)
            event, at = str(data.pop("event")), float(data.pop("time", None) or time.time())
        except (ValueError, KeyError, TypeError, AttributeError):
            text = line.decode(errors="replace")
            batch.events.append((time.time(), "notice", {"level": "warning", "text": f"A runner wrote a line that is no event: {text[:500]}"}))
            return
        if event == "metric" and data.get("step") is not None:
            self._metric(data, at, batch)
            return
        batch.events.append((at, event, data))
        if event == "begin":
            self._begin(data, at, batch)
        elif event == "progress":
            told = Progress(**{k: v for k, v in data.items() if k in _PROGRESS})
            batch.changes["progress"] = replace(told, text=self.noted(told.text))
        elif event == "ready":
            endpoint = {"key_file": str(self._place.key), **data, "job_id": self._place.job_id}
            batch.changes["endpoint"] = Endpoint(**{k: v for k, v in endpoint.items() if k in _ENDPOINT}).to_json()
            batch.changes["progress"] = Progress("ready", "Ready")
            self.ready_at, self.url, self._note = at, str(endpoint.get("url", "")), ""
            self._run(batch)
        elif event == "result":
            self.result.update(data.get("values") or {})
            self.result_at = at
            batch.changes["result"] = dict(self.result)
        elif event == "error":
            self.error = f"{data.get('type', 'Error')}: {data.get('message', '')}"

    def _begin(self, data: Mapping[str, Any], at: float, batch: Batch) -> None:
        self.listening = True
        self._pace.clear()
        self._run(batch)
        step = data.get("step")
        if step is not None:
            if self._resumes:
                self._resumes = False
                batch.changes["parent_step"] = int(step)
            self._steps(int(step), data.get("max_steps"), at, batch)

    def _metric(self, data: Mapping[str, Any], at: float, batch: Batch) -> None:
        step, epoch = int(data["step"]), data.get("epoch")
        values = {k: float(v) for k, v in (data.get("values") or {}).items() if isinstance(v, int | float)}
        batch.metrics.append((step, None if epoch is None else float(epoch), at, values))
        if self.ready_at is not None:  # a server's load is no step of a training
            return
        self._run(batch)
        self._steps(step, data.get("max_steps"), at, batch)

    def _steps(self, step: int, max_steps: int | None, at: float, batch: Batch) -> None:
        self._max_steps = max_steps or self._max_steps
        if not self._pace or self._pace[-1][1] != step:
            self._pace.append((at, step))
        batch.changes["step"] = step
        if not self._max_steps:
            return
        batch.changes["max_steps"] = self._max_steps
        (first_time, first_step), (last_time, last_step) = self._pace[0], self._pace[-1]
        taken = last_step - first_step
        eta = (self._max_steps - step) * (last_time - first_time) / taken if taken > 0 else None
        batch.changes["progress"] = Progress("train", "Training", float(step), float(self._max_steps), "steps", eta)

    def _run(self, batch: Batch) -> None:
        if not self._begun:
            self._begun = True
            batch.changes["state"] = JobState.RUNNING
