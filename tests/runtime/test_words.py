"""Jobs in words."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from workbench.core.jobs import Failure, JobRecord, JobSpec, JobState, Progress
from workbench.runtime.work.words import ago, detail, duration, state_word

RECORD = JobRecord("k1", JobSpec("finetune", "dummy", "tone", {}), JobState.RUNNING, 0.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (65, "1 min 5 s"), (1079, "17 min"), (3600, "1 h"), (5400, "1 h 30 min"), (90000, "1 d 1 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_how_long_ago() -> None:
    now = time.time()
    assert [ago(now - s, now) for s in (5, 1200, 3 * 3600)] == ["just now", "20 min ago", "3 h ago"]
    assert ago(0.0, now).startswith("19")


def test_a_training_job_tells_step_and_time_left() -> None:
    record = replace(RECORD, step=412, max_steps=1200, progress=Progress("train", "Training", 412, 1200, "steps", 2040.0))
    assert detail(record) == "step 412 / 1,200, about 34 min left"
    assert detail(replace(record, state=JobState.SUCCEEDED)) == "step 412 / 1,200"


def test_a_starting_job_tells_what_it_does_and_how_far() -> None:
    record = replace(RECORD, state=JobState.PREPARING, progress=Progress("load", "Loading weights", 5.0, 8.1, "GB"))
    assert (state_word(record), detail(record)) == ("Starting", "Loading weights 62%")


def test_a_failed_job_tells_its_cause() -> None:
    assert detail(replace(RECORD, state=JobState.FAILED, failure=Failure("GPU 0 out of memory\nmore"))) == "GPU 0 out of memory"


def test_a_job_asked_to_end_is_stopping_at_once() -> None:
    assert state_word(replace(RECORD, cancel_requested=1)) == "Stopping"
    assert state_word(replace(RECORD, cancel_requested=1, state=JobState.CANCELLED)) == "Stopped"
