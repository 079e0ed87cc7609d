"""The dry run behaves as a real training does, but for the training: a job under the real supervisor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench import finetune
from workbench.core.jobs import JobRecord, JobSpec
from workbench.core.specs import DataRef, FinetuneSpec
from workbench.errors import ArgumentError
from workbench.runtime.work import jobs

from ..support.job_helpers import at_step, ended


def submit(home: Path, **arguments: Any) -> JobRecord:
    spec = FinetuneSpec("/no/model", str(home / "target"), DataRef("/no/rows", "alpaca", 1), arguments=arguments)
    finetune.dummy().check(spec.to_json())
    return jobs.submit(JobSpec("finetune", "dummy", "dry", spec.to_json()))


def losses(job_id: str) -> dict[int, float]:
    return {r.step: r.values["loss"] for r in jobs.all_metrics(job_id) if "loss" in r.values}


def test_it_reports_every_step_and_makes_no_model(home: Path) -> None:
    job = ended(submit(home, steps=30, seconds_per_step=0.001).id)
    assert job.state == "succeeded", job.failure
    assert job.result["dry_run"] is True
    assert "model" not in job.result
    assert not (home / "target").exists()
    found = losses(job.id)
    assert list(found) == list(range(1, 31))
    assert found[30] < found[1]


def test_stopped_and_resumed_it_goes_on_with_the_same_numbers(home: Path) -> None:
    whole = ended(submit(home, steps=40, seconds_per_step=0.001).id)
    first = submit(home, steps=40, seconds_per_step=0.05)
    at_step(first.id, 5)
    jobs.stop(first.id)
    assert ended(first.id).state == "cancelled"
    second = ended(jobs.resume(first.id).id)
    assert second.state == "succeeded", second.failure
    assert losses(second.id) == losses(whole.id)


def test_a_failure_that_is_asked_for_is_told(home: Path) -> None:
    job = ended(submit(home, steps=40, seconds_per_step=0.0, fail_at=7).id)
    assert job.state == "failed"
    assert job.failure is not None
    assert "asked for at step 7" in job.failure.cause
    assert max(losses(job.id)) == 6


@pytest.mark.parametrize(
    ("arguments", "words"), [({"stpes": 1}, "Write steps=…"), ({"steps": "many"}, "takes a number"), ({"steps": 0}, "at least 1")]
)
def test_arguments_are_checked(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError) as e:
        finetune.dummy.check_arguments(arguments)
    assert words in str(e.value)
