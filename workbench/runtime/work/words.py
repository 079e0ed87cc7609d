"""A job in words, the same in the notebook, the terminal and the sidebar. Does not fetch the job."""

from __future__ import annotations

import time

from ...core.jobs import JobRecord, JobState


def state_word(record: JobRecord) -> str:
    """One word for the state, such as ``Running``; a deployment that was stopped is ``Stopped``, not cancelled."""
    if record.state is JobState.PREPARING and not record.cancel_requested:
        return "Restarting" if record.endpoint else "Starting"
    if record.state is JobState.SUCCEEDED:
        return "Ended" if record.kind == "deploy" else "Finished"
    if record.state is JobState.CANCELLED:
        return "Stopped"
    if record.state.active and record.cancel_requested:
        return "Stopping"
    return str(record.state).capitalize()


def detail(record: JobRecord) -> str:
    """What the job is doing or how it ended, such as ``step 412 / 1,200, about 34 min left``."""
    if record.failure:
        return record.failure.cause.split("\n")[0]
    steps = f"step {record.step:,} / {record.max_steps:,}" if record.step is not None and record.max_steps else ""
    if not record.state.active:
        return steps or (record.progress.text if record.progress.phase == "idle" or record.progress.text.startswith("Replaced") else "")
    progress = record.progress
    left = f"about {duration(progress.eta)} left" if progress.eta is not None and progress.eta >= 1 else ""
    if steps and progress.unit == "steps":
        return ", ".join(filter(None, [steps, left]))
    share = f"{progress.fraction:.0%}" if progress.fraction is not None else ""
    return ", ".join(filter(None, [" ".join(filter(None, [progress.text, share])), left]))


def duration(seconds: float) -> str:
    """A length of time, such as ``17 min 59 s``; from ten minutes on without seconds."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 10 and rest:
        return f"{minutes} min {rest} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def ago(moment: float, now: float | None = None) -> str:
    """When something was: ``just now``, ``20 min ago``, ``3 h ago``, or the date."""
    passed = (time.time() if now is None else now) - moment
    if passed < 60:
        return "just now"
    if passed < 3600:
        return f"{int(passed // 60)} min ago"
    if passed < 24 * 3600:
        return f"{int(passed // 3600)} h ago"
    return time.strftime("%Y-%m-%d", time.localtime(moment))
