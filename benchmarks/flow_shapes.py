"""Run by an interpreter with the named package, ``workbench`` or ``lazyllm``: microseconds of a call of each flow, as JSON in the last line.

The same lines for both, so that both do the same.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any


def same(x: Any) -> Any:
    return x


def first(x: Any, given: Any) -> Any:
    return x


def flows(p: Any) -> dict[str, tuple[Any, Any, int]]:
    """Question → flow, input, calls."""
    with p.pipeline() as bound:
        bound.a = same
        bound.b = same
        bound.c = p.bind(first, p._0, bound.a)
        bound.d = same
        bound.e = p.bind(first, p._0, bound.input)
    return {
        "a pipeline of five functions": (p.pipeline(same, same, same, same, same), 1, 2000),
        "… two of them with binds": (bound, 1, 2000),
        "… in three nested pipelines": (p.pipeline(same, p.pipeline(same, p.pipeline(same, same), same)), 1, 2000),
        "a switch of three cases": (p.switch({1: same, 2: same, "default": same}), 3, 2000),
        "ten rounds of a loop": (p.loop(same, count=10), 1, 1000),
        "a parallel of two functions": (p.parallel(same, same), 1, 300),
        "a warp over 100 elements": (p.warp(same), list(range(100)), 30),
    }


def main(package: str) -> None:
    found = {}
    for question, (flow, value, calls) in flows(importlib.import_module(package)).items():
        for _ in range(10):
            flow(value)
        begin = time.perf_counter()
        for _ in range(calls):
            flow(value)
        found[question] = 1e6 * (time.perf_counter() - begin) / calls
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
