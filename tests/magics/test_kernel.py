"""The magics and the module's display in a real Jupyter kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager


@pytest.fixture
def kernel(home: Path) -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
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


def test_a_notebook_talks_to_the_shipped_model(kernel: BlockingKernelClient) -> None:
    run(kernel, "import workbench as wb\n%load_ext workbench")
    shown = run(kernel, "wb.TrainableModule('pocket').start()")
    displays = [m for m in shown if m["type"] in ("display_data", "execute_result")]
    assert len(displays) == 1, "the card stands once, though start() shows one and the cell's value is one"
    assert text(run(kernel, "%%chat --into answer --temperature 0\n14 + 18")) == "32\n"
    assert text(run(kernel, "print(answer)")) == "32\n"
    (job,) = [m for m in run(kernel, "%jobs") if m["type"] == "execute_result"]
    assert "pocket" in job["data"]["text/plain"]
    reply = kernel.complete("%%chat --int", 12, reply=True, timeout=30)
    assert "--into" in reply["content"]["matches"]
