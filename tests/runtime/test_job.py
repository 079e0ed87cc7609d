"""The handle of a job in a notebook."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workbench import registry
from workbench.core.jobs import JobRecord, JobState
from workbench.errors import JobFailed, JobNotFound
from workbench.runtime.work.job import Job, job, jobs

from ..support.job_helpers import ended, until

Submit = Callable[..., JobRecord]


def test_metrics_are_one_row_a_step_with_evaluation_joined(submit: Submit) -> None:
    script = """
emit('metric', step=1, epoch=0.5, values={'loss': 2.0, 'learning_rate': 1e-3, 'memory': 7})
emit('metric', step=2, epoch=1.0, values={'loss': 1.0, 'grad_norm': 0.3})
emit('metric', step=2, epoch=1.0, values={'eval_loss': 1.5})
"""
    handle = Job(submit(script).id).wait()
    frame = handle.metrics()
    assert list(frame.columns) == ["step", "epoch", "loss", "eval_loss", "learning_rate", "grad_norm", "memory", "time"]
    assert list(frame["step"]) == [1, 2]
    assert frame["eval_loss"].isna().tolist() == [True, False]
    assert frame["loss"].tolist() == [2.0, 1.0]
    assert str(frame["time"].dt.tz) == "UTC"


def test_a_job_without_metrics_has_an_empty_table_with_the_columns(submit: Submit) -> None:
    frame = Job(submit("").id).wait().metrics()
    assert len(frame) == 0
    assert list(frame.columns) == ["step", "epoch", "loss", "eval_loss", "learning_rate", "grad_norm", "time"]


def test_logs_are_text_that_shows_as_lines(submit: Submit) -> None:
    handle = Job(submit("print('a < b'); print('c')").id).wait()
    assert handle.logs() == "a < b\nc"
    assert handle.logs(1) == "c"
    assert repr(handle.logs()) == "a < b\nc"
    assert "a &lt; b" in handle.logs()._repr_html_()


def test_wait_raises_what_happened_and_says_when_time_is_over(submit: Submit) -> None:
    with pytest.raises(JobFailed, match="Mend the script"):
        Job(submit("sys.exit(2)").id).wait()
    slow = Job(submit("time.sleep(600)").id)
    with pytest.raises(TimeoutError):
        slow.wait(0.05)
    assert slow.stop().wait().state == "cancelled"


def test_a_job_says_what_it_is_in_one_line(submit: Submit) -> None:
    handle = Job(submit("train(0, 3)").id).wait()
    assert repr(handle) == f"<Job {handle.id} finetune 'scripted', finished, step 3 / 3>"
    assert handle == job(handle.id[:7])
    with pytest.raises(JobNotFound):
        job("nothing")


def test_a_notebook_shows_the_monitor_and_survives_one_that_cannot_be_drawn(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Job(submit("").id).wait()
    assert set(handle._repr_mimebundle_()) == {"text/plain"}
    monkeypatch.setattr("workbench.runtime.work.job.front_end", lambda: "notebook")

    class View:
        def __init__(self, of: Job) -> None:
            self.of = of

        def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
            return {"application/x-view": self.of.id, "text/plain": "View()"}

    monkeypatch.setitem(registry._loaded, ("view", "monitor"), View)
    assert handle._repr_mimebundle_() == {"application/x-view": handle.id, "text/plain": repr(handle)}
    monkeypatch.setitem(registry._loaded, ("view", "monitor"), None)
    assert handle.id in handle._repr_mimebundle_()["text/html"]


def test_jobs_show_as_a_table_and_as_a_frame(submit: Submit) -> None:
    assert "No jobs yet" in repr(jobs())
    good = submit("train(0, 3)")
    bad = submit("sys.exit(2)")
    ended(good.id)
    ended(bad.id)
    found = jobs()
    assert [j.id for j in found] == [bad.id, good.id]
    html = found._repr_html_()
    assert all(text in html for text in ("scripted", "Failed", "Finished", "step 3 / 3", "just now", good.id))
    frame = found.to_pandas()
    assert frame["state"].tolist() == ["failed", "succeeded"]
    assert frame["exit_code"].tolist() == [2, 0]
    assert jobs(active=True) == []


def test_handles_in_different_places_agree(submit: Submit) -> None:
    first = Job(submit("emit('begin', step=0); time.sleep(600)").id)
    second = Job(first.id)
    until(lambda: first.state is JobState.RUNNING, "the runner")
    second.stop(save=False)
    first.wait()
    assert second.state is JobState.CANCELLED
