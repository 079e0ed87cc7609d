"""Options: values, the current one, every combination."""

from __future__ import annotations

import copy
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.options import Option, OptionIter, named_options, options_of
from workbench.errors import ArgumentError


def test_values_may_stand_alone_or_in_one_list() -> None:
    assert Option(1, 2).values == Option([1, 2]).values == Option((1, 2)).values == (1, 2)
    assert repr(Option(0.001, 0.01)) == '<Option options="(0.001, 0.01)" curr="0.001">'
    assert repr(Option([1, 2])) == '<Option options="[1, 2]" curr="1">'
    assert len(Option("ab", "cd")) == 2


@pytest.mark.parametrize("values", [(), (1,), ([1],), ([],)])
def test_one_value_is_no_option(values: tuple[object, ...]) -> None:
    with pytest.raises(ArgumentError, match="more than one value"):
        Option(*values)


def test_each_value_is_current_while_it_is_looked_at() -> None:
    option = Option([1], [2], [3])
    assert [(value, option.current, option.index) for value in option] == [([1], [1], 0), ([2], [2], 1), ([3], [3], 2)]
    assert option.current == [1]
    for _ in option:
        break
    option.choose(2)
    assert option.current == [3]
    with pytest.raises(ArgumentError, match="no value 3"):
        option.choose(3)


def test_a_deep_copy_is_a_deep_copy_of_the_current_value() -> None:
    option = Option([1], [2])
    option.choose(1)
    made = copy.deepcopy({"lr": option, "deep": [option, (option, 5)]})
    assert made == {"lr": [2], "deep": [[2], ([2], 5)]}
    assert made["lr"] is not option.current


@given(st.lists(st.lists(st.integers(), min_size=2, max_size=4), max_size=4))
def test_combinations_are_the_product_in_order(values: list[list[int]]) -> None:
    assert list(OptionIter([Option(v) for v in values])) == [list(c) for c in product(*values)]


def test_options_inside_values_are_combined_too_and_stand_last() -> None:
    inner = Option(1, 2)
    outer, other = Option(inner, 3, 4), Option(5, 6)

    def inside(value: object) -> list[Option]:
        return [value] if isinstance(value, Option) else []

    seen = [[v.current if isinstance(v, Option) else v for v in c] for c in OptionIter([outer, other], inside)]
    assert seen == [[1, 5, 1], [2, 5, 2], [1, 6, 1], [2, 6, 2], [3, 5], [3, 6], [4, 5], [4, 6]]
    made = [copy.deepcopy([outer, other]) for _ in OptionIter([outer, other])]
    assert made == [[1, 5], [2, 5], [1, 6], [2, 6], [3, 5], [3, 6], [4, 5], [4, 6]]


def test_options_are_found_with_the_way_to_them() -> None:
    lr, stage = Option(1, 2), Option(2, 3)
    arguments = {"lr": lr, "deepspeed": {"zero": [{"stage": stage}]}, "plain": 1}
    assert named_options(arguments, "finetune") == [("finetune.lr", lr), ("finetune.deepspeed.zero.0.stage", stage)]
    assert options_of([lr, arguments]) == [lr, stage]
