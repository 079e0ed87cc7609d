"""The parts of the extension that need no server."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workbench.core.jobs import JobSpec, MetricRow
from workbench.server.jobs_view import POINTS, Curve
from workbench.server.logs import FIRST, read_log
from workbench.store import Store


def row(seq: int, loss: float) -> MetricRow:
    return MetricRow(seq, seq, None, 0.0, {"loss": loss})


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=1000), st.integers(1, 50))
def test_a_curve_stays_short_and_keeps_the_mean(losses: list[float], batch: int) -> None:
    curve = Curve()
    rows = [row(i + 1, v) for i, v in enumerate(losses)]
    for i in range(0, len(rows), batch):
        curve.add(rows[i : i + batch])
    points = curve.points()
    assert 1 <= len(points) <= 2 * POINTS
    assert min(losses) * 0.999 <= min(points)
    assert max(points) <= max(losses) * 1.001
    assert curve.cursor == len(losses)
    assert curve.last["loss"] == losses[-1]


def test_a_long_log_begins_at_a_line_and_its_end_is_asked_for_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    job, _ = store.insert(JobSpec("finetune", "none", "long", {}))
    place = store.place(job.id)
    place.folder.mkdir(parents=True, exist_ok=True)
    lines = [f"line {i} é" for i in range(20_000)]
    place.log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    first = read_log(store, job.id)
    assert len(first["text"].encode()) <= FIRST
    assert first["text"].splitlines()[0] in lines
    assert first["text"].splitlines()[-1] == lines[-1]
    assert read_log(store, job.id, first["offset"])["text"] == ""
    assert not first["ended"]


def test_a_character_is_never_cut(tmp_path: Path) -> None:
    store = Store(tmp_path)
    job, _ = store.insert(JobSpec("finetune", "none", "bytes", {}))
    place = store.place(job.id)
    place.folder.mkdir(parents=True, exist_ok=True)
    text = "aé漢🙂z"
    data = text.encode()
    seen, offset = "", 0
    for end in range(1, len(data) + 1):
        place.log.write_bytes(data[:end])
        part = read_log(store, job.id, offset)
        seen, offset = seen + part["text"], part["offset"]
    assert seen == text


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    store = Store(tmp_path)
    job, _ = store.insert(JobSpec("finetune", "none", "new", {}))
    assert read_log(store, job.id) == {"text": "", "offset": 0, "size": 0, "ended": False}
