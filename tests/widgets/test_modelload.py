"""How busy a deployment was as small lines, the steps of its start, and why it is as it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.jobs import JobRecord, JobSpec, JobState, MetricRow, Progress
from workbench.core.models import ModelMeta
from workbench.core.specs import DeploySpec
from workbench.runtime.work.metrics import as_load_frame
from workbench.widgets.modelfacts import details_of, reason_of
from workbench.widgets.modelload import POINTS, WINDOW, of_rows
from workbench.widgets.modelstart import StartSteps

NOW = 10_000.0
NAMES = ("running", "waiting", "cache_usage", "tokens_per_second", "requests")


def rows(*told: tuple[float, dict[str, float]]) -> list[MetricRow]:
    return [MetricRow(i + 1, int(age), None, NOW - age, values) for i, (age, values) in enumerate(told)]


def test_between_two_rows_the_first_one_holds() -> None:
    found = of_rows(rows((200, {"running": 0.0}), (100, {"running": 3.0}), (50, {"running": 1.0})), NOW)
    line = found["lines"]["running"]
    assert found["running"] == 1
    assert len(line) == 41  # from the row 200 seconds ago on, one value in five seconds
    assert (line[0], line[20], line[29], line[-1]) == (0, 3, 3, 1)
    assert [name for name in ("waiting", "cache", "speed", "rate") if found[name] is not None] == []
    assert sorted(found["lines"]) == ["running"]


def test_a_row_from_before_the_window_holds_at_its_beginning() -> None:
    assert of_rows(rows((WINDOW + 400, {"running": 2.0})), NOW)["lines"]["running"] == [2.0] * POINTS


def test_the_rate_counts_requests_and_survives_an_engine_that_was_started_again() -> None:
    found = of_rows(rows((60, {"requests": 0.0}), (30, {"requests": 10.0}), (8, {"requests": 4.0}), (3, {"requests": 6.0})), NOW)
    assert found["requests"] == 6
    assert found["rate"] == pytest.approx(0.6)  # four of the new engine and two more in ten seconds
    assert sum(found["lines"]["rate"]) * 5 == pytest.approx(16)


def test_a_peak_inside_a_step_is_not_lost() -> None:
    found = of_rows(rows((100, {"tokens_per_second": 0.0}), (51, {"tokens_per_second": 900.0}), (50.5, {"tokens_per_second": 0.0})), NOW)
    assert max(found["lines"]["speed"]) == 900


@given(st.lists(st.tuples(st.floats(0, 1000), st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e6), max_size=5)), min_size=1, max_size=30))
def test_any_rows_give_lines_that_fit(told: list[tuple[float, dict[str, float]]]) -> None:
    found = of_rows(rows(*sorted(told, key=lambda row: -row[0])), NOW)
    assert all(0 < len(line) <= POINTS and min(line) >= 0 for line in found["lines"].values())


def test_the_frame_of_a_deployment_is_its_load() -> None:
    frame = as_load_frame(rows((5, {"running": 1.0, "requests": 2.0}), (5, {"running": 0.0, "requests": 2.0, "extra": 1.0})))
    assert list(frame.columns) == ["time", "running", "waiting", "requests", "tokens_per_second", "prompt_tokens_per_second", "cache_usage", "extra"]
    assert frame["running"].tolist() == [1, 0]
    assert str(frame["time"].dt.tz) == "UTC"
    assert as_load_frame([]).columns[0] == "time"


def test_steps_are_noted_in_their_order_and_forgotten_when_it_runs() -> None:
    steps = StartSteps()
    for done in (0, 1):
        steps.note(True, Progress("weights", "Loading the weights", done, 4, "shards"))
    steps.note(True, Progress("cache", "Making the cache"))
    steps.note(True, None)
    shown = steps.shown()
    assert [(s["title"], s["state"]) for s in shown] == [("Loading the weights", "done"), ("Making the cache", "now")]
    assert shown[0]["seconds"] >= 0
    assert not steps.slow
    steps.note(False, None)
    assert steps.shown() == []


PLAIN = Progress()


def record(state: JobState, progress: Progress = PLAIN, **payload: Any) -> JobRecord:
    spec = JobSpec("deploy", payload.pop("engine", "vllm"), "m", DeploySpec("m", **payload).to_json())
    return JobRecord("k1", spec, state, 0.0, progress=progress)


@pytest.mark.parametrize(
    ("state", "progress", "reason"),
    [
        (JobState.RUNNING, Progress("ready", "Ready"), ""),
        (JobState.RUNNING, Progress("hung", "Not answering since 11:02:31"), "Not answering since 11:02:31"),
        (JobState.SUCCEEDED, Progress("idle", "Nobody has asked for 8 seconds."), "Nobody has asked for 8 seconds."),
        (JobState.CANCELLED, Progress("stopped", "Stopped"), ""),
        (JobState.CANCELLED, Progress("stopped", "Replaced by tone (k2)"), "Replaced by tone (k2)"),
        (JobState.FAILED, Progress("weights", "Loading the weights"), ""),
    ],
)
def test_a_state_that_is_not_plain_has_a_reason(state: JobState, progress: Progress, reason: str) -> None:
    assert reason_of(record(state, progress)) == reason


def test_what_was_asked_for_is_told() -> None:
    meta = ModelMeta("m", "m", details={"quantization": "awq"})
    asked = record(JobState.CANCELLED, ttl=60.0, arguments={"max_model_len": 8192}, chat_template="/t/chatml.jinja", adapters={"a": "/a"})
    expected = {"ttl": 60.0, "restarts": 0, "context": 8192, "quantization": "awq", "template": "chatml", "adapters": 1}
    assert details_of(asked, meta) == expected
    assert details_of(record(JobState.CANCELLED, engine="transformers", arguments={"cb_num_blocks": 9}), None)["context"] == 0
    assert details_of(None, None)["quantization"] == ""
