"""The magics and the module's display in a real Jupyter kernel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager


@pytest.fixture
def kernel(home: Path) -> Iterator[BlockingKernelClient]:
    yield from started({})


@pytest.fixture
def headless(home: Path) -> Iterator[BlockingKernelClient]:
    yield from started({"WORKBENCH_HEADLESS": "1"})


def started(variables: dict[str, str]) -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, **variables})
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(kernel: BlockingKernelClient, code: str) -> list[dict[str, Any]]:
    """What the cell put out, as (type, content)."""
    out: list[dict[str, Any]] = []
    reply = kernel.execute_interactive(code, timeout=90, output_hook=lambda m: out.append({"type": m["msg_type"], **m["content"]}))
    assert reply["content"]["status"] == "ok", reply["content"].get("traceback")
    return out


def text(out: list[dict[str, Any]]) -> str:
    return "".join(m["text"] for m in out if m["type"] == "stream" and m["name"] == "stdout")


def widgets(out: list[dict[str, Any]]) -> int:
    """How many widgets stand in an output."""
    return sum("application/vnd.jupyter.widget-view+json" in m["data"] for m in out if m["type"] in ("display_data", "execute_result"))


DRY = """
t = wb.TrainableModule('pocket', 'mine').finetune_method(wb.finetune.dummy).deploy_method(wb.deploy.dummy)
t.trainset([{'instruction': 'a', 'output': 'b'}] * 8).evalset([('a', 'b')])
"""


def test_a_notebook_talks_to_the_shipped_model(kernel: BlockingKernelClient) -> None:
    run(kernel, "import workbench as wb\n%load_ext workbench")
    shown = run(kernel, "wb.TrainableModule('pocket').start()")
    assert widgets(shown) == 1, "the card stands once, though start() shows one and the cell's value is one"
    assert text(run(kernel, "%%chat --into answer --temperature 0\nWhich day comes after Wednesday?")) == "Thursday\n"
    assert text(run(kernel, "print(answer)")) == "Thursday\n"
    (job,) = [m for m in run(kernel, "%jobs") if m["type"] == "execute_result"]
    assert "pocket" in job["data"]["text/plain"]
    reply = kernel.complete("%%chat --int", 12, reply=True, timeout=30)
    assert "--into" in reply["content"]["matches"]


def test_update_shows_the_monitor_the_card_and_the_table(kernel: BlockingKernelClient) -> None:
    run(kernel, "import workbench as wb" + DRY)
    assert widgets(run(kernel, "t.update()")) == 3
    assert widgets(run(kernel, "t")) == 1
    assert widgets(run(kernel, "t.monitor()")) == widgets(run(kernel, "t.chat()")) == widgets(run(kernel, "wb.gpu()")) == 1


def test_an_interrupted_update_leaves_the_job_at_work(kernel: BlockingKernelClient) -> None:
    run(kernel, "import workbench as wb, signal, threading" + DRY + "t.finetune_method(wb.finetune.dummy, steps=400, seconds_per_step=0.05)")
    stop = "threading.Timer(2, signal.raise_signal, [signal.SIGINT]).start()"
    out = run(kernel, f"{stop}\ntry:\n    t.update()\nexcept KeyboardInterrupt:\n    print(t.job.state)")
    assert text(out) in ("running\n", "preparing\n")
    assert any("monitor() attaches" in m["text"] for m in out if m["type"] == "stream")


def test_without_a_front_end_there_are_lines_and_no_widgets(headless: BlockingKernelClient) -> None:
    run(headless, "import workbench as wb" + DRY)
    out = run(headless, "_ = t.update()")
    assert widgets(out) == 0
    said = text(out)
    assert "mine: succeeded · 20 steps\n" in said
    assert "mine is ready · dummy, as you chose" in said
