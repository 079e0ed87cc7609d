"""The slice grammar: what it picks, what it writes, and what it says of mistakes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ArgumentError, FormatError
from workbench.flows import package
from workbench.formatters.json_like import JsonLike
from workbench.formatters.slices import Slices, parse
from workbench.formatters.steps import Every, Fields, One, Several

ROWS = [{"a": [1, 2], "b": [2, 3], "c": [3, 4]}, {"a": [10, 20], "b": [20, 30], "c": [30, 40]}]


@pytest.mark.parametrize("kind", [list, tuple, package])
def test_a_list_or_tuple_keeps_its_kind(kind: type) -> None:
    data = kind([1, 2, 3, 4, 5, 6, 7, 8])
    assert JsonLike("[0]")(data) == 1
    assert JsonLike("[-1]")(data) == 8
    for expression, items in {"[0, 3, 6]": [1, 4, 7], "[0:7:3]": [1, 4, 7], "[:]": list(data), "[::-2]": [8, 6, 4, 2], "[None:2]": [1, 2]}.items():
        picked = JsonLike(expression)(data)
        assert picked == kind(items)
        assert type(picked) is kind


def test_keys_of_a_dict() -> None:
    data = {"a": 1, "b": 2, "c": 3}
    assert JsonLike("[a]")(data) == 1
    assert JsonLike("[a, c]")(data) == [1, 3]
    assert JsonLike("[:]")(data) == [1, 2, 3]
    assert JsonLike("{c, a}")(data) == {"c": 3, "a": 1}
    assert JsonLike("{:}")(data) == data
    assert JsonLike("")(data) == data


def test_numbers_are_keys_of_dicts_as_text_or_number() -> None:
    assert JsonLike("[1]")({"1": "text"}) == "text"
    assert JsonLike("[1]")({1: "number"}) == "number"
    assert JsonLike("['1']")({"1": "text"}) == "text"


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("[:]{:}", ROWS),
        ("[0, 1]{:}[:]", ROWS),
        ("[:1]{:}[0, 1]", [ROWS[0]]),
        ("[1]{a, b, c}[:]", ROWS[1]),
        ("[:]{a, c}[:1]", [{"a": [1], "c": [3]}, {"a": [10], "c": [30]}]),
        ("[:]{a, c}[1]", [{"a": 2, "c": 4}, {"a": 20, "c": 40}]),
        ("[:][a, c]", [[[1, 2], [3, 4]], [[10, 20], [30, 40]]]),
        ("[:][a, c][1:]", [[[2], [4]], [[20], [40]]]),
        ("[:][c, a][1]", [[4, 2], [40, 20]]),
        ("[0][:][0]", [1, 2, 3]),
    ],
)
def test_what_follows_several_works_on_each(expression: str, result: Any) -> None:
    assert JsonLike(expression)(ROWS) == result


def test_a_star_makes_a_package() -> None:
    picked = JsonLike("*[0, 1]")([1, 2, 3])
    assert type(picked) is package
    assert picked == (1, 2)
    assert JsonLike("*[0]")([[1, 2]]) == package(1, 2)
    assert JsonLike("*[0]")([7]) == package.of([7])


@pytest.mark.parametrize(
    ("expression", "place", "part"),
    [
        ("[a, b:c]", 2, "keys and a slice"),
        ("[1:x]", 4, "whole numbers"),
        ("[1 2:3]", 2, "whole numbers"),
        ("[1:2:3:4]", 2, "at most"),
        ("[::0]", 4, "cannot be 0"),
        ("[]", 2, "missing"),
        ("[a,]", 4, "missing"),
        ("[,a]", 2, "commas"),
        ("{}", 2, "missing"),
        ("{a:b}", 2, "{:}"),
        ("a", 1, "begins with"),
        ("[0", 1, "closed"),
        ("[0}", 3, "closed"),
        ("[[0]]", 2, "closed"),
        ("[:]{a}x", 7, "begins with"),
        ("*", 2, "must follow"),
        ("['a]", 2, "not closed"),
        ("['\\x']", 2, "cannot be read"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(expression: str, place: int, part: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(part)) as e:
        parse(expression)
    assert f"At character {place}:" in e.value.cause


@pytest.mark.parametrize(
    ("expression", "data", "part"),
    [
        ("[:][title]", [{"title": 1}, {"titel": 2}], "at [1] has no key 'title'"),
        ("[:][title]", [{"title": 1}, {"titel": 2}], "Write [titel]"),
        ("[title]", [{"title": 1}], "[:][title]"),
        ("[5]", [1, 2], "2 items"),
        ("[0]", "text", "needs a list or dict"),
        ("[a][0]", {"a": 3}, "at [a]"),
        ("{a}", [1], "needs a dict"),
        ("[:]", 3, "needs a list"),
        ("[0:1]", {"a": 1}, "no numbers"),
        ("[a]", {}, "empty"),
    ],
)
def test_data_that_do_not_fit_are_told_with_their_place(expression: str, data: Any, part: str) -> None:
    with pytest.raises(FormatError, match=re.escape(part)):
        JsonLike(expression)(data)


bounds = st.none() | st.integers(-20, 20)
keys = st.integers(-999, 999) | st.text(max_size=8)
steps = (
    st.builds(One, keys)
    | st.builds(Several, st.lists(keys, min_size=2, max_size=4).map(tuple))
    | st.builds(Every, bounds, bounds, bounds.filter(lambda n: n != 0))
    | st.builds(Fields, st.none() | st.lists(keys, min_size=1, max_size=4).map(tuple))
)


@given(st.lists(steps, max_size=5).map(tuple), st.booleans())
def test_what_is_written_is_read_again(steps: tuple[Any, ...], star: bool) -> None:
    expression = Slices(steps, star and bool(steps))
    assert parse(str(expression)) == expression


@given(st.lists(st.integers()), bounds, bounds, bounds.filter(lambda n: n != 0))
def test_slices_mean_what_they_mean_in_python(items: list[int], start: int | None, stop: int | None, step: int | None) -> None:
    def shown(n: int | None) -> str:
        return "" if n is None else str(n)

    assert JsonLike(f"[{shown(start)}:{shown(stop)}:{shown(step)}]")(items) == items[start:stop:step]
    assert JsonLike(f"[ {shown(start)} : {shown(stop)} ]")(tuple(items)) == tuple(items)[start:stop]


@given(st.dictionaries(st.text(), st.integers(), min_size=1))
def test_any_key_can_be_named(data: dict[str, int]) -> None:
    assert Slices((Fields(tuple(data)),)).of(data) == data
    assert [JsonLike(str(One(key)))(data) for key in data] == list(data.values())


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        read = parse(text)
    except ArgumentError:
        return
    assert parse(str(read)) == read
