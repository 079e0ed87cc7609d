"""Random flows against what they mean, and against hanging."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench import barrier, diverter, ifs, loop, parallel, pipeline, switch, warp

Meaning = Callable[[int], int]


def plus(n: int, kind: str) -> tuple[Any, Meaning]:
    """A step, plain or asynchronous, and what it means."""

    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x + n

    return (later if kind == "async" else (lambda x: later(x)) if kind == "coroutine" else (lambda x: x + n)), lambda x: x + n


leaves = st.builds(plus, st.integers(-5, 5), st.sampled_from(["plain", "plain", "async", "coroutine"]))


def chain(parts: list[tuple[Any, Meaning]]) -> tuple[Any, Meaning]:
    def meaning(x: int) -> int:
        for _, part in parts:
            x = part(x)
        return x

    return pipeline(*[f for f, _ in parts]), meaning


def fan(parts: list[tuple[Any, Meaning]], at_once: Any, with_barrier: bool) -> tuple[Any, Meaning]:
    flows = [pipeline(f, barrier) if with_barrier and n % 2 else f for n, (f, _) in enumerate(parts)]
    return parallel(*flows, _concurrent=at_once).sum, lambda x: sum(m(x) for _, m in parts)


def spread(parts: list[tuple[Any, Meaning]]) -> tuple[Any, Meaning]:
    n = len(parts)
    flow = pipeline(lambda x: [x + i for i in range(n)], diverter(*[f for f, _ in parts]).sum)
    return flow, lambda x: sum(m(x + i) for i, (_, m) in enumerate(parts))


def each(part: tuple[Any, Meaning], n: int) -> tuple[Any, Meaning]:
    return pipeline(lambda x: [x + i for i in range(n)], warp(part[0], barrier).sum), lambda x: sum(part[1](x + i) for i in range(n))


def choice(a: tuple[Any, Meaning], b: tuple[Any, Meaning], limit: int, as_switch: bool) -> tuple[Any, Meaning]:
    flow = switch({(lambda x: x > limit): a[0], "default": b[0]}) if as_switch else ifs(lambda x: x > limit, a[0], b[0])
    return flow, lambda x: a[1](x) if x > limit else b[1](x)


def rounds(part: tuple[Any, Meaning], n: int) -> tuple[Any, Meaning]:
    def meaning(x: int) -> int:
        for _ in range(n):
            x = part[1](x)
        return x

    return loop(part[0], count=n), meaning


def extend(inner: st.SearchStrategy[tuple[Any, Meaning]]) -> st.SearchStrategy[tuple[Any, Meaning]]:
    several = st.lists(inner, min_size=1, max_size=4)
    return st.one_of(
        st.builds(chain, several),
        st.builds(fan, several, st.sampled_from([True, False, 1, 2]), st.booleans()),
        st.builds(spread, several),
        st.builds(each, inner, st.integers(0, 4)),
        st.builds(choice, inner, inner, st.integers(-5, 5), st.booleans()),
        st.builds(rounds, inner, st.integers(2, 3)),
    )


flows = st.recursive(leaves, extend, max_leaves=8)
calm = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@calm
@given(flows, st.integers(-10, 10))
def test_a_flow_computes_what_its_parts_mean_called_and_awaited(drawn: tuple[Any, Meaning], x: int) -> None:
    flow, meaning = drawn
    flow = pipeline(flow)
    expected = meaning(x)
    assert flow(x) == expected
    assert asyncio.run(asyncio.wait_for(flow.acall(x), 30)) == expected


class Boom(Exception):
    pass


def shaky(seed: int) -> Any:
    """A random tree of flows with barriers, in which some steps fail."""
    chance = random.Random(seed)

    def step(x: Any) -> Any:
        if chance.random() < 0.05:
            raise Boom
        return 1

    async def later(x: Any) -> Any:
        await asyncio.sleep(chance.random() / 1000)
        return step(x)

    def build(depth: int) -> Any:
        if depth == 0 or chance.random() < 0.2:
            return chance.choice([step, later, barrier])
        parts = [build(depth - 1) for _ in range(chance.randint(1, 4))]
        at_once = chance.choice([True, False, 2])
        return chance.choice(
            [
                lambda: pipeline(*parts),
                lambda: parallel(*parts, _concurrent=at_once).aslist,
                lambda: pipeline(lambda x: list(range(5)), warp(*parts, _concurrent=at_once).aslist),
                lambda: pipeline(lambda x: [x] * len(parts), diverter(*parts, _concurrent=at_once).aslist),
            ]
        )()

    return pipeline(build(4))


def test_random_trees_with_barriers_and_failures_never_hang() -> None:
    ends: list[str] = []
    for seed in range(60):
        try:
            shaky(seed).set_sync(False)(1).result(timeout=30)  # in a thread of its own, so that a hang fails
            ends.append("came through")
        except Boom:
            ends.append("failed")

        async def awaited(seed: int = seed) -> None:
            try:
                await asyncio.wait_for(shaky(seed).acall(1), 30)
                ends.append("came through")
            except Boom:
                ends.append("failed")

        asyncio.run(awaited())
    assert len(ends) == 120
    assert set(ends) == {"came through", "failed"}
