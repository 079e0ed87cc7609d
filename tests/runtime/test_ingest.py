"""From a runner's lines to rows, whatever pieces the file grows in."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.core.jobs import JobState, Progress
from workbench.core.protocols import JobPlace
from workbench.runtime.supervision.ingest import Ingest
from workbench.store.writer import Batch


def line(event: str, **data: object) -> bytes:
    return json.dumps({"event": event, "time": 5.0, **data}).encode() + b"\n"


@pytest.fixture
def place(tmp_path: Path) -> JobPlace:
    return JobPlace("k1", tmp_path)


def read(place: JobPlace, *lines: bytes, ingest: Ingest | None = None) -> Batch:
    with place.events.open("ab") as f:
        f.write(b"".join(lines))
    batch = (ingest or Ingest(place)).read()
    assert batch is not None
    return batch


def test_no_file_and_half_a_line_are_no_news(place: JobPlace) -> None:
    ingest = Ingest(place)
    assert ingest.read() is None
    place.events.write_bytes(b'{"event": "no')
    assert ingest.read() is None
    with place.events.open("ab") as f:
        f.write(b'tice", "time": 1, "text": "x"}\n')
    batch = ingest.read()
    assert batch is not None
    assert batch.events == [(1.0, "notice", {"text": "x"})]
    assert ingest.read() is None


def test_the_first_step_makes_the_job_run_and_a_metric_moves_it(place: JobPlace) -> None:
    batch = read(place, line("begin", step=0, max_steps=10), line("metric", step=4, values={"loss": 1, "note": "text", "bad": None}))
    assert batch.changes["state"] is JobState.RUNNING
    assert (batch.changes["step"], batch.changes["max_steps"]) == (4, 10)
    assert batch.metrics == [(4, None, 5.0, {"loss": 1.0})]
    assert "parent_step" not in batch.changes


def test_a_resumed_jobs_first_begin_tells_where_its_parent_ends(place: JobPlace) -> None:
    ingest = Ingest(place, resumes=True)
    assert read(place, line("begin", step=7), ingest=ingest).changes["parent_step"] == 7
    assert "parent_step" not in read(place, line("begin", step=0), ingest=ingest).changes


def test_a_ready_server_becomes_an_endpoint_with_its_keys_place(place: JobPlace) -> None:
    changes = read(place, line("ready", url="http://127.0.0.1:9/v1", model="m", engine="x")).changes
    assert changes["endpoint"]["url"] == "http://127.0.0.1:9/v1"
    assert changes["endpoint"]["key_file"] == str(place.key)
    assert changes["endpoint"]["job_id"] == "k1"
    assert changes["state"] is JobState.RUNNING


def test_results_are_merged_and_progress_is_taken_over(place: JobPlace) -> None:
    ingest = Ingest(place, result={"a": 1})
    lines = (line("result", values={"b": 2}), line("progress", phase="load", text="Loading", done=1, total=4, unit="GB", more="x"))
    changes = read(place, *lines, ingest=ingest).changes
    assert changes["result"] == {"a": 1, "b": 2}
    assert changes["progress"] == Progress("load", "Loading", 1, 4, "GB")


def test_a_line_that_is_no_event_is_told_and_hinders_nothing(place: JobPlace) -> None:
    batch = read(place, b"garbage\n", b"[1]\n", b"\xff\n", line("notice", text="after"))
    assert [e[1] for e in batch.events] == ["notice"] * 4
    assert batch.events[-1][2] == {"text": "after"}


def test_a_line_longer_than_a_piece_is_one_event(place: JobPlace) -> None:
    batch = read(place, line("notice", text="x" * 3_000_000))
    assert len(batch.events[0][2]["text"]) == 3_000_000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.integers(0, 9), max_size=30), st.lists(st.integers(1, 120), max_size=30), st.booleans())
def test_every_line_counts_once_however_the_file_grows(tmp_path_factory, kinds: list[int], sizes: list[int], ended: bool) -> None:  # type: ignore[no-untyped-def]
    place = JobPlace("k1", tmp_path_factory.mktemp("job"))
    lines = [line("metric", step=i, values={"loss": i}) if kind else line("notice", number=i) for i, kind in enumerate(kinds)]
    data = b"".join(lines)
    data = data if ended else data.rstrip(b"\n")
    ingest, at, batches = Ingest(place), 0, []
    for size in [*sizes, len(data)]:
        with place.events.open("ab") as f:
            f.write(data[at : at + size])
        at += size
        batches.append(ingest.read())
    while (batch := ingest.read(final=True)) is not None:
        batches.append(batch)
    found = [b for b in batches if b]
    assert sorted([m[0] for b in found for m in b.metrics] + [e[2]["number"] for b in found for e in b.events]) == list(range(len(kinds)))
    assert all(left.end == right.begin for left, right in itertools.pairwise(found))


def test_a_servers_load_is_no_step_of_a_training(place: JobPlace) -> None:
    ingest = Ingest(place)
    read(place, line("ready", url="http://127.0.0.1:1/v1", model="m"), ingest=ingest)
    batch = read(place, line("metric", step=12, values={"running": 2, "waiting": 0}), ingest=ingest)
    assert batch.metrics == [(12, None, 5.0, {"running": 2.0, "waiting": 0.0})]
    assert batch.changes == {}


def test_a_servers_file_of_events_is_begun_anew_when_it_is_large(place: JobPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.runtime.supervision.ingest._LARGE", 200)
    ingest = Ingest(place)
    read(place, line("ready", url="http://127.0.0.1:1/v1", model="m"), ingest=ingest)
    position, steps = None, []
    for step in range(40):
        batch = read(place, line("metric", step=step, values={"running": step}), ingest=ingest)
        assert position is None or batch.begin == position
        position = batch.end
        steps += [row[0] for row in batch.metrics]
    assert steps == list(range(40))
    assert place.events.stat().st_size < 400
    assert [p.name for p in place.folder.iterdir()] == ["events.jsonl"]
