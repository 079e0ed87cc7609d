"""What a served function is called with."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import ArgumentError
from workbench.runners.function_body import Given, given
from workbench.runners.function_steps import Steps


def shown(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def pair(a: Any, b: Any) -> Any:
    return [a, b]


@pytest.mark.parametrize(
    ("body", "args", "kwargs"),
    [
        (b"", (), {}),
        (b'"x"', ("x",), {}),
        (b"[1, 2]", ([1, 2],), {}),
        (b"{}", ({},), {}),
        (b'{"x": 1, "input": 2}', ({"x": 1, "input": 2},), {}),
        (b'{"input": 1}', (1,), {}),
        (b'{"input": 1, "args": [2], "kwargs": {"a": {"$tuple": [3]}}}', (1, 2), {"a": (3,)}),
        (b'{"args": []}', (), {}),
        (b'{"kwargs": {"input": 1}}', (), {"input": 1}),
    ],
)
def test_a_body_says_the_arguments(body: bytes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    found = given(body)
    assert (found.args, found.kwargs) == (args, kwargs)


@pytest.mark.parametrize("body", [b"{", b'{"args": 1}', b'{"kwargs": [1]}'])
def test_a_body_that_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(ArgumentError):
        given(body)


def call(steps: Steps, *args: Any, **kwargs: Any) -> Any:
    return steps(Given(args, kwargs))


def test_pre_is_spread_over_a_dict_of_its_parameters_only() -> None:
    assert call(Steps(shown, pair, None), {"a": 1, "b": 2}) == (([1, 2],), {})
    assert call(Steps(shown, pair, None), 1, 2, c=3) == (([1, 2],), {"c": 3})
    assert call(Steps(shown, lambda a: a, None), {"x": 1}) == (({"x": 1},), {})
    assert call(Steps(shown, lambda x: (x, x), None), 1) == ((1, 1), {})
    assert call(Steps(shown, pair, None), a=1, b=2) == (([1, 2],), {})


def test_post_gets_the_input_as_it_came() -> None:
    assert call(Steps(lambda x: x + 1, lambda x: x * 10, lambda out, ori: (out, ori)), 1) == (11, 1)
    assert call(Steps(shown, None, lambda out, *, original: original), 1, 2) == (1, 2)
    assert call(Steps(shown, None, lambda out, ori: ori), a=1) == {"a": 1}
    assert call(Steps(shown, None, lambda out: "only"), 1) == "only"


def test_post_needs_a_whole_output() -> None:
    with pytest.raises(TypeError, match="generator"):
        call(Steps(lambda x: (i for i in [x]), None, lambda out: out), 1)


def test_a_plain_object_is_spread_only_where_it_cannot_be_the_one_argument() -> None:
    assert Steps(pair, None, None)(Given(({"a": 1, "b": 2},), {}, plain=True)) == [1, 2]
    assert Steps(lambda a, b=0: a, None, None)(Given(({"a": 1, "b": 2},), {}, plain=True)) == {"a": 1, "b": 2}
    with pytest.raises(TypeError):
        Steps(pair, None, None)(Given(({"a": 1, "b": 2},), {}))
