"""Waits for a deployment whose engine is being started again, so that whoever asks meanwhile is answered later and not refused.

Sends nothing and starts nothing. While it waits, one line for all who wait for the same deployment says why, and in which attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from ...core.endpoints import Endpoint
from ...core.jobs import JobRecord, JobState
from ..work import jobs
from ..work.front_end import StatusLine

_SEEN_SECONDS = 3.0  # that a supervisor may take to see that its engine died
_LOOK_SECONDS = 0.1
_QUIET_SECONDS = 1.0  # before a wait is worth a word
_waiting: Counter[str] = Counter()


async def comeback(endpoint: Endpoint, limit: float) -> Endpoint | None:
    """Where a deployment answers that could not be reached, once its engine has been started again.

    Parameters
    ----------
    endpoint : Endpoint
        Where it was looked for.
    limit : float
        The most seconds to wait.

    Returns
    -------
    Endpoint or None
        None where it is not being started again, has been given up or stopped, or needs longer.

    Raises
    ------
    WorkbenchError
        When the adapter that is asked for cannot be loaded again.
    """
    began, died = time.monotonic(), False
    came_up = jobs.store().tally(endpoint.job_id, "ready")[0]
    with _line(endpoint.job_id) as line:
        while (waited := time.monotonic() - began) < limit:
            record = jobs.store().job(endpoint.job_id)
            if not record.state.active or record.state is JobState.STOPPING or record.cancel_requested:
                return None
            if record.state is JobState.RUNNING:
                url = str((record.endpoint or {}).get("url", ""))
                if died or _place(url) != _place(endpoint.url) or jobs.store().tally(record.id, "ready")[0] > came_up:
                    return await _adapted(replace(endpoint, url=_moved(endpoint.url, url)))
                if waited > _SEEN_SECONDS:
                    return None
            else:
                died = True
                if line is not None and waited > _QUIET_SECONDS:
                    line.show(_words(record, waited))
            await asyncio.sleep(_LOOK_SECONDS)
    return None


async def _adapted(endpoint: Endpoint) -> Endpoint:
    """The same; an adapter that was loaded while the engine ran has been forgotten with it, and is loaded again."""
    if path := endpoint.options.get("adapter"):
        from .adapters import load

        await asyncio.to_thread(load, endpoint, endpoint.model, path)
    return endpoint


@contextlib.contextmanager
def _line(job_id: str) -> Iterator[StatusLine | None]:
    """The line of the first who waits; it goes when that one has its answer."""
    line = None if _waiting[job_id] else StatusLine()
    _waiting[job_id] += 1
    try:
        yield line
    finally:
        _waiting[job_id] -= 1
        if line is not None:
            line.clear()


def _words(record: JobRecord, waited: float) -> str:
    return f"{record.name} · waiting for its engine · {record.progress.text} · {waited:.0f} s"


def _place(url: str) -> str:
    return urlsplit(url).netloc


def _moved(before: str, now: str) -> str:
    """The address that was asked, at the place where the engine answers now."""
    return urlsplit(before)._replace(netloc=_place(now)).geturl()
