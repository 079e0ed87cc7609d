"""loop."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import _0, bind, loop, package


def double(x: int) -> int:
    return x * 2


@given(st.integers(1, 50), st.integers(2, 20), st.integers(1, 10_000))
def test_a_loop_is_a_while(start: int, count: int, limit: int) -> None:
    expected, rounds = start, 0
    while True:
        expected, rounds = expected * 2, rounds + 1
        if expected > limit or rounds >= count:
            break
    assert loop(double, stop_condition=lambda x: x > limit, count=count)(start) == expected


def test_with_form_and_several_items() -> None:
    with loop(stop_condition=lambda x: x > 10) as lp:
        lp.f1 = lambda x: x + 1
        lp.f2 = double
    assert lp(0) == 14


def test_keywords_go_into_the_first_round_and_packages_round() -> None:
    assert loop(lambda x, y=1: x + y, count=2)(1, y=5) == 7
    assert loop(lambda x, y: package(x + 1, y * 2), stop_condition=lambda x, y: x > 3)(1, 1) == (4, 8)


def test_only_the_first_value_may_be_judged() -> None:
    lp = loop(lambda y: package(y > 5, y * 2), stop_condition=lambda over: over, judge_on_full_input=False)
    assert lp(1) == (16,)
    with pytest.raises(AssertionError, match="cannot be parted"):
        loop(double, count=2, judge_on_full_input=False)(1)


def test_binds_in_a_loop_see_their_round() -> None:
    with loop(count=3) as lp:
        lp.f1 = double
        lp.f2 = (lambda now, before: now + before) | bind(_0, lp.input)
    assert lp(1) == 27


def test_on_limit_may_allow_more_rounds_of_this_call() -> None:
    asked: list[Any] = []

    def more(output: int, used: int, limit: int) -> int:
        asked.append((output, used, limit))
        return limit + 1

    lp = loop(double, count=2, stop_condition=lambda x: x > 20, on_limit=more)
    assert lp(1) == 32
    assert asked == [(4, 2, 2), (8, 3, 3), (16, 4, 4)]
    assert loop(double, count=2, on_limit=lambda output, used, limit: None)(1) == 4


@pytest.mark.parametrize("arguments", [{"count": 1}, {"count": 0}, {"count": "a"}, {"count": True}, {}, {"count": 2, "stop_condition": 5}])
def test_a_loop_that_cannot_work_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        loop(double, **arguments)


def test_a_loop_without_items_is_refused() -> None:
    with pytest.raises(AssertionError, match="no items"):
        loop(stop_condition=lambda x: True)(1)
