"""`bind` alone and in pipelines."""

from __future__ import annotations

from typing import Any

import cloudpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench import Placeholder, _0, _1, _2, bind, package, parallel, pipeline, save_pipeline_result, switch, warp


def seen(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def add_one(x: int) -> int:
    return x + 1


def xy2z(x: int, y: int, z: int = 0) -> int:
    return x + y + 2 * z


def f4(in1: Any, in2: Any, in3: Any) -> str:
    return f"get [{in1}], [{in2}], [{in3}]"


values = st.one_of(st.integers(), st.text(max_size=3), st.none(), st.tuples(st.integers()))


@given(
    st.lists(st.one_of(st.integers(0, 4).map(Placeholder), values), max_size=5),
    st.lists(values, min_size=5, max_size=5),
    st.dictionaries(st.text("ab"), values),
)
def test_positions_and_placeholders_go_where_they_are_bound(bound: list[Any], given_: list[Any], keywords: dict[str, Any]) -> None:
    expected = tuple(given_[b._index] if isinstance(b, Placeholder) else b for b in bound) if bound else tuple(given_)
    assert bind(seen, *bound, **keywords)(*given_) == (expected, keywords)
    assert (seen | bind(*bound, **keywords))(*given_) == (expected, keywords)
    assert pipeline(seen | bind(*bound, **keywords))(*given_) == (expected, keywords)
    assert cloudpickle.loads(cloudpickle.dumps(bind(seen, *bound, **keywords)))(*given_) == (expected, keywords)


def test_a_keyword_that_is_bound_and_given_is_refused() -> None:
    with pytest.raises(AssertionError, match="Keys a are already bind!"):
        bind(seen, a=1)(a=2)
    assert bind(seen, a=1)(b=2) == ((), {"a": 1, "b": 2})


def test_a_keyword_may_be_a_placeholder() -> None:
    assert bind(seen, _0, b=_1)(1, 2) == ((1,), {"b": 2})


def test_a_placeholder_without_a_position_is_named() -> None:
    with pytest.raises(wb.errors.FlowArgumentError, match="_2 has no value: the call gave 1 positions"):
        bind(seen, _2)(1)


def test_placeholders_select_inside_the_argument() -> None:
    assert bind(seen, _0[1], _0[0]["a"], _1.real)([{"a": 5}, 2], 3) == ((2, 5, 3), {})


def test_a_bind_of_a_bind() -> None:
    assert bind(bind(seen, 1, _0), 2)(3) == ((1, 2), {})


def test_a_bind_without_a_function_says_so() -> None:
    with pytest.raises(wb.errors.FlowError, match="nothing to call"):
        bind(1)(2)
    with pytest.raises(wb.errors.FlowError, match="nothing to call"):
        pipeline(bind(_0))


def test_attributes_are_those_of_what_is_bound() -> None:
    assert bind(seen, 1).__name__ == "seen"
    inner = pipeline(a=add_one)
    assert bind(inner).a(1) == 2
    assert isinstance(bind(inner), pipeline)
    assert isinstance(bind(inner), bind)
    assert not isinstance(bind(add_one), pipeline)


def test_what_will_be_known_later_cannot_be_looped_over_called_or_set() -> None:
    p = pipeline(add_one)
    with pytest.raises(TypeError):
        list(p.input)
    with pytest.raises(TypeError):
        p.input.text()
    with pytest.raises(wb.errors.ArgumentError):
        p.input.text = 1


def test_input_outputs_and_items_of_a_pipeline() -> None:
    with pipeline() as p:
        p.f1 = lambda input, input2=0: input + input2 + 1
        p.f2 = lambda input: input + 3
        p.f3 = lambda input: f"f3-{input}"
        p.f4 = bind(f4, p.input, _0, p.f2)
    assert p(1) == "get [1], [f3-5], [5]"
    with pipeline() as p:
        p.f1 = add_one
        p.f2 = add_one
        p.f3 = xy2z | bind(y=p.input, z=p.f1)
    assert p(2) == 12


def test_the_same_function_twice_is_two_items() -> None:
    with pipeline() as p:
        p.f1 = add_one
        p.f2 = add_one
        p.f3 = seen | bind(p.f1, p.f2, p.output("f1"), p.output(p.f2), p.output(1))
    assert p(1) == ((2, 3, 2, 3, 3), {})


def test_the_same_object_twice_is_refused_where_it_is_not_clear_which_one_is_meant() -> None:
    class Twice:
        def __call__(self, x: int) -> int:
            return 2 * x

    twice = Twice()
    with pipeline() as p:
        p.f1 = twice
        p.f2 = twice
        p.f3 = seen | bind(p.output("f1"), p.output("f2"))
    assert p(1) == ((2, 4), {})
    with pipeline() as p:
        p.f1 = twice
        p.f2 = twice
        p.f3 = seen | bind(p.f2)
    with pytest.raises(wb.errors.FlowArgumentError, match="2 times"):
        p(1)


def test_selection_inside_inputs_and_outputs() -> None:
    with pipeline() as p:
        p.f1 = lambda input: {"a": input[0], "b": [input[1], 1 + 2j]}
        p.f2 = seen | bind(p.input[0], p.output("f1")["b"][0], p.f1["b"][1].imag, x=p.output("f1")["a"])
    assert p([1, 2]) == ((1, 2, 2.0), {"x": 1})


def test_an_output_can_be_unpacked() -> None:
    with pipeline() as p:
        p.f1 = lambda x, y, z: package(x, y, z)
        p.pp = parallel(seen, seen)
        p.out = bind(seen, p.output("f1")[0], p.output("f1", unpack=True)[2:0:-1])
    assert p(1, 2, 3) == ((1, 3, 2), {})


def test_the_keywords_of_the_pipeline() -> None:
    with pipeline() as p:
        p.f1 = lambda x, y: x
        p.f2 = seen | bind(p.kwargs["y"], p.kwargs, p.input)
    assert p(1, y=2) == ((2, {"y": 2}, 1), {})
    assert p(x=1, y=2) == ((2, {"x": 1, "y": 2}, package()), {})


def test_a_bind_of_a_whole_flow() -> None:
    with pipeline() as p1:
        p1.f1 = lambda x: x[0]
        with pipeline().bind(extro=p1.input[0]) as p1.p2:
            p1.p2.f3 = lambda input, extro: f"[{input} + {extro}]"
        p1.p3 = pipeline(lambda input, extro: f"[{input} + {extro}]") | bind(extro=p1.input[1])
    assert p1([1, 2]) == "[[1 + 1] + 2]"


def test_a_package_goes_whole_through_a_bound_flow() -> None:
    with pipeline() as p:
        p.f1 = lambda x: package(x, x + 1)
        p.f2 = pipeline(seen) | bind(key=p.input)
    assert p(1) == ((1, 2), {"key": 1})


def test_a_bind_in_a_flow_inside_needs_saved_results() -> None:
    with pipeline() as p:
        p.f1 = add_one
        p.f2 = add_one
        with pipeline() as p.subp:
            p.subp.f3 = xy2z | bind(y=p.input, z=p.output("f1"))
    with pytest.raises(RuntimeError, match=r"pipeline.input/output can only be bind in direct member of pipeline!"):
        p(3)
    with save_pipeline_result():
        assert p(3) == 16


def test_results_are_saved_for_pipelines_made_in_the_block_unless_a_call_forbids_it() -> None:
    with save_pipeline_result(), pipeline() as p:
        p.f1 = add_one
        p.f2 = add_one
        p.f3 = add_one
        with parallel().sum as p.subp:
            p.subp.f3 = xy2z | bind(y=p.input, z=p.output(p.f1))
            p.subp.f4 = xy2z | bind(y=p.input, z=p.f2)
    assert p(3) == 36
    with save_pipeline_result(False), pytest.raises(RuntimeError, match="direct member"):
        p(3)


def test_results_are_saved_by_argument_and_by_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(**options: Any) -> Any:
        with pipeline(**options) as p:
            p.f1 = add_one
            p.sub = parallel(seen | bind(p.f1))
        return p

    assert made(save_result=True)(1) == (((2,), {}),)
    monkeypatch.setenv("LAZYLLM_SAVE_FLOW_RESULT", "1")
    assert made()(1) == (((2,), {}),)
    with pytest.raises(RuntimeError, match="direct member"):
        made(save_result=False)(1)


def test_binds_deep_in_nested_warps_find_their_own_run() -> None:
    num = 5
    with save_pipeline_result(), pipeline() as ppl, warp().sum as ppl.wp, pipeline() as ppl.wp.ppl:
        inner = ppl.wp.ppl
        inner.rows = (lambda idx, _: [{"idx": i} for i in range(num)]) | bind(inner.input["idx"], _0)
        with warp() as inner.wp2, pipeline() as inner.wp2.ppl:
            inner.wp2.ppl.skip = lambda x: None
            inner.wp2.ppl.out = (lambda x, y, z: x * num + y) | bind(inner.input["idx"], inner.wp2.ppl.input["idx"], _0)
    assert ppl([{"idx": i} for i in range(num)]) == tuple(range(num * num))


def test_a_bind_outside_its_pipeline_says_so() -> None:
    p = pipeline(add_one)
    with pytest.raises(RuntimeError, match="direct member"):
        bind(seen, p.input)(1)


def test_names_that_are_not_there_or_come_later_are_told_when_the_pipeline_is_complete() -> None:
    def unknown() -> None:
        with pipeline() as p:
            p.retriever = add_one
            p.f2 = seen | bind(p.output("retriver"))

    def later() -> None:
        with pipeline() as p:
            p.f1 = seen | bind(p.output("f2"))
            p.f2 = add_one

    with pytest.raises(wb.errors.FlowArgumentError, match=r"no item 'retriver'(.|\n)*'retriever' is the nearest"):
        unknown()
    with pytest.raises(wb.errors.FlowArgumentError, match="step 1 'f1' binds the output of step 2 'f2'"):
        later()


def test_a_bind_as_case_branch_and_item_of_a_list() -> None:
    with pipeline() as p:
        p.f1 = add_one
        p.f2 = switch({5: seen}, judge_on_full_input=False) | bind(_0, p.input)
    assert p(4) == ((4,), {})
    assert parallel(seen | bind(_0, 7), add_one)(1) == (((1, 7), {}), 2)
    assert pipeline(add_one, bind(seen, _0, 7))(1) == ((2, 7), {})


async def test_a_bind_can_be_awaited() -> None:
    async def later(*args: Any) -> Any:
        return args

    assert await bind(later, 1, _0).acall(2) == (1, 2)


def test_pipelines_running_at_once_do_not_mix_their_runs() -> None:
    with pipeline() as p:
        p.f1 = lambda x: x * 10
        p.f2 = seen | bind(p.input, p.f1)
    assert warp(p)(list(range(50))) == tuple(((i, i * 10), {}) for i in range(50))


def test_representations_read_as_they_are_written() -> None:
    p = pipeline(f1=add_one)
    assert repr(bind(seen, p.f1, add_one, x=seen)) == "seen | bind(add_one, add_one, x=seen)"
    assert repr(bind(seen, 1, _0, p.input[0].a, x=p.output("f1"))) == "seen | bind(1, _0, input[0].a, x=output('f1'))"
