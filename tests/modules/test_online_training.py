"""A vendor trains: a job like any other, followed from upload to the first answer of the new model."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_tuner import Tuner

from workbench.core.jobs import JobState
from workbench.errors import ArgumentError, DataError, JobFailed
from workbench.modules.vendors.online_chat import OnlineChatModule
from workbench.providers import catalog
from workbench.runtime.work import jobs

KEY = "sk-marked-0123456789abcdef"
ROWS = [{"instruction": f"question {i}", "output": f"answer {i}"} for i in range(12)]


@pytest.fixture
def tuner(home: Path) -> Iterator[Tuner]:
    found = Tuner()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {**catalog.provider("openai").fine_tuning, "poll_seconds": 0.05}
    monkeypatch.setattr(OnlineChatModule, "_fine_tuning", lambda self: facts)


def model(tuner: Tuner) -> OnlineChatModule:
    return OnlineChatModule("gpt-4o-mini", source="openai", base_url=tuner.url, api_key=KEY)


def test_update_trains_at_the_vendor_and_answers_with_the_new_model(tuner: Tuner, home: Path) -> None:
    m = model(tuner).set_train_tasks(ROWS, n_epochs=2, suffix="mine")
    assert m("hello") == "I am gpt-4o-mini"
    m.update()
    assert m("hello") == "I am ft:gpt-4o-mini:mine"
    assert tuner.created[0]["method"]["supervised"]["hyperparameters"] == {"n_epochs": 2}
    assert tuner.created[0]["suffix"] == "mine"
    assert b"question 11" in tuner.files["file-1"]
    assert b'name="purpose"' in tuner.files["file-1"]
    assert m.job is not None
    assert m.job.state is JobState.SUCCEEDED
    frame = m.job.metrics()
    assert list(frame["step"]) == [1, 2, 3]
    assert frame["loss"].tolist() == pytest.approx([2.0, 1.0, 2 / 3])
    assert m.job.result["model"] == "ft:gpt-4o-mini:mine"
    assert m.job.result["trained_tokens"] == 1234
    assert tuner.keys == {f"Bearer {KEY}"}
    everything = b"".join(p.read_bytes() for p in home.rglob("*") if p.is_file())
    assert KEY.encode() not in everything


def test_the_job_outlives_whoever_began_it_and_is_joined(tuner: Tuner) -> None:
    tuner.looks = 10_000
    first = model(tuner).set_train_tasks(ROWS).update(wait=False)
    again = model(tuner).set_train_tasks(ROWS).update(wait=False)  # as after a kernel's restart
    assert first.id == again.id
    _until(lambda: len(tuner.seen) == 1 and max(tuner.seen.values()) > 3)
    assert len(tuner.created) == 1
    tuner.looks = 1
    fresh = model(tuner).attach(first.id)
    fresh.wait()
    assert fresh.model == "ft:gpt-4o-mini:mine"


def test_stop_cancels_at_the_vendor_and_resume_goes_on_with_the_files(tuner: Tuner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    tuner.looks = 10_000
    m = OnlineChatModule("gpt-4o-mini", source="openai", base_url=tuner.url).set_train_tasks(ROWS)
    job = m.update(wait=False)
    _until(lambda: (jobs.store().job(job.id).step or 0) > 0)
    m.stop("finetune")
    assert jobs.wait(job.id, timeout=30).state is JobState.CANCELLED
    assert tuner.jobs["ftjob-1"]["status"] == "cancelled"
    tuner.looks = 2
    m.resume()
    assert m("hi") == "I am ft:gpt-4o-mini:mine"
    assert len(tuner.files) == 1
    assert len(tuner.created) == 2


def test_a_key_that_was_given_goes_with_the_job_that_resumes(tuner: Tuner, home: Path) -> None:
    tuner.ends = "failed"
    m = model(tuner).set_train_tasks(ROWS)
    with pytest.raises(JobFailed):
        m.update()
    tuner.ends = "succeeded"
    m.resume()
    assert m("hi") == "I am ft:gpt-4o-mini:mine"
    assert tuner.keys == {f"Bearer {KEY}"}
    assert not any(KEY.encode() in p.read_bytes() for p in home.rglob("*") if p.is_file())


def test_a_vendor_that_fails_says_why(tuner: Tuner) -> None:
    tuner.ends = "failed"
    with pytest.raises(JobFailed, match="too few examples"):
        model(tuner).set_train_tasks(ROWS).update()


def test_a_vendor_that_is_overloaded_for_a_while_is_asked_again(tuner: Tuner) -> None:
    tuner.refuse_looks = 4
    m = model(tuner).set_train_tasks(ROWS)
    m.update()
    assert m.model == "ft:gpt-4o-mini:mine"


def test_a_stop_while_the_rows_go_up_pays_for_no_training(tuner: Tuner) -> None:
    tuner.takes_files.clear()
    job = model(tuner).set_train_tasks(ROWS).update(wait=False)
    _until(lambda: ("POST", "/files") in tuner.requests)
    job.stop()
    _until(lambda: "stop" in jobs.store().place(job.id).control.read_text())
    tuner.takes_files.set()
    assert jobs.wait(job.id, timeout=60).state is JobState.CANCELLED
    assert tuner.created == []


def test_another_process_takes_up_what_a_process_that_has_gone_began(tuner: Tuner) -> None:
    tuner.looks = 10_000
    began = (
        "import sys\n"
        "from workbench.modules.vendors.online_chat import OnlineChatModule\n"
        "from workbench.providers import catalog\n"
        "facts = {**catalog.provider('openai').fine_tuning, 'poll_seconds': 0.05}\n"
        "OnlineChatModule._fine_tuning = lambda self: facts\n"
        "m = OnlineChatModule('gpt-4o-mini', source='openai', base_url=sys.argv[1], api_key=sys.stdin.read())\n"
        "rows = [{'instruction': f'question {i}', 'output': f'answer {i}'} for i in range(12)]\n"
        "print(m.set_train_tasks(rows).update(wait=False).id)\n"
    )
    first = subprocess.run([sys.executable, "-c", began, tuner.url], input=KEY, capture_output=True, text=True, check=True)
    job_id = first.stdout.split()[-1]
    _until(lambda: (jobs.store().job(job_id).step or 0) > 0)
    m = model(tuner).attach(job_id)
    tuner.looks = 1
    m.wait()
    assert m("hi") == "I am ft:gpt-4o-mini:mine"
    assert len(tuner.created) == 1


def test_events_on_older_pages_are_told_too(tuner: Tuner) -> None:
    tuner.page, tuner.looks = 2, 10_000
    m = model(tuner).set_train_tasks(ROWS)
    job = m.update(wait=False)
    _until(lambda: (jobs.store().job(job.id).step or 0) > 0)
    tuner.seen["ftjob-1"] += 9  # as after a night without network
    tuner.looks = max(tuner.seen.values()) + 1
    m.wait()
    assert list(job.metrics()["step"]) == list(range(1, tuner.looks))


def test_bad_rows_and_arguments_are_refused_before_anything_is_sent(tuner: Tuner, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"messages": [{"role": "user", "content": "a"}]}\nno\n')
    with pytest.raises(DataError, match="line 1") as e:
        model(tuner).set_train_tasks(file).update()
    assert "line 2" in str(e.value)
    with pytest.raises(ArgumentError, match="n_epochs"):
        model(tuner).set_train_tasks(ROWS, n_epoch=2)
    assert tuner.requests == []


def test_fine_tunings_are_listed_and_chosen(tuner: Tuner) -> None:
    m = model(tuner).set_train_tasks(ROWS)
    m.update()
    other = model(tuner)
    assert [(j.id, j.state, j.model) for j in other.get_finetuned_models()] == [("ftjob-1", "succeeded", "ft:gpt-4o-mini:mine")]
    assert other.get_all_models() == ([("ftjob-1", "ft:gpt-4o-mini:mine")], [])
    assert other.set_specific_finetuned_model("ftjob-1")("x") == "I am ft:gpt-4o-mini:mine"
    assert model(tuner).set_specific_finetuned_model("ft:any:name")("x") == "I am ft:any:name"
    assert "ftjob-1" in repr(other.get_finetuned_models())
    assert "<table" in other.get_finetuned_models()._repr_html_()


def test_a_vendor_without_fine_tuning_says_who_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(ArgumentError, match="openai"):
        OnlineChatModule("deepseek-chat", source="deepseek", api_key=KEY).set_train_tasks(ROWS)


def _until(condition: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)
