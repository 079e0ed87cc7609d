"""The tree of modules, hooks and evaluation sets, with modules that need no model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ArgumentError, NotStarted
from workbench.modules import Hook, ModuleBase


class Double(ModuleBase):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.life: list[str] = []

    def forward(self, value: Any, times: int = 2) -> Any:
        return value * times

    def _deploy(self) -> None:
        self.life.append("deploy")

    def _undeploy(self) -> None:
        self.life.append("undeploy")


class Outer(ModuleBase):
    def __init__(self, inner: ModuleBase) -> None:
        super().__init__(name="outer")
        self.inner = inner
        self.again = inner
        self.other = Double(name="other")

    def forward(self, value: Any) -> Any:
        return self.inner(value) + self.other(value)


def test_a_module_is_called_through_forward() -> None:
    assert Outer(Double())(2) == 8
    with pytest.raises(NotImplementedError, match="forward"):
        ModuleBase()(1)


def test_modules_held_as_attributes_are_submodules_once_and_inner_ones_come_first() -> None:
    inner = Double(name="inner")
    outer = Outer(inner)
    assert outer.submodules == [inner, outer.other]
    assert [m.name for m in outer.modules()] == ["inner", "other", "outer"]
    seen: list[str] = []
    outer.for_each(lambda m: isinstance(m, Double), lambda m: seen.append(m.name))
    assert seen == ["inner", "other"]


def test_a_replaced_attribute_is_no_submodule_any_more() -> None:
    outer = Outer(Double())
    new = Double()
    outer.inner = outer.again = new
    assert outer.submodules == [new, outer.other]


def test_start_stop_and_restart_reach_every_module_of_the_tree_once() -> None:
    outer = Outer(Double())
    assert outer.start() is outer
    outer.stop()
    outer.restart()
    assert outer.other.life == ["deploy", "undeploy", "undeploy", "deploy"]
    assert outer.inner.life == outer.other.life
    outer.start(recursive=False)
    assert len(outer.other.life) == 4


def test_modules_that_hold_each_other_are_walked_once() -> None:
    a, b = Double(name="a"), Double(name="b")
    a.peer, b.peer = b, a  # type: ignore[attr-defined]
    assert [m.name for m in a.modules()] == ["b", "a"]


class Recorder(Hook):
    said: list[str] = []  # noqa: RUF012  # shared on purpose, to see what the copies did

    def __init__(self) -> None:
        self.calls = 0

    def pre_hook(self, *args: Any, **kwargs: Any) -> None:
        self.calls += 1
        self.said.append(f"pre {args} {kwargs}")

    def post_hook(self, output: Any) -> None:
        self.said.append(f"post {output}")

    def report(self) -> None:
        self.said.append(f"report {self.calls}")


@pytest.mark.parametrize("hook", [Recorder, Recorder()])
def test_hooks_run_around_every_call_and_share_nothing_between_calls(hook: Any) -> None:
    Recorder.said.clear()
    module = Double().register_hook(hook)
    assert (module(2), module(3, times=3)) == (4, 9)
    assert Recorder.said == ["pre (2,) {}", "post 4", "report 1", "pre (3,) {'times': 3}", "post 9", "report 1"]
    module.unregister_hook(hook)(2)
    assert len(Recorder.said) == 6


def test_a_hook_that_fails_warns_and_the_call_goes_on() -> None:
    class Broken(Hook):
        def pre_hook(self, *args: Any, **kwargs: Any) -> None:
            raise RuntimeError("no")

    with pytest.warns(UserWarning, match="Broken failed"):
        assert Double().register_hook(Broken)(2) == 4


def test_the_traces_of_a_call_hold_what_the_modules_with_return_trace_gave() -> None:
    outer = Outer(Double(return_trace=True))
    call = wb.StreamCallHelper(outer)("a")
    assert "".join(call) == "aaaa"
    assert call.traces == ["aa"]


ROWS = [{"input": 2, "expected": 4}, {"input": 3, "expected": 7}]


def test_an_evaluation_set_chains_and_fills_the_result(home: Path) -> None:
    module = Double().evalset(ROWS)
    assert module.eval() is module
    assert [r.outputs[0].value for r in module.eval_result.rows] == [4, 6]
    assert module.eval_result.state == "finished"


@pytest.mark.parametrize("form", ["json", "jsonl", "frame"])
def test_an_evaluation_set_may_be_a_file_or_a_frame(home: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"rows.{form}"
    path.write_text(json.dumps(ROWS) if form == "json" else "\n".join(map(json.dumps, ROWS)))
    module = Double().evalset(pd.DataFrame(ROWS) if form == "frame" else path).eval()
    assert [int(r.outputs[0].value) for r in module.eval_result.rows] == [4, 6]


def test_load_f_reads_the_opened_file_and_collect_f_makes_the_result(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("1\n2\n3\n")
    module = Double().evalset(path, load_f=lambda f: [int(line) for line in f], collect_f=sum).eval()
    assert module.eval_result == 12


def test_rows_without_input_and_expected_are_keyword_arguments(home: Path) -> None:
    module = Double().evalset([{"value": "a", "times": 3}]).eval()
    assert module.eval_result.rows[0].outputs[0].value == "aaa"


def test_a_row_that_fails_is_an_error_in_its_row(home: Path) -> None:
    module = Double().evalset([("a", "aa"), ({}, "x")]).eval()
    good, bad = module.eval_result.rows
    assert (good.outputs[0].value, good.outputs[0].error) == ("aa", "")
    assert bad.outputs[0].error


def test_an_evaluation_set_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(ArgumentError, match="not there"):
        Double().evalset("nowhere.jsonl")


def test_the_table_before_an_evaluation_says_what_to_do() -> None:
    with pytest.raises(NotStarted, match="eval"):
        Double().eval_table()


def test_update_without_anything_to_train_deploys_and_evaluates(home: Path) -> None:
    outer = Outer(Double())
    outer.inner.evalset(ROWS)
    assert outer.update() is outer
    assert outer.inner.life == ["deploy"]
    assert outer.inner.eval_result.done == 2
    with pytest.raises(ArgumentError, match="no job"):
        outer.update(wait=False)
