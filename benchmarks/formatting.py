"""How long JSON takes to be found in 100 kB of an answer: against the standard decoder that is told where it stands, against a published
repairer where the JSON is broken, and against lazyllm's formatter.

``BENCHMARK_LAZYLLM_PYTHON`` names the interpreter of an environment that has lazyllm; without it that comparison is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import workbench as wb

from .ratio import Ratio, medians, quotient

ROUNDS = 9
PEER_ROUNDS = 3
ROWS = [{"title": f"Part {n}", "describe": "What it is, and how to write it. " * 2, "words": [n, n + 1]} for n in range(900)]
VALUE = json.dumps(ROWS, indent=1)
ANSWER = f"Sure, here is the outline:\n\n```json\n{VALUE}\n```\nTell me what to change."
BROKEN = ANSWER.replace('"words"', "words").replace("]\n }", "],\n }")
_PEER = """
import sys, time
from lazyllm.components.formatter import JsonFormatter
text, formatter = sys.stdin.read(), JsonFormatter('[:][title]')
assert len(formatter(text)) == 900
begin = time.perf_counter()
for _ in range(5): formatter(text)
print(1e3 * (time.perf_counter() - begin) / 5)
"""


def milliseconds(call: Callable[[str], Any], text: str) -> float:
    """Time of one call."""
    begin = time.perf_counter()
    for _ in range(5):
        call(text)
    return 1e3 * (time.perf_counter() - begin) / 5


def peer_milliseconds(python: str) -> float:
    """Time of one call of lazyllm's formatter."""
    out = subprocess.run([python, "-c", _PEER], input=ANSWER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return float(out.stdout.split()[-1])


def measure() -> Iterator[Ratio]:
    """The comparisons, one after the other."""
    find = wb.JsonFormatter("[:][title]")
    assert find(ANSWER) == find(BROKEN) == [row["title"] for row in ROWS]
    ours, theirs = medians(ROUNDS, lambda: milliseconds(find, ANSWER), lambda: milliseconds(json.loads, VALUE))
    yield quotient("JSON in an answer of 100 kB", ours, theirs, "ms", "json.loads of the JSON alone", at_most=3)
    try:
        from json_repair import loads
    except ImportError:
        print("formatting: json-repair is not installed, so broken JSON has no peer", file=sys.stderr)
    else:
        ours, theirs = medians(ROUNDS, lambda: milliseconds(find, BROKEN), lambda: milliseconds(loads, BROKEN))
        yield quotient("… broken throughout", ours, theirs, "ms", "json_repair", at_most=1)
    peer = os.environ.get("BENCHMARK_LAZYLLM_PYTHON")
    if peer:
        ours, theirs = medians(PEER_ROUNDS, lambda: milliseconds(find, ANSWER), lambda: peer_milliseconds(peer))
        yield quotient("JSON in an answer of 100 kB", ours, theirs, "ms", "lazyllm's JsonFormatter", at_most=0.5)
    else:
        print("formatting: BENCHMARK_LAZYLLM_PYTHON is not set, so there is no peer", file=sys.stderr)
