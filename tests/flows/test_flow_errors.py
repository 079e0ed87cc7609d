"""An error of an item keeps its type and says where it happened."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from workbench import ActionModule, StreamCallHelper, bind, diverter, ifs, loop, parallel, pipeline, switch, warp


class Mine(Exception):
    """With arguments that cannot be copied."""

    def __init__(self, code: int, *, detail: str) -> None:
        super().__init__(code)
        self.detail = detail


def fail(*args: Any, **kwargs: Any) -> Any:
    raise Mine(5, detail="x")


def same(x: Any) -> Any:
    return x


def place(flow: Any, *args: Any) -> str:
    with pytest.raises(Mine) as caught:
        flow(*args)
    assert caught.value.detail == "x"
    (note,) = caught.value.__notes__
    return note


def test_the_place_is_told_from_the_outermost_flow_inwards() -> None:
    with pipeline() as ppl:
        ppl.prepare = same
        with parallel() as ppl.retriever:
            ppl.retriever.a = same
            ppl.retriever.b = pipeline(same, fail)
    assert place(ppl, 1) == "In pipeline 'ppl' → step 2 'retriever' → parallel branch 2 'b' → pipeline step 2 'fail'."


@pytest.mark.parametrize(
    ("flow", "args", "expected"),
    [
        (diverter(a=same, b=fail), (1, 2), "branch 2 'b'"),
        (warp(lambda x: fail() if x == 3 else x), ([1, 3],), "element 2"),
        (warp(same, fail), ([1],), "element 1 → pipeline step 2 'fail'"),
        (switch({1: same, 2: fail}), (2,), "case 2 '2'"),
        (switch({fail: same}), (2,), "condition 1"),
        (switch({2: same}, conversion=fail), (2,), "conversion"),
        (ifs(fail, same, same), (2,), "condition"),
        (ifs(False, same, fail), (2,), "false path"),
        (loop(lambda x: x + 1 if x < 2 else fail(), count=9), (0,), "round 3 step 1 '<lambda>'"),
        (loop(same, count=9, stop_condition=fail), (0,), "round 1 stop_condition"),
        (loop(same, count=2, on_limit=fail), (0,), "on_limit"),
        (pipeline(same, post_action=fail), (0,), "post_action"),
        (pipeline(fail | bind(1)), (0,), "step 1 'fail'"),
    ],
)
def test_every_kind_of_flow_names_the_place(flow: Any, args: tuple[Any, ...], expected: str) -> None:
    assert place(flow, *args) == f"In {flow.flow_kind} 'flow' → {expected}."


def test_a_flow_without_a_name_is_told_by_its_kind() -> None:
    with pytest.raises(Mine) as caught:
        [pipeline(same, fail)][0](1)
    assert caught.value.__notes__ == ["In pipeline step 2 'fail'."]


def test_the_path_goes_through_modules() -> None:
    outer = pipeline(same, ActionModule(parallel(same, fail)))
    with pytest.raises(Mine) as caught:
        outer(1)
    text = "\n".join(caught.value.__notes__)
    assert "parallel" in text
    assert "pipeline 'outer' → step 2" in text


def test_the_traceback_shows_the_users_lines() -> None:
    flow = pipeline(same, parallel(pipeline(same, pipeline(fail))))
    with pytest.raises(Mine) as caught:
        flow(1)
    frames = [f.name for f in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "fail"
    assert len(frames) <= 4


def test_causes_and_contexts_of_an_error_stay() -> None:
    def chained(x: Any) -> Any:
        try:
            raise KeyError("first")
        except KeyError:
            raise Mine(1, detail="x")  # noqa: B904

    with pytest.raises(Mine) as caught:
        pipeline(chained)(1)
    assert isinstance(caught.value.__context__, KeyError)
    assert not caught.value.__suppress_context__


def test_an_error_that_is_raised_again_and_again_does_not_grow() -> None:
    error = Mine(1, detail="x")

    def same_error(x: Any) -> Any:
        raise error

    flow = pipeline(same_error)
    for _ in range(300):
        with pytest.raises(Mine):
            flow(1)
    assert len("".join(error.__notes__)) < 5_000


def test_a_selection_that_fails_is_told_with_what_it_selected_from() -> None:
    with pipeline() as p:
        p.f1 = lambda x: {"a": x}
        p.f2 = same | bind(p.output("f1")["b"])
    with pytest.raises(KeyError) as caught:
        p(1)
    assert caught.value.__notes__ == ["Selecting output('f1')['b'], from {'a': 1}.", "In pipeline 'p' → step 2 'f2'."]


def test_variables_of_the_workbench_are_no_names_of_flows() -> None:
    helper = StreamCallHelper(pipeline(str, lambda x: 1 // 0))
    with pytest.raises(ZeroDivisionError) as failed:
        for _ in helper(1):
            pass
    assert failed.value.__notes__ == ["In pipeline step 2 '<lambda>'."]
