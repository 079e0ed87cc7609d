"""10,000 vectors of 1024 numbers from a server on this machine, beside the `openai` client, a bare httpx loop and, where there is
one, lazyllm's embedding module: all ask for as many texts at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai

import workbench as wb

from .ratio import Ratio, medians, quotient

TEXTS, BATCH, ROUNDS = 10_000, 500, 3
SERVER = Path(__file__).with_name("vectors_server.py")
LAZY = Path(__file__).with_name("vectors_lazyllm.py")


def ours(url: str, texts: list[str], encoding: str) -> float:
    """As a user does it."""
    module = wb.OnlineModule("m", url=url, type="embed", skip_auth=True, batch_size=BATCH, options={"encoding": encoding})
    begin = time.perf_counter()
    found = module(texts)
    took = time.perf_counter() - begin
    assert len(found) == len(texts)
    return took


def client(url: str, texts: list[str]) -> float:
    """OpenAI's own client, in a loop."""
    asked = openai.OpenAI(base_url=url, api_key="none", http_client=httpx.Client(trust_env=False))
    begin = time.perf_counter()
    found = [d.embedding for i in range(0, len(texts), BATCH) for d in asked.embeddings.create(model="m", input=texts[i : i + BATCH]).data]
    took = time.perf_counter() - begin
    assert len(found) == len(texts)
    return took


def bare(url: str, texts: list[str]) -> float:
    """The least that a program must do to get the same numbers."""
    found: list[list[float]] = []
    with httpx.Client(trust_env=False, timeout=60) as asked:
        begin = time.perf_counter()
        for i in range(0, len(texts), BATCH):
            answer = asked.post(f"{url}/embeddings", json={"model": "m", "input": texts[i : i + BATCH]})
            found += [row["embedding"] for row in json.loads(answer.content)["data"]]
        took = time.perf_counter() - begin
    assert len(found) == len(texts)
    return took


def lazyllm(python: str, url: str) -> float:
    """The peer's module, with as many requests at once as ours."""
    done = subprocess.run([python, str(LAZY), url, str(TEXTS), str(BATCH)], capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout.split()[-1])


def measure() -> Iterator[Ratio]:
    texts = [f"text number {i}" for i in range(TEXTS)]
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        try:
            python = os.environ.get("BENCHMARK_LAZYLLM_PYTHON", "")
            measures = [
                lambda: ours(url, texts, "base64"),
                lambda: client(url, texts),
                lambda: ours(url, texts, "float"),
                lambda: bare(url, texts),
                *([lambda: lazyllm(python, url)] if python else []),
            ]
            packed, theirs, plain, least, *lazy = medians(ROUNDS, *measures)
            yield quotient("10,000 vectors in base64", packed, theirs, "s", "the openai client in a loop", at_most=1.0)
            yield quotient("10,000 vectors as numbers", plain, least, "s", "a bare httpx loop", at_most=1.5)
            for peer in lazy:
                yield quotient("… beside lazyllm's embedding module", plain, peer, "s", "lazyllm", at_most=1.5)
        finally:
            server.terminate()
