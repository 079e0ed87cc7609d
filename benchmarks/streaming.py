"""Text through ``m.stream`` against a bare httpx loop on the same server: throughput, and the time to the first piece."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

import workbench as wb

from .ratio import Ratio, alternate, difference, quotient

ROUNDS = 15
TOKENS = 400
QUESTION = "What can you do?"
ENDLESS: dict[str, Any] = {"max_tokens": TOKENS, "temperature": 0.0, "logit_bias": {"893": -100, "895": -100}}  # the ends of the pocket model


class Took(NamedTuple):
    """Seconds to the first piece and to the last, and how many characters came."""

    first: float
    total: float
    characters: int


def ours(model: wb.TrainableModule) -> Took:
    """A stream as a user reads it."""
    begin, first, size = time.perf_counter(), 0.0, 0
    for piece in model.stream(QUESTION, **ENDLESS):
        first = first or time.perf_counter() - begin
        size += len(piece)
    return Took(first, time.perf_counter() - begin, size)


def bare(client: httpx.Client, url: str, body: dict[str, object]) -> Took:
    """The least that a Python program must do to get the same text."""
    begin, first, size = time.perf_counter(), 0.0, 0
    with client.stream("POST", url, json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    text = choice["delta"].get("content")
                    if text:
                        first = first or time.perf_counter() - begin
                        size += len(text)
    return Took(first, time.perf_counter() - begin, size)


def measure() -> Iterator[Ratio]:
    model = wb.TrainableModule("pocket").start()
    endpoint = model.endpoint
    key = Path(endpoint.key_file).read_text().strip() if endpoint.key_file else ""
    body = {"model": endpoint.model, "messages": [{"role": "user", "content": QUESTION}], "stream": True, **ENDLESS}
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False) as client:
        url = f"{endpoint.url}/chat/completions"
        us: list[Took] = []
        them: list[Took] = []

        def one() -> float:
            us.append(ours(model))
            return us[-1].total

        def other() -> float:
            try:
                them.append(bare(client, url, body))
            except httpx.RemoteProtocolError:  # the server had closed the idle connection; m.stream opens a new one by itself
                them.append(bare(client, url, body))
            return them[-1].total

        one()
        other()
        us, them = [], []  # the first calls warmed both up
        alternate(ROUNDS, one, other)
    assert us[0].characters == them[0].characters, "both must read the same text"
    speed = [sorted(t.characters / t.total for t in side)[len(side) // 2] for side in (us, them)]
    yield quotient("text through m.stream", speed[0], speed[1], "characters/s", "a bare httpx loop", at_least=0.8)
    first = [1000 * sorted(t.first for t in side)[len(side) // 2] for side in (us, them)]
    yield difference("first piece of m.stream", first[0], first[1], "ms", "a bare httpx loop", at_most=5)
    model.stop()
