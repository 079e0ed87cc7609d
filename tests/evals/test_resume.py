"""Going on with an evaluation: only what is missing is asked; what has changed is asked anew, and said."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import ArgumentError
from workbench.evals import EvalResult, compare, evaluate
from workbench.evals.identity import digest, of_subject

ROWS = [(i, i * 2) for i in range(40)]
WORLD: dict[str, Any] = {}  # what is outside of the modules and no part of what they are


@pytest.fixture(autouse=True)
def world() -> None:
    WORLD.update(broken=set(), stop_at=None, broken_shaky=True)


class Twice(wb.ModuleBase):
    """Answers slowly, counts its calls, and fails or is stopped where it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.factor = 2

    def forward(self, x: int) -> int:
        self.calls.append(x)
        if x == WORLD["stop_at"]:
            self.eval_result.stop()
            time.sleep(0.05)
        if x in WORLD["broken"]:
            raise ValueError("broken")
        return x * self.factor


@pytest.fixture
def stopped(home: Path) -> Twice:
    m = Twice()
    WORLD["stop_at"] = 20
    m.evalset(ROWS).eval(concurrency=1)
    assert m.eval_result.state == "cancelled"
    assert 20 <= m.eval_result.done < 40
    m.calls.clear()
    WORLD["stop_at"] = None
    return m


def test_eval_again_asks_only_what_was_not_asked(stopped: Twice, capsys: pytest.CaptureFixture[str]) -> None:
    before: EvalResult = stopped.eval_result
    done = before.done
    stopped.evalset(list(ROWS)).eval()
    assert stopped.eval_result is before
    assert before.state == "finished"
    assert before == [i * 2 for i in range(40)]
    assert sorted(stopped.calls) == list(range(done, 40))
    assert f"Going on with 'Twice': {done} of 40 rows" in capsys.readouterr().err
    again = EvalResult.load(before.id)
    assert again == before.outputs
    assert (again.state, again.done) == ("finished", 40)
    assert again.elapsed == pytest.approx(before.elapsed, abs=0.01)


def test_a_finished_evaluation_is_asked_anew(home: Path) -> None:
    m = Twice().evalset(ROWS[:5])
    first = m.eval().eval_result
    assert m.eval().eval_result is not first
    assert len(m.calls) == 10


def test_rows_that_failed_are_asked_again_where_that_is_wished(home: Path) -> None:
    m = Twice()
    WORLD["broken"] = {3, 4}
    m.evalset(ROWS[:10]).eval()
    assert m.eval_result.errors == 2
    WORLD["broken"] = set()
    m.calls.clear()
    m.eval(resume=True)
    assert sorted(m.calls) == [3, 4]
    assert (m.eval_result.errors, m.eval_result.summary()[0].means) == (0, (1.0,))


def test_a_new_process_goes_on_where_that_is_wished(home: Path) -> None:
    WORLD["stop_at"] = 5
    Twice().evalset(ROWS).eval(concurrency=1)
    evaluate(abs, [1], show=False)  # another one in between
    WORLD["stop_at"] = None
    anew, other = Twice().evalset(ROWS), Twice().evalset(ROWS[1:])
    assert 0 not in anew.eval(resume=True, concurrency=1).calls
    assert (anew.eval_result.state, len(anew.calls)) == ("finished", len(ROWS) - 5)
    assert sorted(other.eval(resume=True).calls) == [x for x, _ in ROWS[1:]]


@pytest.mark.parametrize("change", ["module", "rows", "scorers", "code"])
def test_what_has_changed_is_asked_anew_and_said(
    stopped: Twice, change: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {}
    if change == "module":
        stopped.factor = 3
    elif change == "rows":
        stopped.evalset([*ROWS[:-1], (99, 198)])
    elif change == "scorers":
        options["scorers"] = "contains"
    else:
        monkeypatch.setattr(Twice, "forward", lambda self, x: self.calls.append(x) or x + x)
    before = stopped.eval_result
    stopped.eval(**options)
    assert stopped.eval_result is not before
    assert len(stopped.calls) == 40
    said = capsys.readouterr().err
    expected = {"module": "the model (Twice.factor)", "rows": "the evaluation set", "scorers": "the scorers", "code": "the model (Twice.forward)"}
    assert "All rows are asked anew" in said
    assert expected[change] in said


def test_false_asks_everything(stopped: Twice) -> None:
    stopped.eval(resume=False)
    assert len(stopped.calls) == 40


def test_a_comparison_goes_on_from_disk(home: Path) -> None:
    asked: list[tuple[str, int]] = []
    result: list[EvalResult] = []

    def one(x: int) -> int:
        asked.append(("one", x))
        if x == 5 and len(asked) < 20:
            result[0].stop()
            time.sleep(0.05)
        return x

    def two(x: int) -> int:
        asked.append(("two", x))
        return x * 2

    compare(one, two, evalset=ROWS, concurrency=1, show=False, on_start=result.append)
    asked.clear()
    found = EvalResult.load(result[0].id)
    whole = compare(one, two, evalset=ROWS, concurrency=1, show=False, resume=found.id)
    assert whole.id == found.id
    assert whole.outputs == [(i, i * 2) for i in range(40)]
    assert {x for _, x in asked}.isdisjoint(range(5))
    running = evaluate(lambda x: threading.Event().wait(0.3), [1], wait=False, show=False)
    with pytest.raises(ArgumentError, match="still running"):
        evaluate(one, ROWS, resume=running)
    running.wait()


def test_only_the_model_that_failed_is_asked_again(home: Path) -> None:
    asked: list[int] = []

    def fine(x: int) -> int:
        asked.append(x)
        return x

    def shaky(x: int) -> int:
        if WORLD["broken_shaky"] and x == 1:
            raise ValueError("no")
        return x

    first = compare(fine, shaky, evalset=[0, 1, 2], show=False)
    WORLD["broken_shaky"] = False
    asked.clear()
    second = compare(fine, shaky, evalset=[0, 1, 2], show=False, resume=first)
    assert (second.outputs, asked) == ([(0, 0), (1, 1), (2, 2)], [])


def test_collect_f_makes_what_is_asked_of_a_finished_evaluation(home: Path) -> None:
    m = Twice().evalset([1, 2, 3], collect_f=sum)
    assert m.eval().eval_result == 12
    path = home.parent / "rows.txt"
    path.write_text("4 5 6")
    assert m.evalset(str(path), lambda f: [int(x) for x in f.read().split()], sum).eval().eval_result == 30


def test_digests_are_of_content_and_leave_keys_alone(home: Path) -> None:
    def inner(k: int) -> Any:
        return lambda x: x + k

    assert digest(inner(1)) == digest(inner(1)) != digest(inner(2))
    assert digest({"a": [1, (2, {3})]}) == digest({"a": [1, (2, {3})]})
    m = Twice()
    m.api_key = "sk-1"  # type: ignore[attr-defined]
    before = of_subject(m)
    m.api_key = "sk-2"  # type: ignore[attr-defined]
    assert of_subject(m) == before
    m.factor = 5
    assert of_subject(m) != before
