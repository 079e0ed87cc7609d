"""parallel, diverter and warp: inputs, shapes of results, choosing items."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench import diverter, kwargs, package, parallel, pipeline, warp


def add_one(x: Any) -> Any:
    return x + 1


def double(x: Any) -> Any:
    return x * 2


def same(x: Any) -> Any:
    return x


def seen(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def test_every_branch_gets_the_same_input_and_results_come_in_order() -> None:
    result = parallel(add_one, double)(1)
    assert result == (2, 2)
    assert isinstance(result, package)
    assert parallel(seen, seen)(1, 2, x=3) == (((1, 2), {"x": 3}),) * 2
    assert parallel(seen)(kwargs(x=1)) == (((), {"x": 1}),)
    assert parallel()(1) == ()


def test_shapes_of_results() -> None:
    def named() -> parallel:
        return parallel(a=add_one, b=double)

    assert named().asdict(2) == {"a": 3, "b": 4}
    assert type(named().astuple(2)) is tuple
    assert named().aslist(2) == [3, 4]
    assert named().sum(2) == 7
    assert named().join()(2) == "34"
    assert named().join("\n")(2) == "3\n4"
    assert parallel(parallel(add_one), parallel(add_one)).sum(1) == (2, 2)
    assert pipeline(named(), seen)(2) == ((3, 4), {})
    assert pipeline(named().astuple, seen)(2) == (((3, 4),), {})


def test_only_one_shape_and_a_dict_needs_names() -> None:
    with pytest.raises(AssertionError, match="asdict already"):
        parallel(a=add_one).asdict.sum  # noqa: B018
    with pytest.raises(AssertionError, match="Item name should be set"):
        parallel(add_one).asdict(1)


def test_with_form_with_a_shape() -> None:
    with parallel().asdict as p:
        p.f1 = same
        p.f2 = same
    assert p(1) == {"f1": 1, "f2": 1}
    with parallel.sequential().sum as p:
        p.f1 = same
        p.f2 = same
    assert p(1) == 2


@pytest.mark.parametrize("chosen", [{"_kept_items": ["a", 2]}, {"_skip_items": ["b"]}, {"_kept_items": [0, -1]}, {"_skip_items": 1}])
def test_items_are_kept_or_skipped_by_name_or_number(chosen: dict[str, Any]) -> None:
    assert parallel(a=add_one, b=double, c=same).asdict(5, **chosen) == {"a": 6, "c": 5}


def test_keeping_and_skipping_at_once_is_refused_and_unknown_names_are_told() -> None:
    p = parallel(retriever=add_one, b=double)
    with pytest.raises(RuntimeError, match="Cannot provide `_kept_items` and `_skip_items` at the same time!"):
        p(1, _kept_items=["b"], _skip_items=["b"])
    with pytest.raises(wb.errors.FlowArgumentError, match="'retriever' is the nearest name"):
        p(1, _kept_items=["retriver"])
    with pytest.raises(wb.errors.FlowArgumentError, match="no item 2"):
        p(1, _kept_items=[2])
    assert p(1, _kept_items=[]) == ()


def test_diverter_gives_each_item_its_own_input() -> None:
    div = diverter(add_one, double, lambda x: -x)
    assert div(1, 2, 3) == div([1, 2, 3]) == div((1, 2, 3)) == div(package(1, 2, 3)) == (2, 4, -3)
    named = diverter(a=add_one, b=double).asdict
    assert named(1, 2) == named({"b": 2, "a": 1}) == {"a": 2, "b": 4}
    assert parallel(add_one, double, _scatter=True)(1, 2) == (2, 4)
    assert diverter(seen, seen)(1, package(2, 3), k=4) == (((1,), {"k": 4}), ((2, 3), {"k": 4}))
    assert diverter.sequential(add_one, double)(1, 2) == (2, 4)


def test_diverter_takes_the_inputs_of_all_items_or_of_those_that_run() -> None:
    div = diverter(a=add_one, b=double, c=same)
    assert div(1, 2, 3, _skip_items=["a"]) == div(2, 3, _skip_items=["a"]) == (4, 3)
    assert div(3, _kept_items="c") == (3,)
    assert div({"a": 1, "c": 3}, _kept_items=["a", "c"]) == (2, 3)


@pytest.mark.parametrize("given_", [(1,), (1, 2, 3), ({"a": 1},), ({"a": 1, "b": 2, "d": 3},), ([],)])
def test_diverter_refuses_inputs_that_do_not_fit_its_items(given_: tuple[Any, ...]) -> None:
    with pytest.raises(wb.errors.FlowArgumentError):
        diverter(a=add_one, b=double)(*given_)


@given(st.lists(st.integers()))
def test_warp_is_map(values: list[int]) -> None:
    assert warp(double)(values) == tuple(map(double, values))
    assert warp(double).aslist(tuple(values)) == list(map(double, values))
    assert warp(double, add_one)(iter(values)) == tuple(2 * v + 1 for v in values)


def test_warp_of_several_arguments_packages_and_keywords() -> None:
    assert warp(double)(1, 2, 3) == (2, 4, 6)
    assert warp(lambda x, y: x * 2 + y)([package(1, 2), package(10, 20)]) == (4, 40)
    assert warp(seen)([1, 2], k=3) == (((1,), {"k": 3}), ((2,), {"k": 3}))
    assert warp(seen)([[1], [2]]) == ((([1],), {}), (([2],), {}))
    assert warp(a=double, b=add_one)([1]) == (3,)


@pytest.mark.parametrize("value", [1, "abc", {"a": 1}, None, b"ab"])
def test_warp_refuses_what_has_no_elements(value: Any) -> None:
    with pytest.raises(AssertionError, match="Only tuple and list input can be split automatically"):
        warp(same)(value)


def test_warp_has_no_names_to_choose_from() -> None:
    with pytest.raises(wb.errors.FlowArgumentError):
        warp(same).asdict  # noqa: B018
    with pytest.raises(AssertionError):
        warp(same)([1], _skip_items=[0])
    with pytest.raises(wb.errors.FlowArgumentError, match="no item"):
        warp()([1])


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(wb.errors.FlowArgumentError, match="_concurrent"):
        parallel(add_one, _concurrent=-1)
    with pytest.raises(wb.errors.FlowArgumentError, match="_concurrent"):
        parallel(add_one, _concurrent="all")  # type: ignore[arg-type]
    with pytest.raises(wb.errors.FlowArgumentError, match="threads"):
        parallel(add_one, multiprocessing=True)
    with pytest.raises(AssertionError, match=r"Cannot provide args and kwargs(.|\n)*'_scatter' is an argument"):
        parallel(add_one, scatter=True)
