"""Pipelines: what goes from step to step."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench import arguments, kwargs, package, pipeline


def add_one(x: int) -> int:
    return x + 1


def seen(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


class Square:
    def __call__(self, x: int) -> int:
        return x * x


def test_the_output_of_a_step_is_the_input_of_the_next() -> None:
    assert pipeline(add_one, lambda x: x * 2, Square())(1) == 16


def test_items_may_come_as_one_list() -> None:
    assert pipeline([add_one, add_one])(1) == 3


def test_a_class_is_made_an_object_where_its_objects_can_be_called() -> None:
    assert pipeline(add_one, Square)(1) == 4


def test_a_class_whose_objects_cannot_be_called_converts() -> None:
    assert pipeline(add_one, str)(1) == "2"


def test_named_items_are_reached_by_name() -> None:
    p = pipeline(first=add_one, second=Square())
    assert p(1) == 4
    assert p.first(1) == 2
    assert isinstance(p.second, Square)


def test_without_items_the_input_is_returned() -> None:
    assert pipeline()(1) == 1
    assert pipeline()(1, 2) == package(1, 2)
    assert pipeline()() == package()


def test_several_positions_and_a_package_are_spread() -> None:
    assert pipeline(seen)(1, 2) == ((1, 2), {})
    assert pipeline(seen)(package(1, 2)) == ((1, 2), {})
    assert pipeline(lambda x: package(x, x), seen)(1) == ((1, 1), {})


def test_a_tuple_a_list_a_dict_and_none_are_one_argument() -> None:
    for value in ((1, 2), [1, 2], {"a": 1}, None):
        assert pipeline(lambda x: x, seen)(value) == ((value,), {})


def test_keywords_go_to_the_first_item_only() -> None:
    assert pipeline(lambda x, y: x + y, seen)(1, y=2) == ((3,), {})


def test_kwargs_and_arguments_are_spread_as_keywords() -> None:
    assert pipeline(lambda: kwargs(a=1), seen)() == ((), {"a": 1})
    assert pipeline(seen)(kwargs(a=1), b=2) == ((), {"a": 1, "b": 2})
    assert pipeline(lambda: arguments((1, 2), {"a": 3}), seen)() == ((1, 2), {"a": 3})
    assert pipeline(lambda: arguments(5, {"a": 3}), pipeline(seen))() == ((5,), {"a": 3})


def test_a_flow_as_an_item_gets_a_package_whole() -> None:
    assert pipeline(lambda x: package(x, 2), pipeline(lambda a, b: a + b))(1) == 3


def test_the_post_action_sees_the_output_and_its_result_is_dropped() -> None:
    outputs: list[Any] = []
    assert pipeline(add_one, post_action=outputs.append)(1) == 2
    assert outputs == [2]


def test_a_package_keeps_its_type() -> None:
    p = package(1, 2, 3)
    assert p == (1, 2, 3)
    assert isinstance(p[1:], package)
    assert isinstance(p + package(4), package)
    assert package([1, 2]) == package((1, 2)) == package(1, 2)
    assert package(package(1), 2) == ((1,), 2)
    assert package.of([[1, 2]]) == ([1, 2],)


def test_arguments_collect_values_by_their_kind() -> None:
    a = arguments().append(1).append(package(2, 3)).append(kwargs(x=4)).append(arguments(5, {"y": 6}))
    assert a == arguments((1, 2, 3, 5), {"x": 4, "y": 6})
    assert repr(a) == "arguments((1, 2, 3, 5), {'x': 4, 'y': 6})"
    with pytest.raises(wb.errors.ArgumentError, match="dict"):
        arguments(1, 2)  # type: ignore[arg-type]


def test_a_step_that_raises_stop_iteration_keeps_its_type() -> None:
    with pytest.raises(StopIteration) as caught:
        pipeline(add_one, lambda x: next(iter(())))(1)
    assert "step 2" in caught.value.__notes__[-1]


def test_a_hundred_flows_inside_each_other() -> None:
    flow = pipeline(add_one)
    for _ in range(100):
        flow = pipeline(flow)
    assert flow(1) == 2
