"""Values as JSON and back."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core import wire
from workbench.core.answers import Answer
from workbench.core.messages import Completion
from workbench.errors import ArgumentError

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.dates() | st.datetimes()
keys = st.text() | st.integers() | st.tuples(st.integers(), st.text()) | st.sampled_from(["$bytes", "$tuple", "$dict", "$", "$other"])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(keys, inner)
        | st.sets(st.integers() | st.text())
        | st.frozensets(st.integers())
    ),
    max_leaves=20,
)


@given(values)
def test_every_value_of_the_named_types_comes_back_equal_and_of_its_type(value: Any) -> None:
    back = wire.loads(wire.dumps(value))
    assert back == value
    assert type(back) is type(value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i), max_leaves=20))
def test_plain_json_stands_for_itself(value: Any) -> None:
    if not _has_one_dollar_key(value):
        assert json.loads(wire.dumps(value)) == value
    assert wire.decode(wire.encode(value)) == value


def _has_one_dollar_key(value: Any) -> bool:
    if isinstance(value, dict):
        return (len(value) == 1 and next(iter(value)).startswith("$")) or any(map(_has_one_dollar_key, value.values()))
    return isinstance(value, list) and any(map(_has_one_dollar_key, value))


@pytest.mark.parametrize(
    "array",
    [np.arange(6, dtype="f4").reshape(2, 3), np.array(3), np.zeros((0, 4)), np.array(["a", "bc"]), np.array([True]), np.arange(8).reshape(2, 4).T],
    ids=str,
)
def test_arrays_keep_shape_and_type(array: np.ndarray[Any, Any]) -> None:
    back = wire.loads(wire.dumps(array))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    if back.size:
        back.flat[0] = back.flat[-1]  # it can be written to


def test_frames_keep_types_and_index() -> None:
    frame = pd.DataFrame({"when": pd.to_datetime(["2026-01-01", None]), "n": [1, 2], "text": ["ä", None]}, index=pd.Index([5, 7], name="id"))
    pd.testing.assert_frame_equal(wire.loads(wire.dumps(frame)), frame)
    pd.testing.assert_series_equal(wire.loads(wire.dumps(frame["n"])), frame["n"])
    unnamed = pd.Series([1.5, 2.5])
    pd.testing.assert_series_equal(wire.loads(wire.dumps(unnamed)), unnamed)


def test_numbers_that_json_has_not() -> None:
    text = wire.dumps([math.inf, -math.inf, math.nan])
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name)) == [{"$float": "inf"}, {"$float": "-inf"}, {"$float": "nan"}]
    high, low, nothing = wire.loads(text)
    assert (high, low) == (math.inf, -math.inf)
    assert math.isnan(nothing)


def test_subclasses_become_the_plain_type() -> None:
    class Colour(enum.StrEnum):
        RED = "red"

    answer = Answer(Completion("hi"))
    for value, plain in ((Colour.RED, "red"), (answer, "hi"), (np.float32(1.5), 1.5), (np.int64(3), 3), (enum.IntEnum("E", "A").A, 1)):  # type: ignore[attr-defined]
        back = wire.loads(wire.dumps(value))
        assert back == plain
        assert type(back) is type(plain)


def test_what_a_flow_hands_on_keeps_its_kind() -> None:
    from workbench.flows.carriers import arguments, kwargs, package

    for value in (package(1, b"x"), package.of([[1]]), kwargs(a=(1,)), arguments((1, 2), {"b": 3})):
        back = wire.loads(wire.dumps(value))
        assert back == value
        assert type(back) is type(value)


@dataclasses.dataclass
class Thing:
    x: int = 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"rows": [1, object()]}, "result['rows'][1] is of type object"),
        ([(1, {2: Thing()})], "dataclasses.asdict"),
        ({Thing: 1}, "It is a key of a dict"),
        (np.array([object()]), "Its elements are object"),
        (lambda: 1, "of type function"),
        ({"a": pd.NaT}, "NaTType"),
    ],
)
def test_what_cannot_travel_is_named_with_its_type_and_place(value: Any, said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        wire.dumps(value, "result")
    assert said in str(caught.value)


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ArgumentError, match="contains itself"):
        wire.dumps(endless)


@pytest.mark.parametrize("text", ['{"$bytes": 1}', '{"$ndarray": {"dtype": "f4"}}', '{"$set": [[1]]}', '{"$float": "x"}', "{", "", "[" * 100_000])
def test_a_broken_form_is_an_error_that_says_so(text: str) -> None:
    with pytest.raises(ArgumentError):
        wire.loads(text)


def test_an_object_of_somebody_elses_stays_as_it_is() -> None:
    assert wire.loads('{"$ref": "#/a"}') == {"$ref": "#/a"}
    assert datetime.date.today().isoformat() in wire.dumps(datetime.date.today()).decode()
