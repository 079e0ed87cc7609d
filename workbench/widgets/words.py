"""Numbers and states in words for the static forms. Knows no widget."""

from __future__ import annotations

from ..core.jobs import JobRecord, JobState
from .messages import say

_CHIPS = {
    JobState.QUEUED: ("Queued", "run"),
    JobState.PREPARING: ("Starting", "run"),
    JobState.RUNNING: ("Training", "run"),
    JobState.STOPPING: ("Stopping", "run"),
    JobState.SUCCEEDED: ("Finished", "ok"),
    JobState.FAILED: ("Failed", "err"),
    JobState.CANCELLED: ("Stopped", "idle"),
    JobState.LOST: ("Lost", "warn"),
}


def chip(record: JobRecord) -> tuple[str, str]:
    """The word for a job's state, and its tone."""
    if record.kind == "deploy" and record.state is JobState.RUNNING:
        return say("Running"), "ok"
    word, tone = _CHIPS[record.state]
    return say(word), tone


def amount(value: float | None) -> str:
    """A whole number with commas, or a dash."""
    return "–" if value is None else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """``42 ms``, ``18 s``, ``17 min 59 s``, ``3 h 04 min``; empty when unknown."""
    if seconds is None or seconds < 0:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
