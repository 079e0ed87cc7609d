"""A tree of modules: trained side by side, deployed side by side, told apart in errors; builder keys, options, steps of its own."""

from __future__ import annotations

import asyncio
import copy
import time
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import ArgumentError, JobFailed, ModelNotFound, NotStarted
from workbench.flows import bind, parallel, pipeline

ROWS = [{"instruction": f"Compute {n} + 1", "output": str(n + 1)} for n in range(4)]


class Holds(wb.ModuleBase):
    def __init__(self, **parts: Any) -> None:
        super().__init__(name="holds")
        vars(self).update(parts)

    def forward(self, value: Any) -> Any:
        return self.action(value) if hasattr(self, "action") else value


class Fails(wb.ModuleBase):
    def forward(self, value: Any) -> Any:
        return {}[value]


def trains(target: str, **arguments: Any) -> wb.TrainableModule:
    t = wb.TrainableModule("pocket", target).finetune_method(wb.finetune.dummy, steps=4, **arguments).trainset(ROWS)
    return t.deploy_method(wb.deploy.dummy).mode("finetune")


def serves(name: str, **arguments: Any) -> wb.TrainableModule:
    return wb.TrainableModule(name).deploy_method(wb.deploy.dummy, **arguments)


# ---- who belongs to it


def test_modules_inside_flows_and_binds_are_submodules_once() -> None:
    a, b, c = wb.ModuleBase(name="a"), wb.ModuleBase(name="b"), wb.ModuleBase(name="c")
    top = Holds(flow=pipeline(a, parallel(b, a), lambda x: x), bound=bind(c, 1), again=b)
    assert [m.name for m in top.submodules] == ["a", "b", "c"]
    assert [m.name for m in top.modules()] == ["a", "b", "c", "holds"]


def test_the_tree_is_written_a_line_each() -> None:
    leaf = wb.ModuleBase(name="leaf")
    top = Holds(one=Holds(leaf=leaf), two=leaf)
    assert top.tree().splitlines() == [
        "<Module type=Holds name=holds>",
        "├─ <Module type=Holds name=holds>",
        "│  └─ <Module type=ModuleBase name=leaf>",
        "└─ <Module type=ModuleBase name=leaf>",
    ]
    top.one.back = top
    assert top.tree().splitlines()[3] == "│  └─ <Module type=Holds name=holds> (see above)"
    assert "\n" not in repr(top)


def test_a_class_that_forgets_its_base_still_works() -> None:
    class Forgets(wb.ModuleBase):
        def __init__(self) -> None:
            self.inner = wb.ModuleBase(name="inner")

        def forward(self, x: int) -> int:
            return x

    assert (Forgets()(1), Forgets().name, len(Forgets().submodules)) == (1, "Forgets", 1)


# ---- errors


@pytest.mark.parametrize("awaited", [False, True])
def test_an_error_keeps_its_type_and_says_which_module_of_which_tree(awaited: bool) -> None:
    top = Holds(action=Holds(action=Fails()))
    with pytest.raises(KeyError) as caught:
        asyncio.run(top.acall("x")) if awaited else top("x")
    assert caught.value.args == ("x",)
    assert [n for n in caught.value.__notes__ if "module" in n] == ["In the module holds ▸ holds ▸ Fails."]


def test_an_error_of_our_own_is_told_only_where_it_is_not_plain() -> None:
    model = wb.TrainableModule("m")
    with pytest.raises(NotStarted) as caught:
        model("x")
    assert not hasattr(caught.value, "__notes__")
    with pytest.raises(NotStarted) as caught:
        Holds(action=model)("x")
    assert caught.value.__notes__ == ["In the module holds ▸ m."]


def test_a_branch_that_fails_ends_the_answers_of_the_others(home: Path) -> None:
    slow = serves("slow", delay=5.0).start()

    def fails(value: Any) -> None:
        time.sleep(0.5)  # the other branch has asked by then
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        parallel(slow, fails)("hi")
    assert [completion.finish_reason for _, completion in slow.recent] == ["cancelled"]


# ---- its life


def test_one_fine_tuning_that_fails_leaves_the_others_their_results(home: Path) -> None:
    good, bad, worse = trains("good"), trains("bad", fail_at=2), trains("worse", fail_at=1)
    with pytest.raises(JobFailed, match="bad") as caught:
        Holds(a=bad, b=worse, c=good).update()
    assert any("worse failed, too" in n for n in caught.value.__notes__)
    assert [m.status("finetune") for m in (good, bad, worse)] == ["succeeded", "failed", "failed"]


def seen_by(module: wb.ModuleBase, step: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs there are when the module comes to a step of its life."""
    seen: list[int] = []
    go = getattr(module, step)

    def look() -> None:
        seen.append(len(wb.jobs()))
        go()

    monkeypatch.setattr(module, step, look)
    return seen


def test_every_fine_tuning_has_begun_before_one_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Holds(a=trains("a"), b=trains("b"))
    seen = seen_by(tree.a, "_await_training", monkeypatch)
    tree.update()
    assert seen[0] == 2
    assert [m.status("finetune") for m in (tree.a, tree.b)] == ["succeeded"] * 2


def test_every_deployment_was_asked_for_before_one_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, c = serves("a", text="A"), serves("b", text="B"), serves("c", text="C")
    tree = Holds(action=pipeline(a, b, c), face=a.share())
    seen = seen_by(a, "_deploy", monkeypatch)
    assert tree.start()("x") == "C"
    assert (seen, len(wb.jobs())) == ([3], 3)
    tree.stop()
    assert [m.state for m in (a, b, c, tree.face)] == ["idle"] * 4


def test_one_that_cannot_start_leaves_the_others_running(home: Path) -> None:
    a, b = serves("a"), serves("b")
    bad = wb.TrainableModule("no-such-model", trust_remote_code=False)
    with pytest.raises(ModelNotFound, match="no-such-model"):
        Holds(a=a, bad=bad, b=b).start()
    assert (a.state, b.state, bad.state) == ("running", "running", "idle")


def test_an_interrupt_ends_what_was_only_announced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = serves("a"), serves("b")

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(a, "_deploy", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Holds(a=a, b=b).start()
    for job in wb.jobs(active=True):
        job.wait()
    assert [str(j.state) for j in wb.jobs()] == ["cancelled", "cancelled"]


def test_modules_inside_a_flow_are_trained_deployed_and_evaluated(home: Path) -> None:
    t = trains("mine").evalset(["a"])
    Holds(action=pipeline(t)).update()
    assert (t.status("finetune"), t.status(), t.eval_result.done) == ("succeeded", "running", 1)


def test_steps_of_a_subclass_run_in_their_place(home: Path) -> None:
    done: list[str] = []

    class Steps(wb.ModuleBase):
        def _get_train_tasks(self) -> Any:
            return pipeline(lambda: done.append("train"))

        def _get_deploy_tasks(self) -> Any:
            return [lambda: done.append("deploy"), lambda: done.append("deploy 2")]

        def _get_eval_tasks(self) -> Any:
            return lambda: done.append("eval")

        def _get_post_process_tasks(self) -> Any:
            return lambda: done.append("post")

    Holds(inner=Steps()).update()
    assert done == ["train", "deploy", "deploy 2", "eval", "post"]
    done.clear()
    Steps().start()
    assert done == ["deploy", "deploy 2", "post"]


def test_without_a_deploy_method_nothing_is_deployed(home: Path) -> None:
    t = trains("mine").deploy_method(None)
    t.update()
    assert (t.status("finetune"), t.status(), wb.jobs(kind="deploy")) == ("succeeded", "idle", [])
    with pytest.raises(NotStarted, match=r"deploy_method\(None\)"):
        t("hi")


def test_a_task_that_was_never_started_cannot_be_stopped_and_has_no_log(home: Path) -> None:
    t = trains("mine")
    for ask, what in ((lambda: t.stop("deploy"), "not deployed"), (lambda: t.stop("finetune"), "not being"), (t.log_path, "no log")):
        with pytest.raises(NotStarted, match=what):
            ask()
    with pytest.raises(ArgumentError, match="no task 'tune'"):
        t.status("tune")  # type: ignore[arg-type]
    t.stop()
    t.start()
    assert Path(t.log_path()).is_file()
    t.stop("deploy")
    assert t.status("deploy") == "idle"


# ---- what is set


def test_builder_keys_make_methods_that_keep_values_and_chain() -> None:
    class Built(wb.ModuleBase):
        builder_keys = ("size", "cut_method")
        changed = 0

        def _size_setter_hook(self) -> None:
            self.changed += 1

    b = Built()
    assert (b._size, b._size_args, b._cut) == (None, {}, None)  # type: ignore[attr-defined]
    assert b.size(3, unit="cm").cut_method((str.upper, {"a": 1})) is b  # type: ignore[attr-defined]
    assert (b._size, b._size_args, b._cut, b._cut_args, b.changed) == (3, {"unit": "cm"}, str.upper, {"a": 1}, 1)  # type: ignore[attr-defined]


def test_options_of_the_tree_are_found_wherever_they_are() -> None:
    rate, steps, size = wb.Option(1e-4, 2e-4), wb.Option([3, 4]), wb.Option("s", "m")
    t = trains("mine").finetune_method(wb.finetune.dummy, learning_rate=rate, steps=steps)
    top = Holds(model=t, more_args={"again": steps})
    top.size = size
    assert top.options == [rate, steps, size]


def test_a_run_takes_no_options_and_says_who_does(home: Path) -> None:
    t = trains("mine").finetune_method(wb.finetune.dummy, steps=wb.Option(3, 4))
    with pytest.raises(ArgumentError, match="TrialModule"):
        t.update()
    assert wb.jobs() == []


def test_an_option_in_a_constructor_is_refused_where_one_value_is_meant() -> None:
    with pytest.raises(ArgumentError, match="cannot take an Option as 'target_path'"):
        wb.TrainableModule("m", target_path=wb.Option("a", "b"))
    model = wb.TrainableModule(wb.Option("a", "b"))
    assert (model.base_model, len(model.options)) == ("a", 1)


@pytest.mark.parametrize(("value", "what"), [("x", "'x'"), (-1, "-1")])
def test_a_value_that_a_method_cannot_use_is_refused_when_it_is_given_also_as_an_option(value: Any, what: str) -> None:
    t = wb.TrainableModule("pocket")
    for given in (value, wb.Option(3, value)):
        with pytest.raises(ArgumentError, match=what):
            t.finetune_method(wb.finetune.dummy, steps=given)


def test_a_copy_has_a_life_of_its_own(home: Path) -> None:
    model = serves("a").start()
    other = copy.deepcopy(model)
    assert (other.state, other.module_id == model.module_id, other.base_model) == ("idle", False, "a")


def test_the_series_is_the_beginning_of_the_name() -> None:
    names = {"qwen2-1.5b": "QWEN", "internlm2-chat-7b": "INTERNLM", "/models/Llama-3": "LLAMA", "pocket": "POCKET"}
    assert {n: wb.TrainableModule(n).series for n in names} == names


# ---- async modules


class Waits(wb.ModuleBase):
    """Meets another one: neither ends before both have begun."""

    def __init__(self, here: asyncio.Event | None = None, there: asyncio.Event | None = None) -> None:
        super().__init__()
        self.events = (here, there)

    async def forward(self, value: int) -> int:
        here, there = self.events
        if here is not None and there is not None:
            here.set()
            await asyncio.wait_for(there.wait(), 10)
        return value + 1


def test_an_async_forward_is_called_and_awaited_alike() -> None:
    assert Waits()(1) == 2
    assert asyncio.run(Waits().acall(1)) == 2
    assert pipeline(Waits(), Waits())(1) == 3

    async def inside() -> int:
        return int(Waits()(1))  # a cell of a notebook has a loop of its own, too

    assert asyncio.run(inside()) == 2


def test_async_modules_in_a_parallel_run_at_the_same_time() -> None:
    one, two = asyncio.Event(), asyncio.Event()
    flow = parallel(Waits(one, two), Waits(two, one))
    assert tuple(flow(1)) == (2, 2)


def test_a_module_can_be_bound(home: Path) -> None:
    model = serves("a", text="A").start()
    assert (model | bind("x"))("anything") == "A"
    assert Holds(action=model | bind("x")).submodules == [model]
