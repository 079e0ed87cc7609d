"""What a flow adds to the functions in it, which do nothing, beside the same flows of lazyllm.

``BENCHMARK_LAZYLLM_PYTHON`` names the interpreter of an environment that has lazyllm; without it that comparison is left out.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .ratio import Ratio, limit, quotient

ROUNDS = 5
SHAPES = Path(__file__).with_name("flow_shapes.py")
FIVE = "a pipeline of five functions"


def microseconds(python: str, package: str) -> dict[str, float]:
    """Of a call of each flow, in a fresh interpreter."""
    done = subprocess.run([python, str(SHAPES), package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, timeout=300)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure() -> Iterator[Ratio]:
    peer = os.environ.get("BENCHMARK_LAZYLLM_PYTHON")
    if not peer:
        print("flows: BENCHMARK_LAZYLLM_PYTHON is not set, so there is no peer", file=sys.stderr)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(microseconds(sys.executable, "workbench"))
        theirs += [microseconds(peer, "lazyllm")] if peer else []
    for question in ours[0]:
        value = statistics.median(r[question] for r in ours)
        if question == FIVE or not theirs:
            yield limit(question, value, "µs", at_most=50 if question == FIVE else None)
        if theirs:
            yield quotient(question, value, statistics.median(r[question] for r in theirs), "µs", "lazyllm", at_most=0.1)
