"""Awaited flows."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

import workbench as wb
from workbench import _0, barrier, bind, diverter, graph, ifs, loop, package, parallel, pipeline, switch, warp

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


async def later(x: Any) -> Any:
    await asyncio.sleep(0)
    return x + 1


def add_one(x: Any) -> Any:
    return x + 1


class Model(wb.ModuleBase):
    """Both faces of a module, which tell which one was used."""

    def forward(self, x: Any) -> Any:
        return ("blocking", x)

    async def aforward(self, x: Any) -> Any:
        await asyncio.sleep(0)
        return ("awaited", x)


async def test_every_flow_gives_the_same_awaited() -> None:
    def flows(f: Any) -> list[tuple[Any, tuple[Any, ...]]]:
        with pipeline() as bound:
            bound.f1 = f
            bound.f2 = (lambda now, given: package(now, given)) | bind(_0, bound.input)
        with graph() as g:
            g.a = f
            g.b = f
            g.c = lambda x, y: x * y
            g.add_edge("__start__", ["a", "b"])
            g.add_edge(["a", "b"], "c")
            g.add_edge("c", "__end__")
        return [
            (pipeline(f, f, pipeline(f)), (1,)),
            (parallel(a=f, b=pipeline(f, f)).asdict, (1,)),
            (diverter(f, f), (1, 2)),
            (warp(f), ([1, 2, 3],)),
            (switch({lambda x: x > 0: f, "default": f}, conversion=f), (1,)),
            (ifs(lambda x: x > 1, f, f), (1,)),
            (loop(f, stop_condition=lambda x: x > 5), (1,)),
            (bound, (1,)),
            (g, (2,)),
            (parallel(pipeline(f, barrier, f), pipeline(barrier, f)), (1,)),
            (pipeline(f, post_action=f), (1,)),
        ]

    for (plain, args), (awaited, _) in zip(flows(add_one), flows(later), strict=True):
        expected = plain(*args)
        assert await plain.acall(*args) == expected
        assert await awaited.acall(*args) == expected
        assert awaited(*args) == expected


async def test_modules_are_awaited_and_plain_functions_run_in_a_thread() -> None:
    here = threading.get_ident()
    assert await pipeline(Model()).acall(1) == ("awaited", 1)
    assert pipeline(Model())(1) == ("blocking", 1)
    assert await pipeline(lambda x: threading.get_ident()).acall(1) != here
    assert await parallel(Model(), Model() | bind(_0)).acall(1) == (("awaited", 1),) * 2


async def test_branches_are_awaited_side_by_side() -> None:
    arrived = asyncio.Event()
    count = 0

    async def meet(x: Any) -> Any:
        nonlocal count
        count += 1
        if count == 10:
            arrived.set()
        await asyncio.wait_for(arrived.wait(), 10)
        return x

    assert await warp(meet).acall(list(range(10))) == tuple(range(10))


async def test_the_loop_goes_on_while_plain_steps_block() -> None:
    go = threading.Event()
    call = asyncio.ensure_future(parallel(lambda x: go.wait(10), lambda x: x).acall(1))
    await asyncio.sleep(0.01)
    go.set()
    assert await call == (True, 1)


async def test_at_most_so_many_are_awaited_at_once() -> None:
    running = most = 0

    async def count(x: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return x

    assert await warp(count, _concurrent=3).acall(list(range(20))) == tuple(range(20))
    assert most == 3


@pytest.mark.parametrize("concurrent", [1, 3, True])
async def test_barriers_of_many_awaited_branches(concurrent: Any) -> None:
    before: list[int] = []

    async def check(i: int) -> int:
        assert len(before) == 50
        return i

    flow = warp(lambda i: before.append(i) or i, barrier, check, barrier, add_one, _concurrent=concurrent)
    assert await flow.acall(list(range(50))) == tuple(range(1, 51))
    before.clear()
    assert flow(list(range(50))) == tuple(range(1, 51))


async def test_an_error_cancels_the_other_branches() -> None:
    cancelled: list[str] = []

    async def long(x: Any) -> Any:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append("long")
            raise

    async def bad(x: Any) -> Any:
        await asyncio.sleep(0.01)
        raise ValueError(x)

    flow = parallel(a=long, b=parallel(pipeline(long, add_one), barrier), c=bad)
    with pytest.raises(ValueError, match="1") as caught:
        await asyncio.wait_for(flow.acall(1), 20)
    assert cancelled == ["long", "long"]
    assert caught.value.__notes__ == ["In parallel 'flow' → branch 3 'c'."]


async def test_cancelling_the_call_cancels_everything_in_it() -> None:
    cancelled: list[str] = []
    go = threading.Event()
    after: list[Any] = []

    async def long(x: Any) -> Any:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append("long")
            raise

    call = asyncio.ensure_future(parallel(long, pipeline(lambda x: go.wait(10), after.append), warp(long)).acall([1]))
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert cancelled == ["long", "long"]
    go.set()
    await asyncio.sleep(0.05)
    assert after == []


async def test_cancelling_a_pipeline_stops_it_behind_the_step_that_runs() -> None:
    go = threading.Event()
    after: list[Any] = []
    call = asyncio.ensure_future(pipeline(lambda x: go.wait(10), after.append).acall(1))
    await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    go.set()
    await asyncio.sleep(0.05)
    assert after == []


async def test_context_variables_are_carried() -> None:
    user.set("ada")

    async def who(x: Any) -> str:
        return user.get()

    assert await parallel(who, lambda x: user.get(), pipeline(add_one, who)).acall(1) == ("ada",) * 3


async def test_an_awaited_error_names_the_step_and_keeps_its_type() -> None:
    class Mine(Exception):
        pass

    async def bad(x: Any) -> Any:
        raise Mine("x")

    flow = pipeline(add_one, pipeline(later, bad))
    with pytest.raises(Mine) as caught:
        await flow.acall(1)
    assert caught.value.__notes__ == ["In pipeline 'flow' → step 2 → pipeline step 2 'bad'."]


async def test_many_awaited_calls_at_once() -> None:
    flow = pipeline(add_one, parallel(later, add_one), lambda a, b: a + b)
    assert await asyncio.gather(*(flow.acall(i) for i in range(100))) == [2 * i + 4 for i in range(100)]


async def test_modules_that_only_block_wait_for_each_other_without_running_out_of_threads() -> None:
    class Blocking(wb.ModuleBase):
        def forward(self, x: Any) -> Any:
            return meet.wait(20)

    meet = threading.Barrier(30)
    assert sorted(await warp(Blocking()).acall(list(range(30)))) == list(range(30))
