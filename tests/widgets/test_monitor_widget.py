"""The monitor's Python half, with real jobs whose stages are scripted."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.core.jobs import JobRecord, JobState, MetricRow
from workbench.errors import JobNotFound
from workbench.runtime.work import jobs
from workbench.widgets.metrics import Columns, smoothed
from workbench.widgets.monitor import Monitor
from workbench.widgets.preview import first_rows

from ..support.job_helpers import at_step, ended, submit, until  # noqa: F401

Submit = Callable[..., JobRecord]


class Page:
    """What a page would have of a monitor."""

    def __init__(self, monitor: Monitor) -> None:
        self.answers: dict[str, Any] = {}
        self.job: dict[str, Any] = {}
        self.steps: list[float] = []
        self.gen = -1
        self.log = ""
        monitor.send = self._take  # type: ignore[method-assign]
        self._monitor = monitor
        self._hello()

    def _hello(self) -> None:
        """Ask for what is missing: at the beginning, and where a message came before the one that it follows."""
        have = {"have": len(self.steps), "log_end": len(self.log), "gen": self.gen} if self.gen >= 0 else {}
        self._monitor._handle_custom_msg({"kind": "rpc", "id": "hello", "method": "hello", "params": have}, [])

    def ask(self, method: str) -> Any:
        self._monitor._handle_custom_msg({"kind": "rpc", "id": method, "method": method, "params": {}}, [])
        return self.answers[method]

    def _take(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        if content["kind"] == "reply":
            self.answers[content["id"]] = content.get("result", content.get("error"))
            if content["id"] != "hello":
                return
            content = content["result"]
        if "gen" not in content:
            return
        if content["gen"] != self.gen:
            self.gen, self.steps, self.log = content["gen"], [], ""
        self.job = content["job"]
        self.log = (self.log + content["log"]) if content["log_at"] >= len(self.log) else self.log
        start, count = content["from"], content["count"]
        if buffers:
            columns = array("d", buffers[0])
            steps = list(columns[:count])
            if start > len(self.steps):
                self._hello()
            else:
                self.steps = self.steps[:start] + steps


def test_a_page_has_every_step_once_and_the_log(submit: Submit) -> None:  # noqa: F811
    job = submit("print('hello', flush=True)\ntrain(0, 40, 0.01)")
    page = Page(Monitor(job.id))
    until(lambda: page.job["state"] == "succeeded", "the end")
    until(lambda: page.log == "hello\n", "the log")
    assert page.steps == [float(i) for i in range(1, 41)]


def test_a_page_that_comes_late_sees_all_and_one_that_has_some_gets_the_rest(submit: Submit) -> None:  # noqa: F811
    job = submit("train(0, 20, 0.01)")
    ended(job.id)
    monitor = Monitor(job.id)
    state = monitor.get_state()
    assert state["snapshot"]["count"] == 20
    assert len(state["packed"]) == 20 * 8 * len(state["snapshot"]["names"])
    reply = monitor._hello(have=15, log_end=0, gen=state["snapshot"]["gen"])
    assert (reply.result["from"], reply.result["count"]) == (15, 5)


def test_buttons_of_the_page_reach_the_job(submit: Submit) -> None:  # noqa: F811
    job = submit("train(0, 10_000)")
    at_step(job.id, 3)
    page = Page(Monitor(job.id))
    until(lambda: page.job.get("actions") == ["stop", "save", "pause"], "the buttons of a running job")
    page.ask("stop")
    assert ended(job.id).state is JobState.CANCELLED
    until(lambda: page.job["state"] == "cancelled", "the end on the page")
    until(lambda: page.job["actions"] == ["continue"], "the button to go on")


def test_continue_follows_the_new_job_with_the_rows_of_the_first(submit: Submit, tmp_path: Path) -> None:  # noqa: F811
    job = submit("train(10 if sys.argv else 0, 10_000)", output=str(tmp_path / "out"), resume_from="")
    at_step(job.id, 13)
    monitor = Monitor(job.id)
    page = Page(monitor)
    page.ask("stop")
    ended(job.id)
    until(lambda: page.job["actions"] == ["continue"], "the button to go on")
    page.ask("continue")
    assert monitor.job_id != job.id
    assert jobs.store().job(monitor.job_id).spec.parent == job.id
    until(lambda: page.job["id"] == monitor.job_id, "the new job on the page")
    jobs.stop(monitor.job_id, save=False)


def test_a_failed_job_says_why_on_the_page_and_in_the_saved_form(submit: Submit) -> None:  # noqa: F811
    job = submit("train(0, 3)\nprint('no <room>', flush=True)\nsys.exit(3)")
    ended(job.id)
    monitor = Monitor(job.id)
    assert Page(monitor).job["failure"]["cause"] == "script ended with 3."
    html = monitor._repr_mimebundle_()[0]["text/html"]
    assert "script ended with 3." in html
    assert "no &lt;room&gt;" in html
    assert "<svg" in html


def test_its_data_comes_as_a_table_and_as_a_figure(submit: Submit) -> None:  # noqa: F811
    job = submit("train(0, 5)")
    ended(job.id)
    monitor = Monitor(job.id)
    assert list(monitor.to_pandas()["step"]) == [1, 2, 3, 4, 5]
    assert len(monitor.plot().axes[0].lines) == 2
    assert "succeeded, step 5 of 5" in repr(monitor)


def test_the_thread_ends_with_the_job_and_with_the_widget(submit: Submit) -> None:  # noqa: F811
    short, long = submit("train(0, 2)"), submit("train(0, 10_000)")
    one, two = Monitor(short.id), Monitor(long.id)
    ended(short.id)
    two.close()
    for monitor in (one, two):
        assert monitor._thread is not None
        monitor._thread.join(10)
        assert not monitor._thread.is_alive()
    jobs.stop(long.id, save=False)


def test_an_unknown_job_is_refused(home: Path) -> None:
    with pytest.raises(JobNotFound):
        Monitor("nothing")


def test_columns_fill_what_a_row_has_not_with_nan() -> None:
    columns = Columns()
    columns.extend([MetricRow(1, 1, 0.1, 5.0, {"loss": 2.0}), MetricRow(2, 1, None, 6.0, {"eval_loss": 1.0})])
    names, data = columns.piece(0)
    values = array("d", data)
    table = {name: list(values[2 * i : 2 * i + 2]) for i, name in enumerate(names)}
    assert table["loss"][0] == 2.0
    assert table["loss"][1] != table["loss"][1]
    assert table["eval_loss"][0] != table["eval_loss"][0]
    assert columns.known("eval_loss") == ([1.0], [1.0])
    assert smoothed([4.0, 2.0], 0.5) == [4.0, 3.0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"instruction": "Say", "input": "hi", "output": "hello"}\n'),
        ("a.json", '[{"conversations": [{"from": "human", "value": "Say\\nhi"}, {"from": "gpt", "value": "hello"}]}]'),
        ("b.jsonl", '{"messages": [{"role": "user", "content": "Say\\nhi"}, {"role": "assistant", "content": "hello"}]}\n'),
        ("a.csv", "instruction,input,output\nSay,hi,hello\n"),
    ],
)
def test_the_first_rows_of_a_training_set_are_prompt_and_answer(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert first_rows(tmp_path / name) == [{"row": 1, "prompt": "Say\nhi", "answer": "hello"}]
