"""Text through an online module against a bare httpx loop, the ``openai`` client and lazyllm; a hundred streams at once in one kernel.

The server stands at an address that is taken for any other machine's, so that the way through httpx is measured, which vendors have.
``BENCHMARK_LAZYLLM_PYTHON`` names the interpreter of an environment that has lazyllm; without it that comparison is left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx

import workbench as wb

from .ratio import Ratio, alternate, difference, quotient

HOST = "127.0.0.2"
CHUNKS, ROUNDS, AT_ONCE = 400, 9, 100
PAUSE = 0.001  # seconds after each four chunks: some thousand of them a second, which no vendor reaches
QUESTION = "words"
HERE = Path(__file__).parent


class Took(NamedTuple):
    """Seconds to the first piece and to the last, and how many characters came."""

    first: float
    total: float
    characters: int


def text_of(question: str) -> str:
    """What the server says."""
    return "".join(f"{question}.{i} " for i in range(CHUNKS))


def body(question: str) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": question}], "stream": True, "stream_options": {"include_usage": True}}


def ours(module: wb.OnlineChatModule) -> Took:
    """A stream as a user reads it."""
    begin, first, size = time.perf_counter(), 0.0, 0
    for piece in module.stream(QUESTION):
        first = first or time.perf_counter() - begin
        size += len(piece)
    return Took(first, time.perf_counter() - begin, size)


def bare(client: httpx.Client, url: str) -> Took:
    """The least that a Python program must do to get the same text."""
    begin, first, size = time.perf_counter(), 0.0, 0
    with client.stream("POST", f"{url}/chat/completions", json=body(QUESTION)) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    text = choice["delta"].get("content")
                    if text:
                        first = first or time.perf_counter() - begin
                        size += len(text)
    return Took(first, time.perf_counter() - begin, size)


def official(client: object) -> Took:
    """The vendor's own client."""
    begin, first, size = time.perf_counter(), 0.0, 0
    stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": QUESTION}], stream=True)  # type: ignore[attr-defined]
    for chunk in stream:
        text = chunk.choices[0].delta.content if chunk.choices else ""
        if text:
            first = first or time.perf_counter() - begin
            size += len(text)
    return Took(first, time.perf_counter() - begin, size)


async def many_ours(module: wb.OnlineChatModule) -> None:
    """A hundred answers at once, each of which must be its own."""

    async def one(n: int) -> None:
        assert await module.acall(f"q{n}") == text_of(f"q{n}")

    await asyncio.gather(*(one(n) for n in range(AT_ONCE)))


async def many_bare(url: str) -> None:
    """The same by a bare loop."""
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=httpx.Limits(max_connections=None)) as client:

        async def one(n: int) -> None:
            texts = list[str]()
            async with client.stream("POST", f"{url}/chat/completions", json=body(f"q{n}")) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        texts += [c["delta"].get("content") or "" for c in json.loads(line[6:])["choices"]]
            assert "".join(texts) == text_of(f"q{n}")

        await asyncio.gather(*(one(n) for n in range(AT_ONCE)))


def measure() -> Iterator[Ratio]:
    os.environ["NO_PROXY"] = f"{os.environ.get('NO_PROXY', '')},{HOST}"
    command = [sys.executable, str(HERE / "stream_server.py"), HOST, str(CHUNKS), str(PAUSE)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://{HOST}:{server.stdout.readline().strip()}/v1"
        module = wb.OnlineChatModule("m", url=f"{url}/", skip_auth=True)
        yield from _one(module, url)

        def at_once(work: object) -> float:
            begin = time.perf_counter()
            asyncio.run(work)  # type: ignore[arg-type]
            return time.perf_counter() - begin

        at_once(many_ours(module))
        times = alternate(3, lambda: at_once(many_ours(module)), lambda: at_once(many_bare(url)))
        us, them = (statistics.median(t) for t in times)
        yield quotient(f"{AT_ONCE} streams at once in one kernel", 1 / us, 1 / them, "times/s", "a bare httpx loop", at_least=0.8)
    finally:
        server.kill()
        server.wait()


def _one(module: wb.OnlineChatModule, url: str) -> Iterator[Ratio]:
    import openai

    sides: dict[str, list[Took]] = {"ours": [], "bare": [], "openai": [], "lazyllm": []}
    lazy = os.environ.get("BENCHMARK_LAZYLLM_PYTHON")
    command = [lazy or "", str(HERE / "online_lazyllm.py"), url]
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) if lazy else None
    with httpx.Client(timeout=60, trust_env=False) as client, openai.OpenAI(base_url=url, api_key="none") as vendor:

        def noted(side: str, took: Took) -> float:
            sides[side].append(took)
            return took.total

        measures = [lambda: noted("ours", ours(module)), lambda: noted("bare", bare(client, url)), lambda: noted("openai", official(vendor))]
        if peer is not None:
            measures.append(lambda: noted("lazyllm", _lazy(peer)))
        for m in measures:
            m()
        for s in sides.values():
            s.clear()  # the first calls warmed all up
        alternate(ROUNDS, *measures)
    if peer is not None:
        peer.kill()
        peer.wait()
    assert {t.characters for s in sides.values() for t in s} <= {len(text_of(QUESTION)), len(text_of(QUESTION)) - 1}, (
        f"all must read the same text: { {side: t[0].characters for side, t in sides.items() if t} }"
    )
    speed = {side: statistics.median(t.characters / t.total for t in took) for side, took in sides.items() if took}
    yield quotient("text through an online module", speed["ours"], speed["bare"], "characters/s", "a bare httpx loop", at_least=0.8)
    yield quotient("… beside the openai client", speed["ours"], speed["openai"], "characters/s", "the openai client", at_least=1.0)
    if peer is not None:
        yield quotient("… beside lazyllm", speed["ours"], speed["lazyllm"], "characters/s", "lazyllm", at_least=1.0)
    first = {side: 1000 * statistics.median(t.first for t in sides[side]) for side in ("ours", "bare")}
    yield difference("first piece of an online module", first["ours"], first["bare"], "ms", "a bare httpx loop", at_most=5)


def _lazy(peer: subprocess.Popen[str]) -> Took:
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write(f"{QUESTION}\n")
    peer.stdin.flush()
    for line in peer.stdout:
        if line.startswith("TOOK"):
            _, took, size = line.split()
            return Took(0.0, float(took), int(size))
    raise RuntimeError("lazyllm ended")
