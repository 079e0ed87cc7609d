"""A loop that waits hears what a signal handler asked for: modules, streams and helpers, as a kernel's stop button stops them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from workbench.runtime.network.pulse import EVERY_S, pulse

WAITS = {
    "a module": "await Slow().acall(1)",
    "the pieces of a helper": "async for _ in wb.StreamCallHelper(Slow())(1): pass",
    "a stream": "async for _ in Stream(endless): pass",
    "a stream's end": "await Stream(endless).ajoin()",
}
CELL = """
    import asyncio, os, signal, threading, time
    import workbench as wb
    from workbench.runtime.answering.stream import Stream

    class Slow(wb.ModuleBase):
        def forward(self, x): time.sleep(60)

    async def endless(channel): await asyncio.sleep(60)

    async def work():
        WAIT

    async def cell():
        task = asyncio.ensure_future(work())
        signal.signal(signal.SIGINT, lambda *_: task.cancel())
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            await task
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            os._exit(0)

    asyncio.run(cell())
"""


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_the_stop_button_ends_an_await_at_once(wait: str) -> None:
    code = textwrap.dedent(CELL).replace("WAIT", wait)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "cancelled\n", done.stderr


def test_one_timer_serves_all_who_wait_and_ends_with_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    async def waits() -> None:
        loop = asyncio.get_running_loop()
        later = loop.call_later

        def counted(delay: float, *args: Any) -> Any:
            if delay == EVERY_S:
                asked.append(delay)
            return later(delay, *args)

        monkeypatch.setattr(loop, "call_later", counted)
        for _ in range(100):
            with pulse(), pulse():
                pass
        assert len(asked) == 1
        await asyncio.sleep(EVERY_S * 2)
        assert len(asked) == 1
        with pulse():
            assert len(asked) == 2

    asyncio.run(waits())
