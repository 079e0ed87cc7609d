"""`ServerModule`: how it is made, what runs before and after a call, and calls side by side, with real servers."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import workbench as wb
from workbench.errors import ArgumentError, NotStarted
from workbench.runtime.work import jobs

from ..support.job_helpers import until
from ..support.served import ask, key_of

# ---- before and after


def test_pre_and_post_run_in_the_server_with_the_documented_arguments(home: Path) -> None:
    def twice(x: Any) -> Any:
        return x * 2

    def pair(a: int, b: int) -> int:
        return 10 * a + b

    one = wb.ServerModule(twice, pre=pair, post=lambda out: {"out": out, "pid": os.getpid()}, name="one").start()
    assert one({"a": 1, "b": 2})["out"] == 24
    assert one(1, 2)["out"] == 24
    assert one(a=1, b=2)["out"] == 24
    assert one(1, 2)["pid"] != os.getpid()
    two = wb.ServerModule(twice, post=lambda out, ori: [out, ori], name="two").start()
    assert two(3) == [6, 3]
    assert two([1]) == [[1, 1], [1]]
    three = wb.ServerModule(partial(pow, 2), pre=lambda x: (x, 5), post=lambda out, *, original: [out, original], name="three").start()
    assert three(3) == [3, 3]  # 2³ modulo 5


def test_a_plain_object_gives_the_parameters_it_names(home: Path) -> None:
    both = wb.ServerModule(lambda a, b: a + b, name="both").start()
    assert ask(both.url, {"a": 1, "b": 2}, key_of(both)) == (200, "3")


# ---- how it is made


def same(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"m": same, "stream": True, "return_trace": True}, "Module with stream output has no trace"),
        ({"m": same, "stream": True, "post": same}, "Stream cannot be true when post-action exists"),
        ({"m": same, "url": "http://127.0.0.1:1/generate"}, "m should be None when url is provided"),
        ({"m": "http://127.0.0.1:1", "url": "http://127.0.0.1:1"}, "url should be None when m is a url"),
        ({"url": "nonsense here"}, "Invalid url"),
        ({"url": "http://"}, "Invalid url"),
        ({"url": "no-such-server"}, "no server is called so"),
        ({"url": "http://me:secret-word@host/x"}, "A key does not belong into a URL"),
        ({"m": 3}, "Only what can be called is served"),
        ({"m": same, "num_replicas": 2}, "num_replicas=2"),
        ({"m": same, "port": 70_000}, "Port 70000 is impossible"),
        ({"m": same, "launcher": "slurm"}, "Servers do not run by slurm"),
        ({"m": same, "security_key": " "}, "security_key= is no key"),
        ({"m": same, "stream": {"colour": "red"}}, "stream="),
    ],
)
def test_arguments_that_make_no_sense_are_refused(home: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        wb.ServerModule(**arguments)
    assert said in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_before_the_start_it_says_what_to_type(home: Path) -> None:
    server = wb.ServerModule(same)
    for use in (lambda: server(1), lambda: server.url, lambda: server.call("x"), lambda: server.stream(1), lambda: wb.UrlModule()(1)):
        with pytest.raises(NotStarted, match=r"start\(\)"):
            use()
    with pytest.raises(NotStarted, match="nothing to serve"):
        wb.ServerModule().start()
    assert server.status == "idle"


def test_what_cannot_be_carried_is_named_before_anything_starts(home: Path) -> None:
    connection = sqlite3.connect(":memory:")
    holder = SimpleNamespace(inner=[SimpleNamespace(connection=connection)])

    def query(text: str) -> Any:
        return connection.execute(text)

    for m, place in (
        (query, "connection (used in query) is of type sqlite3.Connection"),
        (partial(same, holder), "store.args[0].inner[0].connection is of type sqlite3.Connection"),
    ):
        with pytest.raises(ArgumentError) as caught:
            wb.ServerModule(m, name="store").start()
        assert place in str(caught.value)
    assert not jobs.store().jobs()


def test_locks_are_made_afresh(home: Path) -> None:
    lock, context = threading.RLock(), threading.local()

    def guarded(x: Any) -> Any:
        with lock:
            context.x = x
            return context.x

    with lock:
        assert wb.ServerModule(guarded).start()(1) == 1


# ---- side by side, and gone


def test_calls_run_side_by_side(home: Path) -> None:
    class Meeting:
        """Lets nobody go before two are there."""

        def __init__(self) -> None:
            self.came = 0

        def __call__(self) -> int:
            self.came += 1
            end = time.monotonic() + 20
            while self.came < 2 and time.monotonic() < end:
                time.sleep(0.01)
            return self.came

    server = wb.ServerModule(Meeting()).start()

    async def together() -> list[int]:
        return await asyncio.gather(server.acall(), server.acall())

    assert asyncio.run(together()) == [2, 2]
    with ThreadPoolExecutor(2) as pool:
        assert [f.result() for f in [pool.submit(server), pool.submit(server)]][1] >= 3


def test_coroutines_run_on_one_loop_and_are_cancelled_when_the_caller_leaves(home: Path) -> None:
    async def sleep(seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            print("the coroutine was cancelled")
            raise
        return f"{seconds}"

    server = wb.ServerModule(sleep).start()
    assert server(0) == "0"

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(server.acall(60), 0.5)

    asyncio.run(leave())
    until(lambda: "was cancelled" in jobs.log_tail(server.endpoint.job_id), "the end of the coroutine")


def test_context_of_one_call_is_not_seen_by_the_next(home: Path) -> None:
    class Count:
        def __call__(self) -> int:
            if "mark" not in vars(self):
                self.mark = contextvars.ContextVar("mark", default=0)  # made there: a context variable is not carried
            self.mark.set(self.mark.get() + 1)
            return self.mark.get()

    server = wb.ServerModule(Count()).start()
    assert [server(), server()] == [1, 1]
