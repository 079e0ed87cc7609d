"""What a module adds to a call: an empty `forward` against a plain function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import workbench as wb

from .ratio import Ratio, difference, medians

ROUNDS = 15
CALLS = 20_000


class Identity(wb.ModuleBase):
    """The least a module can do."""

    def forward(self, value: str) -> str:
        return value


def function(value: str) -> str:
    return value


def microseconds(call: Callable[[str], str]) -> float:
    """Time of one call."""
    begin = time.perf_counter()
    for _ in range(CALLS):
        call("text")
    return 1e6 * (time.perf_counter() - begin) / CALLS


def measure() -> Iterator[Ratio]:
    module = Identity()
    ours, theirs = medians(ROUNDS, lambda: microseconds(module), lambda: microseconds(function))
    yield difference("a module's call", ours, theirs, "µs", "a plain function", at_most=10)
