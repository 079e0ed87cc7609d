"""Which module is told to have taken which tokens: its own, those inside its calls, and those of modules it was named for."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.core.messages import Usage
from workbench.flows import parallel, pipeline


@pytest.fixture
def echo(home: Path) -> wb.TrainableModule:
    return wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).start()


class Asks(wb.ModuleBase):
    """Asks its models one after the other."""

    def __init__(self, *models: Any) -> None:
        super().__init__()
        self.flow = pipeline(*models)

    def forward(self, text: str) -> Any:
        return self.flow(text)


def test_a_call_counts_for_the_module_and_for_the_module_it_was_made_in(echo: wb.TrainableModule) -> None:
    one, two = echo.share(), echo.share()
    outer = Asks(one, lambda t: t[:5], two)
    outer("hi")
    assert outer.usage == outer.last_usage == one.usage + two.usage
    assert one.usage_in(outer) == one.last_usage == one.usage
    one("hi")
    assert one.usage == one.last_usage + one.usage_in(outer)
    assert outer.usage == one.usage_in(outer) + two.usage
    outer("hi")
    assert outer.usage.completion_tokens == 2 * outer.last_usage.completion_tokens


def test_a_module_named_with_used_by_is_counted_once_inside_and_outside_its_calls(echo: wb.TrainableModule) -> None:
    model = echo.share()
    outer = Asks(model)
    model.used_by(outer.module_id)
    model("hi")
    assert outer.usage == model.usage == model.usage_in(outer)
    outer("hi")
    assert outer.usage == model.usage == model.usage_in(outer)
    assert outer.usage.completion_tokens == 2 * outer.last_usage.completion_tokens
    assert model.share().used_by("gone")("hi")


def test_models_inside_models_count_all_the_way_up(echo: wb.TrainableModule) -> None:
    model = echo.share()
    inner = Asks(model)
    outer = Asks(inner)
    outer("hi")
    assert outer.usage == inner.usage == model.usage == model.usage_in(outer) == model.usage_in(inner)


def test_branches_in_threads_count_for_the_call_they_run_in(echo: wb.TrainableModule) -> None:
    models = [echo.share() for _ in range(8)]
    outer = Asks(parallel(*models))
    for _ in range(3):
        outer("hi")
    assert outer.usage == sum((m.usage for m in models), Usage())
    assert outer.usage.completion_tokens == 3 * outer.last_usage.completion_tokens


def test_calls_side_by_side_keep_their_own_counts(echo: wb.TrainableModule) -> None:
    model = echo.share()
    outers = [Asks(model) for _ in range(6)]
    start = threading.Barrier(6)

    def ask(outer: Asks) -> None:
        start.wait()
        for _ in range(4):
            outer("hi")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(ask, outers))
    assert len({o.usage for o in outers}) == 1
    assert model.usage == sum((o.usage for o in outers), Usage())


def test_streams_and_awaited_calls_count_too(echo: wb.TrainableModule) -> None:
    model = echo.share()
    model.stream("hi").join()
    assert model.usage == model.last_usage != Usage()
    outer = Asks(model)
    asyncio.run(outer.acall("hi"))
    assert outer.usage == model.last_usage
    call = wb.StreamCallHelper(outer)("hi")
    assert call.usage == Usage()
    list(call)
    assert call.usage == outer.last_usage == model.last_usage


def test_a_module_that_asks_nobody_takes_nothing() -> None:
    class Plain(wb.ModuleBase):
        def forward(self, x: int) -> int:
            return x

    module = Plain()
    module(1)
    assert module.usage == module.last_usage == module.usage_in(module) == Usage()


def test_an_answer_has_the_usage_of_its_call(echo: wb.TrainableModule) -> None:
    answer = echo("hi")
    assert answer.usage == echo.last_usage
    assert answer.usage.completion_tokens > 0
