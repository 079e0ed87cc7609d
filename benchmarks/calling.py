"""What a module adds to a call: an empty `forward` against a plain function and against the same in lazyllm; inside another module,
with tokens counted for both; and with a hook around it.

``BENCHMARK_LAZYLLM_PYTHON`` names the interpreter of an environment that has lazyllm; without it that comparison is left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import workbench as wb
from workbench.core.messages import Usage
from workbench.modules import usage

from .ratio import Ratio, difference, medians, quotient

ROUNDS = 15
PEER_ROUNDS = 5
CALLS = 20_000
_PEER = """
import time, lazyllm
class Identity(lazyllm.ModuleBase):
    def forward(self, value): return value
module = Identity()
for _ in range(20): module('text')
begin = time.perf_counter()
for _ in range(500): module('text')
print(1e6 * (time.perf_counter() - begin) / 500)
"""


class Identity(wb.ModuleBase):
    """The least a module can do."""

    def forward(self, value: str) -> str:
        return value


class Counted(wb.ModuleBase):
    """Takes tokens, as a call of a model does."""

    def forward(self, value: str) -> str:
        usage.count(Usage(3, 1), self, usage.running.get())
        return value


class Holds(wb.ModuleBase):
    """Calls another module."""

    def __init__(self, inner: wb.ModuleBase) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, value: str) -> str:
        return str(self.inner(value))


class Looks(wb.Hook):
    """A hook that does nothing."""


def function(value: str) -> str:
    return value


def microseconds(call: Callable[[str], str]) -> float:
    """Time of one call."""
    begin = time.perf_counter()
    for _ in range(CALLS):
        call("text")
    return 1e6 * (time.perf_counter() - begin) / CALLS


def peer_microseconds(python: str) -> float:
    """Time of one call of the same module in lazyllm."""
    out = subprocess.run([python, "-c", _PEER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return float(out.stdout.split()[-1])


def measure() -> Iterator[Ratio]:
    modules = {
        "a module's call": Identity(),
        "… of a module in a module, tokens counted for both": Holds(Counted()),
        "… with a hook": Identity().register_hook(Looks),
    }
    for question, module in modules.items():
        ours, theirs = medians(ROUNDS, lambda m=module: microseconds(m), lambda: microseconds(function))  # type: ignore[misc]
        yield difference(question, ours, theirs, "µs", "a plain function", at_most=20)
    peer = os.environ.get("BENCHMARK_LAZYLLM_PYTHON")
    if peer:
        ours, theirs = medians(PEER_ROUNDS, lambda: microseconds(modules["a module's call"]), lambda: peer_microseconds(peer))
        yield quotient("a module's call", ours, theirs, "µs", "a lazyllm module", at_most=0.5)
    else:
        print("calling: BENCHMARK_LAZYLLM_PYTHON is not set, so there is no peer", file=sys.stderr)
