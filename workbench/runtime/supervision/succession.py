"""A deployment that takes the place of others, told from a file that whoever asked for it has put into its job's folder. Its supervisor
does it, so that it happens also when that notebook's kernel is gone by then.

    id of the others   they end once this one answers; with ``first`` before it starts, because there is no room for both, and come back
                       when this one fails before it has answered

Knows neither why nor how a deployment ends; `joining` does.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.jobs import JobRecord
from ...core.protocols import JobPlace
from ...errors import WorkbenchError

FILE = "succession.json"


@dataclass(frozen=True, slots=True)
class Succession:
    """Whose place a deployment takes.

    Attributes
    ----------
    others : tuple of str
        The jobs.
    at : float
        When it was asked for, seconds since the epoch: one that somebody joined after that stays.
    first : bool
        They end before this one starts.
    """

    others: tuple[str, ...] = ()
    at: float = 0.0
    first: bool = False

    @staticmethod
    def of(place: JobPlace) -> Succession:
        """What the job's folder tells; nobody's place where it tells nothing."""
        try:
            told = json.loads((place.folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Succession()
        return Succession(tuple(told["others"]), float(told["at"]), bool(told["first"]))

    def files(self) -> dict[str, str]:
        """What is put into the folder."""
        return {FILE: json.dumps({"others": self.others, "at": self.at, "first": self.first})} if self.others else {}

    def take(self, by: str) -> list[str]:
        """End the others and wait for that; the ids of those that have ended."""
        from ..deployments import joining
        from ..work import jobs

        old = list[JobRecord]()
        for job_id in self.others:
            with contextlib.suppress(WorkbenchError):  # its row was deleted
                old.append(jobs.store().job(job_id))
        return [record.id for record in joining.replace([r for r in old if r.state.active], by, self.at)]


def give_back(others: Sequence[str]) -> None:
    """Start deployments again that had ended for one that did not come up, as they were; none that somebody has brought back already."""
    from ..work import jobs

    for job_id in others:
        with contextlib.suppress(WorkbenchError):  # what ended this one is told; the others' own errors are in their records
            if not any(r.spec.parent == job_id for r in jobs.store().jobs("deploy", True, 10_000)):
                jobs.resume(job_id)
