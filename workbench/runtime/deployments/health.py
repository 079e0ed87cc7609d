"""How a deployment is, in one word: it is asked, and what its supervisor saw is told with it. Changes nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ...core.endpoints import Endpoint
from ...core.jobs import JobRecord, JobState
from ..supervision import vitals
from ..work.words import detail, state_word
from .load import Load

HUNG, BUSY = "hung", "busy"
"""Phases of a running deployment's progress, written by its supervisor: it does not answer, and works or does nothing."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a deployment is. True when it answers.

    Attributes
    ----------
    word : str
        ``running``; ``busy`` (it answers and requests wait, or it works and does not answer); ``not answering``; ``starting``,
        ``restarting`` or ``stopping``; ``ended``.
    ok : bool
        Whether it takes requests.
    seconds : float or None
        How long its answer took; None where there was none.
    since : float or None
        Since when it has not answered, seconds since the epoch, where its supervisor saw that.
    detail : str
        The reason, or what it does.
    """

    word: str
    ok: bool
    seconds: float | None = None
    since: float | None = None
    detail: str = ""

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        when = f" since {time.strftime('%H:%M:%S', time.localtime(self.since))}" if self.since else ""
        return f"{self.word}{when}" + (f": {self.detail}" if self.detail else "")


def of_address(endpoint: Endpoint, limit: float = vitals.LIMIT) -> Health:
    """The health of a server that somebody else runs."""
    pulse = vitals.feel(endpoint.url, limit)
    if pulse.answered:  # whoever has no such page, or wants a key for it, lives as well
        return Health("running", pulse.status < 500, pulse.seconds, detail="" if pulse.status < 500 else f"/health answers {pulse.status}")
    return Health("not answering", False, detail=pulse.cause)


def of_deployment(record: JobRecord, load: Load, limit: float = vitals.LIMIT) -> Health:
    """The health of a deployment, which is asked when it should answer."""
    if record.state is not JobState.RUNNING or not record.endpoint:
        word = state_word(record).lower() if record.state.active else "ended"
        return Health(word, False, detail=detail(record) if record.state.active else f"{state_word(record).lower()}. {detail(record)}".strip())
    pulse = vitals.feel(str(record.endpoint["url"]), limit)
    since = record.progress.done if record.progress.phase in (HUNG, BUSY) else None
    if not pulse.answered:
        return Health("busy" if record.progress.phase == BUSY else "not answering", False, None, since, pulse.cause)
    if pulse.status >= 500:
        return Health("busy", False, pulse.seconds, since, f"/health answers {pulse.status}")
    if load.waiting:
        return Health("busy", True, pulse.seconds, detail=f"{load.waiting:g} requests wait")
    return Health("running", True, pulse.seconds)
