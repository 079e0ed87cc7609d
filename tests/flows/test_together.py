"""Branches side by side: barriers, failures, interrupts, context, threads."""

from __future__ import annotations

import contextvars
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest

import workbench as wb
from workbench import barrier, diverter, parallel, pipeline, warp
from workbench.flows import workers
from workbench.runtime import loop as background
from workbench.runtime import threads

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


def same(x: Any) -> Any:
    return x


def fail(x: Any) -> Any:
    raise ValueError(f"no {x}")


def test_branches_run_side_by_side() -> None:
    meet = threading.Barrier(4)
    assert sorted(parallel(*[lambda x: meet.wait(10)] * 4)(1)) == [0, 1, 2, 3]


def test_one_after_the_other_and_at_most_so_many_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def count(x: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return x

    for concurrent, expected in ((False, 1), (1, 1), (3, 3)):
        most = 0
        assert warp(count, _concurrent=concurrent)(list(range(12))) == tuple(range(12))
        assert most <= expected
    order: list[int] = []
    parallel.sequential(*[lambda x, i=i: order.append(i) for i in range(10)])(1)
    assert order == list(range(10))


def test_a_barrier_parts_what_branches_do_before_and_after() -> None:
    done: list[int] = []

    def step(i: int) -> int:
        done.append(i)
        return i + 1

    pipeline(
        step,
        parallel(
            pipeline(step, barrier, step, barrier, step, step),
            pipeline(step, barrier, step, step, step, step, barrier, step),
        ),
    )(0)
    assert done[:3] == [0, 1, 1]
    assert sorted(done[3:-3]) == [2, 2, 3, 4, 5]
    assert sorted(done[-3:]) == [3, 4, 6]


@pytest.mark.parametrize("concurrent", [False, 1, 2, True])
def test_more_branches_than_run_at_once_all_come_to_the_barrier(concurrent: Any) -> None:
    before: list[int] = []

    def check(i: int) -> int:
        assert len(before) == 60
        return i

    flow = warp(lambda i: before.append(i) or i, barrier, check, barrier, same, _concurrent=concurrent)
    assert flow(list(range(60))) == tuple(range(60))


def test_branches_of_one_after_the_other_meet_at_a_barrier_in_their_order() -> None:
    order: list[tuple[str, int]] = []
    flow = parallel.sequential(
        *[pipeline(lambda x, i=i: order.append(("before", i)), barrier, lambda x, i=i: order.append(("after", i))) for i in range(5)]
    )
    flow(1)
    assert order == [(when, i) for when in ("before", "after") for i in range(5)]


def test_a_barrier_waits_for_no_branch_that_has_ended_or_has_no_barrier() -> None:
    assert parallel(pipeline(barrier, barrier, barrier), pipeline(barrier), same)(1) == (1, 1, 1)
    assert parallel(barrier, barrier)(1, 2) == ((1, 2), (1, 2))
    assert diverter(barrier, same)(1, 2) == (1, 2)


def test_a_barrier_outside_branches_hands_its_input_on() -> None:
    assert pipeline(same, barrier, same)(1) == 1
    assert barrier() == ()


def test_a_barrier_does_not_hang_when_another_branch_fails() -> None:
    for flow in (
        parallel(pipeline(barrier, same), fail, pipeline(same, barrier)),
        parallel(parallel(pipeline(barrier, same), same), pipeline(barrier, fail), barrier),
        parallel.sequential(pipeline(barrier, same), fail),
    ):
        with pytest.raises(ValueError, match="no 1"):
            flow(1)


def test_the_first_error_ends_what_has_not_begun_and_stops_the_others_at_their_next_step() -> None:
    begun: list[int] = []
    failed = threading.Event()

    def bad(x: Any) -> Any:
        failed.set()
        raise ValueError(x)

    flow = parallel(pipeline(lambda x: failed.wait(10), lambda x: time.sleep(0.05), begun.append), bad, begun.append, begun.append, _concurrent=2)
    with pytest.raises(ValueError, match="1"):
        flow(1)
    assert begun == []


def test_other_errors_are_told_with_the_first() -> None:
    meet = threading.Barrier(2)

    def bad(x: Any) -> Any:
        meet.wait(10)
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad") as caught:
        parallel(a=bad, b=bad)(1)
    assert any("Another branch failed, too: ValueError: bad" in note for note in caught.value.__notes__)


def test_coroutines_of_other_branches_are_cancelled_at_an_error() -> None:
    cancelled = threading.Event()

    async def long(x: Any) -> Any:
        import asyncio

        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def late(x: Any) -> Any:
        time.sleep(0.1)
        raise ValueError(x)

    begin = time.monotonic()
    with pytest.raises(ValueError, match="1"):
        parallel(long, pipeline(same, long), late)(1)
    assert cancelled.wait(10)
    assert time.monotonic() - begin < 30


def test_context_variables_are_carried_into_branches_and_do_not_come_back() -> None:
    token = user.set("ada")
    try:

        def change(x: Any) -> str:
            before = user.get()
            user.set(f"{before}{x}")
            return before

        assert warp(change)([1, 2, 3]) == ("ada",) * 3
        assert parallel.sequential(change, change)(1) == ("ada", "ada")
        assert user.get() == "ada"
    finally:
        user.reset(token)


def test_nested_branches_need_no_free_thread() -> None:
    flow: Any = same
    for _ in range(5):
        flow = parallel(flow, flow, flow, _concurrent=3)

    def leaves(result: Any) -> int:
        return sum(map(leaves, result)) if isinstance(result, tuple) else 1

    assert leaves(flow(1)) == 3**5


def test_coroutine_functions_run_in_blocking_calls_also_where_a_loop_runs() -> None:
    async def later(x: int) -> int:
        import asyncio

        await asyncio.sleep(0)
        return x + 1

    flow = pipeline(later, parallel(later, lambda x: later(x), pipeline(later, later)))
    assert flow(1) == (3, 3, 4)

    async def cell() -> Any:
        return flow(1)

    import asyncio

    assert asyncio.run(cell()) == (3, 3, 4)


def test_a_blocking_call_on_the_background_loop_says_what_to_write() -> None:
    async def later(x: int) -> int:
        return x

    async def on_the_loop(flow: Any) -> Any:
        return flow(1)

    for flow in (pipeline(later), parallel(same, same)):
        with pytest.raises(wb.errors.FlowError, match=r"await flow.acall"):
            background.run(on_the_loop(flow))
    assert background.run(on_the_loop(pipeline(same))) == 1


def test_calls_in_the_background_are_waited_for() -> None:
    go = threading.Event()
    flow = pipeline(lambda x: go.wait(10) and x).set_sync(False)
    future = flow(5)
    assert not future.done()
    go.set()
    assert flow.wait() is flow
    assert future.result() == 5
    assert flow.set_sync(True)(6) == 6
    bad = pipeline(fail).set_sync(False)
    bad(1)
    with pytest.raises(ValueError, match="no 1"):
        bad.wait()


def test_run_all_runs_calls_side_by_side_and_raises_the_first_error() -> None:
    meet = threading.Barrier(3)
    assert sorted(workers.run_all([lambda: meet.wait(10)] * 3)) == [0, 1, 2]
    assert workers.run_all([]) == []
    assert workers.run_all([lambda: 1, lambda: 2], limit=1) == [1, 2]
    with pytest.raises(ZeroDivisionError):
        workers.run_all([lambda: 1, lambda: 1 / 0])


@pytest.mark.parametrize(
    "flow", ["parallel(wait, wait)", "parallel(pipeline(wait, same), pipeline(barrier, same))", "warp(later)", "pipeline(later)"]
)
def test_an_interrupt_ends_a_call_at_once(flow: str) -> None:
    code = f"""
        import asyncio, os, signal, threading, time
        from workbench import barrier, parallel, pipeline, warp
        def wait(x): time.sleep(60)
        def same(x): return x
        async def later(x): await asyncio.sleep(60)
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            ({flow})([1, 2])
        except KeyboardInterrupt:
            print("interrupted", parallel(same, same)(1), flush=True)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.returncode) == ("interrupted (1, 1)\n", 0), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_branches_run_in_a_forked_child() -> None:
    assert parallel(same, same)(1) == (1, 1)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(0 if parallel(same, same)(1) == (1, 1) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_more_threads_is_an_error_not_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(job: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start", start)
    with pytest.raises(wb.errors.FlowError, match="No thread can be started"):
        parallel(same, same, pipeline(barrier, same))(1)


def test_a_function_may_call_the_barrier_itself() -> None:
    import asyncio

    def meets(x: Any) -> Any:
        return barrier(x)

    flow = parallel(meets, pipeline(meets, meets), pipeline(str, meets), _concurrent=1)
    assert flow(1) == (1, 1, "1")
    assert asyncio.run(flow.acall(1)) == (1, 1, "1")


def test_a_signal_handler_that_cancels_the_awaiting_task_is_heard_at_once() -> None:
    """What a kernel does for its stop button."""
    code = """
        import asyncio, os, signal, threading
        from workbench import warp
        async def later(x): await asyncio.sleep(60)
        async def cell():
            task = asyncio.ensure_future(warp(later).acall([1, 2]))
            signal.signal(signal.SIGINT, lambda *_: task.cancel())
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            try:
                await task
            except asyncio.CancelledError:
                print("cancelled", flush=True)
        asyncio.run(cell())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.returncode) == ("cancelled\n", 0), done.stderr
