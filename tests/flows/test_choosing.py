"""switch and ifs."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench import ifs, package, switch


def is_1(x: Any) -> bool:
    return bool(x == 1)


def is_2(x: Any) -> bool:
    return bool(x == 2)


def is_3(x: Any) -> bool:
    return bool(x == 3)


def t1(x: Any) -> Any:
    return 2 * x


def t2(x: Any) -> Any:
    return 3 * x


def t3(x: Any) -> Any:
    return x


def seen(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def test_the_first_condition_that_holds_wins_and_none_gives_none() -> None:
    assert switch({is_1: t1, is_2: t2})(1) == 2
    assert switch(is_1, t1, is_2, t2)(2) == 6
    assert switch({is_1: t1, is_2: t2})(3) is None
    assert switch(is_1, t1, lambda x: True, t2)(1) == 2


def test_default_is_the_rest_wherever_it_stands() -> None:
    assert switch("default", t3, is_1, t1)(1) == 2
    assert switch({is_1: t1, "default": t3})(7) == 7


def test_values_are_compared_and_calls_must_return_true_itself() -> None:
    assert switch({"a": lambda x: "A", 2: t1})(2) == 4
    assert switch({(1, 2): seen})(1, 2) == ((1, 2), {})
    assert switch(lambda x: x, t1)(5) is None
    numpy = pytest.importorskip("numpy")
    assert switch(lambda x: numpy.bool_(True), t1)(5) == 10


def test_every_form_of_a_case() -> None:
    with switch() as sw:
        sw.case[is_1::t1]
        sw.case(is_2, t2)
        sw.case[is_3, t3]
        sw.case[4:t1]
    assert [sw(i) for i in (1, 2, 3, 4)] == [2, 6, 3, 8]


@pytest.mark.parametrize("key", [1, slice(1, 2, 3), slice(1), (1, 2, 3)])
def test_a_case_of_another_form_is_refused(key: Any) -> None:
    with pytest.raises(RuntimeError, match=r"Only \[cond::func\], \[cond:func\] or \[cond, func\] is allowed"), switch() as sw:
        sw.case[key]


def test_items_of_a_switch_are_cases() -> None:
    with pytest.raises(RuntimeError, match="has cases"), switch() as sw:
        sw.path = t1


def test_the_conversion_is_for_the_conditions_only() -> None:
    with switch(conversion=lambda x: x / 10) as sw:
        sw.case[is_1:t1]
        sw.case(is_2, t2)
    assert (sw(10), sw(20)) == (20, 60)


def test_the_first_input_may_be_what_is_judged() -> None:
    sw = switch({is_1: t1, 2: seen}, judge_on_full_input=False)
    assert sw(1, 30) == 60
    assert sw(2, 10, 20, k=1) == ((10, 20), {"k": 1})
    assert sw(package(1, 5)) == 10
    with pytest.raises(AssertionError):
        sw(1)


def test_a_switch_refuses_a_missing_path_and_unknown_arguments() -> None:
    with pytest.raises(wb.errors.FlowArgumentError, match="in turns"):
        switch(1, t1, 2)
    with pytest.raises(wb.errors.ArgumentError, match=r"conversions(.|\n)*'conversion' is the nearest"):
        switch({1: t1}, conversions=t1)


def test_the_post_action_of_a_choice() -> None:
    outputs: list[Any] = []
    assert switch({1: t1}, post_action=outputs.append)(1) == 2
    assert ifs(is_1, t1, t2, post_action=outputs.append)(2) == 6
    assert outputs == [2, 6]


@pytest.mark.parametrize("cond", [True, 1, lambda: True, lambda x: x > 0, lambda *a: a, lambda x, **k: x])
def test_ifs_takes_a_value_a_call_without_and_with_the_input(cond: Any) -> None:
    assert ifs(cond, t1, t2)(1) == 2


def test_ifs_takes_the_other_path() -> None:
    assert ifs(False, t1, t2)(1) == 3
    assert ifs(lambda x, y: x > y, seen, seen)(2, 1) == ((2, 1), {})
    assert ifs(lambda x: x > 0, t1, lambda x, k: k)(-1, k=7) == 7


def test_ifs_needs_two_paths() -> None:
    with pytest.raises(wb.errors.FlowArgumentError, match="cannot be called"):
        ifs(True, t1, None)
