"""Hooks in all their forms: classes, objects, functions and generator functions, around calls that succeed and that fail."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import workbench as wb
from workbench.errors import ArgumentError


class Add(wb.ModuleBase):
    def forward(self, a: int, b: int = 1) -> int:
        return a + b


class Broken(wb.ModuleBase):
    def forward(self, a: int) -> int:
        raise KeyError(a)


def awaited(module: wb.ModuleBase) -> Callable[..., Any]:
    return lambda *args, **kwargs: asyncio.run(module.acall(*args, **kwargs))


@pytest.fixture(params=["called", "awaited"])
def call(request: pytest.FixtureRequest) -> Callable[[wb.ModuleBase], Callable[..., Any]]:
    return awaited if request.param == "awaited" else lambda module: module


Call = Callable[[wb.ModuleBase], Callable[..., Any]]


def test_a_function_is_called_with_the_arguments_of_the_call(call: Call) -> None:
    seen: list[Any] = []
    module = Add().register_hook(lambda *args, **kwargs: seen.append((args, kwargs)))
    assert call(module)(1, b=3) == 4
    assert seen == [((1,), {"b": 3})]


def test_what_stands_behind_a_yield_runs_after_the_call_with_its_output(call: Call) -> None:
    seen: list[Any] = []

    def around(a: int, **rest: Any) -> Iterator[None]:
        seen.append(("before", a))
        output = yield
        seen.append(("after", output))

    assert call(Add().register_hook(around))(1) == 2
    assert seen == [("before", 1), ("after", 2)]


def test_an_error_of_the_call_is_raised_at_the_yield_and_then_to_the_caller(call: Call) -> None:
    seen: list[str] = []

    def around(a: int) -> Iterator[None]:
        try:
            yield
        except KeyError as e:
            seen.append(f"error {e}")
        finally:
            seen.append("finally")

    with pytest.raises(KeyError):
        call(Broken().register_hook(around))(7)
    assert seen == ["error 7", "finally"]


class Told(wb.Hook):
    """Writes down its moments under a name."""

    moments: list[str] = []  # noqa: RUF012  # shared on purpose

    def __init__(self, name: str = "t") -> None:
        self.name = name

    def pre_hook(self, *args: Any, **kwargs: Any) -> None:
        self.moments.append(f"pre {self.name}")

    def post_hook(self, output: Any) -> None:
        self.moments.append(f"post {self.name} {output}")

    def on_error(self, error: BaseException) -> None:
        self.moments.append(f"error {self.name} {error!r}")

    def report(self) -> None:
        self.moments.append(f"report {self.name}")

    def finalize(self) -> None:
        self.moments.append(f"finalize {self.name}")


@pytest.fixture
def moments() -> list[str]:
    Told.moments.clear()
    return Told.moments


def test_hooks_go_in_in_order_and_out_in_reverse(moments: list[str], call: Call) -> None:
    call(Add().register_hook(Told("a")).register_hook(Told("b")))(1)
    assert moments == ["pre a", "pre b", "post b 2", "post a 2", "report a", "report b", "finalize b", "finalize a"]


def test_a_lower_priority_comes_first(moments: list[str]) -> None:
    early = Told("early")
    early.priority = 1
    Add().register_hook(Told("late")).register_hook(early)(1)
    assert moments[:2] == ["pre early", "pre late"]


def test_a_call_that_fails_is_told_instead_of_the_output_and_everything_is_finalized(moments: list[str], call: Call) -> None:
    with pytest.raises(KeyError):
        call(Broken().register_hook(Told("a")).register_hook(Told("b")))(7)
    assert moments == ["pre a", "pre b", "error b KeyError(7)", "error a KeyError(7)", "finalize b", "finalize a"]


def test_a_class_that_takes_an_argument_is_given_the_module() -> None:
    subjects: list[object] = []

    class Knows(wb.Hook):
        def __init__(self, subject: object) -> None:
            subjects.append(subject)

    module = Add().register_hook(Knows)
    module(1)
    module(1)
    assert subjects == [module, module]


@pytest.mark.parametrize("moment", ["pre_hook", "post_hook", "report", "finalize"])
def test_a_hook_that_fails_warns_and_one_that_raises_breaks_the_call(moment: str, call: Call) -> None:
    def fails(self: wb.Hook, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no")

    kind = type("Fails", (wb.Hook,), {moment: fails})
    with pytest.warns(UserWarning, match="Fails failed: RuntimeError: no"):
        assert call(Add().register_hook(kind))(1) == 2
    kind.raises = True  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="no"):
        call(Add().register_hook(kind))(1)


def test_a_function_that_yields_twice_is_told() -> None:
    def twice(a: int) -> Iterator[None]:
        yield
        yield

    with pytest.warns(UserWarning, match="twice failed.*more than once"):
        assert Add().register_hook(twice)(1) == 2


def test_what_cannot_be_a_hook_is_refused_at_once() -> None:
    with pytest.raises(ArgumentError, match="cannot be a int"):
        Add().register_hook(3)  # type: ignore[arg-type]


def test_hooks_can_be_taken_away() -> None:
    def hook(a: int) -> None:
        raise RuntimeError

    module = Add().register_hook(hook)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert module.unregister_hook(hook)(1) == 2
        assert module.register_hook(hook).clear_hooks()(1) == 2
