"""The steps of a deployment's start, as a card shows them: what was done and how long it took, what goes on. Reads no store."""

from __future__ import annotations

import time
from typing import Any

from ..core.jobs import Progress

SLOW = 15.0  # seconds in one step after which people want to read the log


class StartSteps:
    """Notes the steps in the order in which they are seen."""

    def __init__(self) -> None:
        self._seen: list[dict[str, Any]] = []
        self._moved = 0.0

    def note(self, starting: bool, progress: Progress | None) -> None:
        """Look at what goes on now; forget the steps once nothing starts any more."""
        if not starting:
            self._seen = []
            return
        now = time.monotonic()
        text = (progress.text or progress.phase) if progress is not None else ""
        if progress is None or not text:
            return
        last = self._seen[-1] if self._seen else None
        if last is None or last["title"] != text:
            if last is not None:
                last["state"], last["seconds"] = "done", round(now - last["begun"], 1)
            self._seen.append({"title": text, "state": "now", "seconds": None, "begun": now, "done": None})
            self._moved = now
        if self._seen[-1]["done"] != progress.done:
            self._seen[-1]["done"], self._moved = progress.done, now

    def shown(self) -> list[dict[str, Any]]:
        """Title, state (``done`` or ``now``), and the seconds that a done one took."""
        return [{k: step[k] for k in ("title", "state", "seconds")} for step in self._seen]

    @property
    def slow(self) -> bool:
        """Whether nothing has moved for a while."""
        return bool(self._seen) and time.monotonic() - self._moved > SLOW
