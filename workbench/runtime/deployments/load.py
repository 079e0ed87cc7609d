"""What a deployment has to do, from what its runner measured last. Measures nothing itself."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ...core.jobs import JobRecord, JobState
from ...store import Store


@dataclass(frozen=True, slots=True)
class Load:
    """Requests and speed of a deployment; None where its engine does not tell.

    Attributes
    ----------
    running, waiting : float or None
        Requests that are answered now, and those that wait for a place.
    tokens_per_second, prompt_tokens_per_second : float or None
        Written, and read, over the last moments.
    cache_usage : float or None
        Share of the KV cache in use, 0 to 1.
    requests : float or None
        How many there were since it answers.
    idle : float or None
        Seconds since something happened; 0 while a request runs.
    """

    running: float | None = None
    waiting: float | None = None
    tokens_per_second: float | None = None
    prompt_tokens_per_second: float | None = None
    cache_usage: float | None = None
    requests: float | None = None
    idle: float | None = None

    def __str__(self) -> str:
        parts = []
        if self.running:
            parts.append(f"{self.running:g} running")
        if self.waiting:
            parts.append(f"{self.waiting:g} waiting")
        if self.running and self.tokens_per_second:
            parts.append(f"{self.tokens_per_second:,.0f} tokens/s")
        return ", ".join(parts)


def load_of(store: Store, record: JobRecord) -> Load:
    """The load of a deployment; nothing of one that does not answer now."""
    if record.state is not JobState.RUNNING:
        return Load()
    _, ready = store.tally(record.id, "ready")
    row = store.last_metric(record.id)
    if row is None or (ready is not None and row.time < ready):  # measured before its engine was started again
        return Load(idle=time.time() - ready) if ready is not None else Load()
    known = {
        name: row.values.get(name) for name in ("running", "waiting", "tokens_per_second", "prompt_tokens_per_second", "cache_usage", "requests")
    }
    idle = 0.0 if row.values.get("running") or row.values.get("waiting") else max(0.0, time.time() - row.time)
    return Load(**known, idle=idle)
