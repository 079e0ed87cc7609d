"""What changes, told to every page over the event bus that JupyterLab holds open anyway. One pump, however many pages watch.

The pump works only while somebody watches: each request for the list of jobs is a promise to watch for a minute more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .jobs_view import JobsView

SCHEMA: dict[str, Any] = {
    "$id": "urn:jupyter-llm-workbench:jobs",
    "version": "1",
    "title": "Jobs of the workbench",
    "description": "The jobs whose row or curve changed since the last message, each in the form of GET workbench/jobs.",
    "type": "object",
    "properties": {"jobs": {"type": "array", "items": {"type": "object"}}},
    "required": ["jobs"],
}
WATCH_SECONDS = 60.0
LIVENESS_SECONDS = 2.0  # a supervisor that dies writes nothing, so look now and then without being told


class Pump:
    """Looks at the store and emits what changed.

    Parameters
    ----------
    view : JobsView
        What pages see of the jobs.
    emit : callable
        Sends one message; called on the event loop.
    interval : float
        Seconds between looks; whatever changes in between goes out in one message.
    """

    def __init__(self, view: JobsView, emit: Callable[[dict[str, Any]], None], interval: float) -> None:
        self._view, self._emit, self._interval = view, emit, interval
        self._until = 0.0
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Somebody is there: work for a minute more. To be called on the event loop."""
        self._until = time.monotonic() + WATCH_SECONDS
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End at once."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        looked = 0.0
        while time.monotonic() < self._until:
            force = time.monotonic() - looked > LIVENESS_SECONDS
            if force:
                looked = time.monotonic()
            try:
                changed = await asyncio.to_thread(self._view.changes, force=force)
                if changed:
                    self._emit({"jobs": changed})
            except Exception:  # a locked or half-made database must not end the updates for good
                logging.getLogger(__name__).exception("The workbench cannot look at its jobs; it tries again.")
                await asyncio.sleep(LIVENESS_SECONDS)
            await asyncio.sleep(self._interval)
