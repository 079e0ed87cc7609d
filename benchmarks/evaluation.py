"""Evaluating 10,000 rows against a server on this machine, beside a bare httpx loop and, where there is one, lazyllm's ``eval``,
all with as many rows at a time. What a summary of 100,000 rows takes when it is asked for again.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

import workbench as wb
from workbench.evals import EvalResult, EvalRow, evaluate
from workbench.evals.values import EvalOutput

from .ratio import Ratio, limit, medians, quotient

ROWS, AT_ONCE, ROUNDS = 10_000, 32, 2
WORDS = ["This", "is", "the", "answer", "to", "it"]
SERVER = Path(__file__).with_name("evaluation_server.py")
LAZY = Path(__file__).with_name("evaluation_lazyllm.py")


def questions(count: int) -> list[tuple[str, str]]:
    """Rows with the answer that the server gives to every question."""
    return [(f"Question {i}?", " ".join(WORDS)) for i in range(count)]


def ours(module: wb.ModuleBase, rows: list[tuple[str, str]]) -> float:
    """As a user does it: every row's answer, score, latency and usage, kept on disk as it comes."""
    begin = time.perf_counter()
    result = evaluate(module, rows, concurrency=AT_ONCE, show=False)
    took = time.perf_counter() - begin
    assert result.errors == 0
    assert result.summary()[0].means == (1.0,)
    return took


def bare(url: str, rows: list[tuple[str, str]], *, streamed: bool = True) -> float:
    """The least that a program must do to get the same answers, as many at a time, kept in a list."""

    async def main() -> int:
        answers = [""] * len(rows)
        left = iter(range(len(rows)))
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:

            async def worker() -> None:
                for i in left:
                    body = {"model": "m", "messages": [{"role": "user", "content": rows[i][0]}], "stream": streamed}
                    if not streamed:
                        answers[i] = (await client.post(f"{url}/chat/completions", json=body)).json()["choices"][0]["message"]["content"]
                        continue
                    async with client.stream("POST", f"{url}/chat/completions", json=body) as response:
                        async for line in response.aiter_lines():
                            if line.startswith("data: {"):
                                answers[i] += "".join(c["delta"].get("content") or "" for c in json.loads(line[6:])["choices"])

            await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        return sum(answer == expected for answer, (_, expected) in zip(answers, rows, strict=True))

    begin = time.perf_counter()
    assert asyncio.run(main()) == len(rows)
    return time.perf_counter() - begin


def lazyllm(python: str, url: str) -> float:
    """What the peer's ``eval`` would take for as many rows, from a tenth of them: it asks 200 at a time, keeps the answers only, and
    seldom gets through 10,000 without an error of its own."""
    done = subprocess.run([python, str(LAZY), url, str(ROWS // 10)], capture_output=True, text=True, timeout=600, check=True)
    return 10 * float(done.stdout.split()[-1])


def summary_again(count: int = 100_000) -> float:
    """Seconds for the summary of a finished evaluation when a table or report asks once more."""
    result = EvalResult("large", ["a", "b"], evaluate(str.upper, [("a", "A")], show=False).measures, count, keep=False)
    for i in range(count):
        result.append(EvalRow(i, "", "", tuple(EvalOutput("", latency=0.1 + (i * k % 7) / 100, scores={"exact": float(i % k == 0)}) for k in (2, 3))))
    result.finish()
    result.summary()
    begin = time.perf_counter()
    result.summary()
    return time.perf_counter() - begin


def measure() -> Iterator[Ratio]:
    server = subprocess.Popen([sys.executable, str(SERVER), *WORDS], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        module = wb.TrainableModule("m").deploy_method(wb.deploy.auto, url=f"{url}/")
        ours(module, questions(500))
        bare(url, questions(500))
        rows, lazy_python = questions(ROWS), os.environ.get("BENCHMARK_LAZYLLM_PYTHON", "")
        sides = [lambda: ours(module, rows), lambda: bare(url, rows), lambda: bare(url, rows, streamed=False)]
        if lazy_python:
            sides.append(lambda: lazyllm(lazy_python, url))
        us, *others = medians(ROUNDS, *sides)
        names = ["a bare httpx loop", "one that does not stream", "lazyllm's, not streamed, 200 at a time"]
        for name, them, bound in zip(names, others, (1.2, 1.2, None), strict=False):
            yield quotient(f"eval of {ROWS:,} rows, {AT_ONCE} at a time", us, them, "s", name, at_most=bound)
    finally:
        server.kill()
        server.wait()
    yield limit("summary of 100,000 rows, asked for again", summary_again() * 1000, "ms", at_most=5)
