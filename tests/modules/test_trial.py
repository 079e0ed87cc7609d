"""Grids of trials: what is tried, what is kept, what runs again. The fine-tunings are dry runs in real jobs."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.core.options import Option
from workbench.errors import ArgumentError, NotStarted
from workbench.modules.trials.trial_grid import grid, names, shown
from workbench.modules.trials.trial_rows import TrialRow
from workbench.modules.trials.trial_table import TrialTable
from workbench.modules.trials.trial_work import shares

ROWS = [{"instruction": "a", "output": "b"}]


def tuned(**arguments: Any) -> wb.TrainableModule:
    return wb.TrainableModule("pocket", "t").finetune_method(wb.finetune.dummy, **{"steps": 2, **arguments}).trainset(ROWS)


def served(prompt: Any) -> wb.TrainableModule:
    return wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).prompt(prompt)


class Power(wb.ModuleBase):
    """Has options as attributes and needs no job."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.more_args = Option(2, 3), {"plus": Option(0, 1)}

    def forward(self, x: int) -> int:
        return int(self.base**x + self.more_args["plus"])  # type: ignore[operator]  # copies have numbers here


# ---- which trials there are


def test_options_are_found_in_methods_prompts_data_and_attributes(home: Path) -> None:
    m = tuned(learning_rate=Option(1e-3, 2e-3)).prompt(Option("a", "b")).deploy_method(Option(wb.deploy.dummy, wb.deploy.llama_cpp))
    assert [n for n, _ in names(m)] == ["learning_rate", "prompt", "deploy"]
    assert [n for n, _ in names(Power())] == ["base", "plus"]
    assert len(m.options) == 3
    trials = grid(m)
    assert len(trials) == 8
    assert [t.options for t in trials][:2] == [
        {"learning_rate": 1e-3, "prompt": "a", "deploy": "dummy"},
        {"learning_rate": 1e-3, "prompt": "a", "deploy": "llama_cpp"},
    ]
    assert len({t.module.target_path for t in trials}) == 8
    assert all(t.module.options == [] for t in trials)
    assert m.target_path == "t"


def test_names_of_the_same_option_in_two_modules_say_whose_it_is(home: Path) -> None:
    class Both(wb.ModuleBase):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = tuned(learning_rate=Option(1, 2)), tuned(learning_rate=Option(3, 4))
            self.one.name, self.two.name = "one", "two"

    assert [n for n, _ in names(Both())] == ["one.finetune.learning_rate", "two.finetune.learning_rate"]


def test_a_copy_takes_the_wishes_and_leaves_what_runs(home: Path) -> None:
    m = served("S").start()
    made = copy.deepcopy(m)
    assert made.module_id != m.module_id
    assert made.state == "idle"
    assert repr(made._prompt) == repr(m._prompt)
    m.stop()


def test_a_module_with_options_left_is_not_updated_by_itself(home: Path) -> None:
    with pytest.raises(ArgumentError, match="TrialModule"):
        tuned(learning_rate=Option(1, 2)).update()
    with pytest.raises(ArgumentError, match="TrialModule"):
        served(Option("a", "b")).update()
    assert len(wb.jobs()) == 0


def test_mistakes_are_said_before_anything_starts(home: Path) -> None:
    with pytest.raises(ArgumentError, match="nothing to try"):
        wb.TrialModule(tuned()).update()
    with pytest.raises(ArgumentError, match="has no trials"):
        wb.TrialModule(len)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="'concurrency' is the nearest"):
        wb.TrialModule(served(Option("a", "b"))).update(concurency=2)
    with pytest.raises(ArgumentError, match="too small"):
        wb.TrialModule(served(Option("a", "b"))).update(concurrency=0)
    assert len(wb.jobs()) == 0


def test_values_are_shown_by_their_names() -> None:
    assert [shown(v) for v in (1e-4, "text", None, len, wb.deploy.dummy, ROWS)] == [1e-4, "text", None, "len", "dummy", "1 rows"]
    assert shown((wb.deploy.dummy, {"port": 1})) == "dummy(port=1)"
    assert len(shown("x" * 200)) == 78


def test_gpus_are_shared_out() -> None:
    assert shares([], None) == [None]
    assert shares([], 2) == [None, None]
    assert shares(["0", "1"], None) == ["0", "1"]
    assert shares(["0", "1"], 1) == [None]
    assert shares(["0", "1", "2", "3"], 2) == ["0,2", "1,3"]
    assert shares(["0", "1"], 3) == ["0", "1", "0"]


def test_a_job_sees_the_gpus_of_its_trial(home: Path) -> None:
    from workbench.runtime.supervision import detach
    from workbench.runtime.work import devices

    token = devices.assigned.set("1,3")
    try:
        assert detach._environment(home, {})["CUDA_VISIBLE_DEVICES"] == "1,3"
    finally:
        devices.assigned.reset(token)


class Picky(wb.ModuleBase):
    """Answers nothing with one of its values."""

    builder_keys = ("times",)
    _times: Any = 1

    def forward(self, text: str) -> str:
        if self._times == 3:
            raise ValueError("three is too much")
        return text * self._times


def test_a_trial_whose_rows_have_no_answer_says_why(home: Path) -> None:
    picky = Picky().times(Option(2, 3)).evalset([{"input": "a", "expected": "aa"}] * 2)  # type: ignore[attr-defined]  # made by its key
    answered, unanswered = wb.TrialModule(picky).update().rows
    assert (answered.error, unanswered.state) == ("", "finished")
    assert unanswered.error == "2 of 2 rows without an answer: ValueError: three is too much"


# ---- running them


def test_a_grid_trains_deploys_and_evaluates_each_and_puts_the_best_first(home: Path) -> None:
    m = tuned(steps=Option(2, 40), seconds_per_step=0.001).deploy_method(wb.deploy.dummy).evalset([("q", "reply for")])
    trials = wb.TrialModule(m, best_by="loss")
    table = trials.update(scorers="contains", concurrency=2, show=False)
    assert [r.state for r in table] == ["finished"] * 2
    assert [r.options["steps"] for r in table] == [40, 2]
    assert {len(r.jobs) for r in table} == {1}
    assert len({r.jobs[0] for r in table}) == 2
    assert table.to_pandas()["contains"].tolist() == [1.0] * 2
    assert list(table.to_pandas().columns)[:5] == ["trial", "steps", "contains", "latency", "loss"]
    assert table.best_row is table.rows[0]
    assert [len(r) for r in table.eval_results] == [1] * 2
    best = trials.best
    assert best.options == []
    assert best.start()("q").startswith("reply for")
    best.stop()
    assert [j for j in wb.jobs(kind="deploy", active=True) if j.state == "running"] == []


def test_one_that_fails_does_not_end_the_others_and_is_all_that_runs_again(home: Path) -> None:
    m = tuned(steps=3, fail_at=Option(2, None))
    first = wb.TrialModule(m).update(show=False)
    assert [(r.options["fail_at"], r.state) for r in first] == [(None, "finished"), (2, "failed")]
    assert "A failure was" in first.rows[1].error
    jobs = {r.number: r.jobs for r in first}
    second = wb.TrialModule(m).update(show=False)
    again = {r.number: r.jobs for r in second}
    assert again[2] == jobs[2]
    assert again[1] != jobs[1]
    assert wb.TrialModule(m).update(show=False, resume=False)[0].jobs != jobs[2]


def test_modules_without_jobs_are_tried_as_well(home: Path) -> None:
    trials = wb.TrialModule(Power().evalset([(2, 10), (1, 4)]), name="powers")
    table = trials.update(show=False)
    assert table[0].options == {"base": 3, "plus": 1}
    assert table[0].scores["exact"] == 1.0
    assert trials.best(2) == 10  # type: ignore[operator]
    assert table.module(1)(3) == 8  # type: ignore[operator]


def test_prompts_share_one_deployment_which_ends_with_the_last_of_them(home: Path) -> None:
    m = served(Option("a", "b", "c")).evalset(["q"])
    table = wb.TrialModule(m).update(show=False)
    assert [r.state for r in table] == ["finished"] * 3
    deployments = wb.jobs(kind="deploy")
    assert len(deployments) == 1
    deployments[0].wait(20)
    assert deployments[0].state == "cancelled"


def test_a_deployment_that_was_there_before_stays(home: Path) -> None:
    own = served("mine").start()
    wb.TrialModule(served(Option("a", "b")).evalset(["q"])).update(show=False)
    assert own.state == "running"
    assert own("q").startswith("reply for")


def test_new_questions_are_asked_of_the_models_that_are_there(home: Path) -> None:
    m = tuned(steps=Option(1, 2)).deploy_method(wb.deploy.dummy).evalset([("q", "reply")])
    jobs = [r.jobs for r in wb.TrialModule(m).update(show=False, scorers="contains")]
    table = wb.TrialModule(m.evalset([("q", "something else")])).update(show=False, scorers="contains")
    assert sorted(r.jobs for r in table) == sorted(jobs)
    assert [r.scores["contains"] for r in table] == [0.0, 0.0]


def test_flows_and_questions_may_hold_options(home: Path) -> None:
    action = wb.ActionModule(wb.pipeline(served(Option("a", "b")), str.upper))
    action.evalset(Option([("q", "REPLY")], [("q", "NOTHING")]))
    table = wb.TrialModule(action, name="flow").update(show=False, scorers="contains")
    assert [(r.options["prompt"], r.scores["contains"]) for r in table] == [("a", 1.0), ("b", 1.0), ("a", 0.0), ("b", 0.0)]
    assert len(wb.jobs(kind="deploy")) == 1


def test_the_last_line_of_a_cell_shows_a_table_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(TrialRow(1, "a", {}))
    monkeypatch.setattr("workbench.modules.trials.trial_table.cell", lambda: 7)
    with pytest.raises(NotImplementedError):
        table._ipython_display_()
    table.shown_in = 7
    table._ipython_display_()


def test_a_value_more_runs_one_trial_more(home: Path) -> None:
    wb.TrialModule(tuned(steps=Option(1, 2))).update(show=False)
    wb.TrialModule(tuned(steps=Option(1, 2, 3))).update(show=False)
    assert len(wb.jobs()) == 3


# ---- interrupting


def test_an_interrupt_leaves_jobs_that_the_next_update_waits_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    m = tuned(steps=Option(150, 1), seconds_per_step=0.02)
    trials = wb.TrialModule(m)

    def interrupt() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not any(j.state == "running" for j in wb.jobs()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        trials.update(show=False)
    said = capsys.readouterr().err
    job = wb.jobs()[0]
    assert f"1 fine-tuning goes on ({job.id})" in said
    assert "update()" in said
    assert [r.state for r in trials.table] == ["interrupted", "waiting"]
    table = trials.update(show=False)
    assert [r.state for r in table] == ["finished", "finished"]
    assert table.row(table.rows[0].key).jobs
    assert {r.jobs[0] for r in table if r.number == 1} == {job.id}
    assert len(wb.jobs()) == 2


def test_without_waiting_the_table_fills_and_stop_ends_it(home: Path) -> None:
    trials = wb.TrialModule(tuned(steps=Option(120, 1), seconds_per_step=0.02, save_steps=5))
    table = trials.update(wait=False, show=False)
    with pytest.raises(ArgumentError, match="running already"):
        trials.update()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not any("step " in r.progress for r in table):
        time.sleep(0.05)
    trials.stop(jobs=True)
    trials.wait()
    assert sorted(r.state for r in table) == ["interrupted", "waiting"]
    with pytest.raises(NotStarted, match="No trial has finished"):
        _ = trials.best
    stopped = wb.jobs()[0].wait(20)
    assert stopped.state == "cancelled"
    table = trials.update(show=False)
    assert [r.state for r in table] == ["finished"] * 2
    assert next(wb.job(r.jobs[0]) for r in table if r.number == 1).parent == stopped  # it went on at the checkpoint


ANOTHER_DAY = """
import json
import workbench as wb
m = wb.TrainableModule('pocket', 't').finetune_method(wb.finetune.dummy, steps=wb.Option(1, 2)).trainset([{'instruction': 'a', 'output': 'b'}])
trials = wb.TrialModule(m)
before = [r.state for r in trials.table]
trials.update()
print(json.dumps([before, [r.jobs[0] for r in trials.table]]))
"""


def test_another_kernel_finds_what_was_done(home: Path) -> None:
    def run() -> Any:
        done = subprocess.run([sys.executable, "-c", ANOTHER_DAY], capture_output=True, text=True, check=True, env=dict(os.environ))
        return json.loads(done.stdout)

    first, second = run(), run()
    assert first[0] == ["waiting", "waiting"]
    assert second[0] == ["finished", "finished"]
    assert first[1] == second[1]


# ---- looks


def table_of(*rows: TrialRow, best_by: str = "") -> TrialTable:
    return TrialTable("grid", rows, best_by, lambda key: pytest.fail(f"no module is needed for {key}"))


def test_scores_come_before_losses_and_less_loss_is_better() -> None:
    a = TrialRow(1, "a", {"lr": 0.1}, "finished", {"loss": 1.0, "eval_loss": 3.0})
    b = TrialRow(2, "b", {"lr": 0.2}, "finished", {"loss": 2.0, "eval_loss": 1.0})
    c = TrialRow(3, "c", {"lr": 0.3}, "training", {}, progress="step 3 of 9")
    assert [r.key for r in table_of(a, b, c)] == ["b", "a", "c"]
    assert [r.key for r in table_of(a, b, c, best_by="loss")] == ["a", "b", "c"]
    scored = [TrialRow(r.number, r.key, r.options, r.state, r.metrics, {"exact": s}) for r, s in ((a, 0.9), (b, 0.5))]
    assert table_of(*scored).best_row.key == "a"
    assert table_of(*scored).by == "exact"
    assert table_of(*scored, best_by="-exact").best_row.key == "b"
    with pytest.raises(ArgumentError, match="No trial has 'rouge'"):
        _ = table_of(*scored, best_by="rouge").best_row


def test_a_table_is_text_and_escaped_html() -> None:
    a = TrialRow(1, "a", {"prompt": "<b>x</b>"}, "finished", {"loss": 1.0}, seconds=2.0, jobs=("j1",))
    b = TrialRow(2, "b", {"prompt": "y"}, "failed", error="It <broke>.")
    c = TrialRow(3, "c", {"prompt": "z"}, "finished", {"loss": 0.5})
    table = table_of(a, b, c)
    assert "grid: 3 trials · 2 finished, 1 failed · best by loss" in repr(table)
    assert "← best" in repr(table).splitlines()[2]
    html = table._repr_html_()
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "It &lt;broke&gt;." in html
    assert "--jp-" in html
    assert html.count("<b>best</b>") == 1


# ---- the real thing


def test_a_real_grid_on_the_shipped_model(home: Path) -> None:
    train = [{"instruction": f"say {w}", "input": "", "output": "zebra"} for w in ("this", "that", "one", "now", "me", "so", "yes", "no")] * 8
    m = (
        wb.TrainableModule("pocket", "mine")
        .finetune_method(
            wb.finetune.llamafactory,
            max_steps=Option(1, 24),
            learning_rate=2e-3,
            per_device_train_batch_size=8,
            template="qwen3_nothink",
            val_size=0,
        )
        .trainset(train)
        .evalset([("say hello", "zebra"), ("say more", "zebra")])
        .set_default_parameters(temperature=0)
    )
    trials = wb.TrialModule(m)
    table = trials.update(show=False)
    assert [(r.state, r.options["max_steps"], r.scores.get("exact")) for r in table] == [("finished", 24, 1.0), ("finished", 1, 0.0)], repr(table)
    assert all(Path(r.target).is_dir() for r in table)
    assert wb.jobs(kind="deploy", active=True) == [] or all(j.record.cancel_requested for j in wb.jobs(kind="deploy", active=True))
    best = wb.TrialModule(m).best
    assert isinstance(best, wb.TrainableModule)
    assert best.finetuned_model_path == table[0].target
    assert best.start()("say hello", temperature=0) == "zebra"
