"""``import workbench``: its time, against ``import lazyllm`` where that is installed, and the kernel's memory after it.

``BENCHMARK_LAZYLLM_PYTHON`` names the interpreter of an environment that has lazyllm; without it, the current one is tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import psutil
from jupyter_client.manager import KernelManager

from .ratio import Ratio, limit, medians, quotient

ROUNDS = 9
_TIMED = "import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"


def seconds(python: str, name: str) -> float:
    """Time of an import in a fresh interpreter, that interpreter's own start not counted."""
    out = subprocess.run([python, "-c", _TIMED.format(name=name)], capture_output=True, text=True, check=True)
    return float(out.stdout.split()[-1])


def kernel_memory() -> list[float]:
    """MB of a real kernel's own before the import, after it, and after a first use of models and jobs.

    Its own (USS): what ending the kernel would free; libraries that other programs have loaded too are not counted.
    """
    manager = KernelManager(transport="ipc")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        found = []
        for code in ("pass", "import workbench as wb", "m = wb.TrainableModule('pocket'); wb.jobs()"):
            client.execute_interactive(code, silent=True, timeout=60)
            found.append(psutil.Process(manager.provisioner.pid).memory_full_info().uss / 1e6)  # type: ignore[union-attr]  # it runs
        return found
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def measure() -> Iterator[Ratio]:
    peer = os.environ.get("BENCHMARK_LAZYLLM_PYTHON") or (sys.executable if find_spec("lazyllm") else "")
    seconds(sys.executable, "workbench")  # compiles what was never compiled
    if peer:
        seconds(peer, "lazyllm")
        ours, theirs = medians(ROUNDS, lambda: seconds(sys.executable, "workbench"), lambda: seconds(peer, "lazyllm"))
        yield quotient("import workbench", ours, theirs, "s", "import lazyllm", at_most=0.5)
    else:
        ours = medians(ROUNDS, lambda: seconds(sys.executable, "workbench"))[0]
    yield limit("import workbench", ours, "s", at_most=0.3)
    before, after, used = kernel_memory()
    yield limit("kernel's own memory after import workbench", after, "MB", at_most=80)
    yield limit("… of it by the import", after - before, "MB")
    yield limit("… after a first module and list of jobs", used, "MB")
