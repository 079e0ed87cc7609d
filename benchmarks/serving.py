"""`ServerModule`: its start and a call of it, against a bare FastAPI function called with httpx, and against lazyllm's.

``BENCHMARK_LAZYLLM_PYTHON`` names the interpreter of an environment that has lazyllm; without it that comparison is left out.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx

import workbench as wb

from .ratio import Ratio, limit, medians, quotient

ROUNDS = 9
STARTS = 5
CALLS = 100
PIECES = 2000
PEERS = Path(__file__).with_name("served_peers.py")


def double(value: int) -> int:
    return value * 2


def milliseconds_of_start() -> float:
    """From the function to its first answer."""
    begin = time.perf_counter()
    server = wb.ServerModule(lambda value: value * 2, name=f"benchmark-{begin}").start()
    assert server(1) == 2
    passed = time.perf_counter() - begin
    server.stop()
    return 1000 * passed


def milliseconds_of_call(server: wb.ServerModule) -> float:
    begin = time.perf_counter()
    for i in range(CALLS):
        assert server(i) == 2 * i
    return 1000 * (time.perf_counter() - begin) / CALLS


def bare_call(client: httpx.Client, url: str) -> float:
    begin = time.perf_counter()
    for i in range(CALLS):
        assert client.post(url, json={"args": [i]}).json() == 2 * i
    return 1000 * (time.perf_counter() - begin) / CALLS


def pieces_per_second(server: wb.ServerModule) -> float:
    begin = time.perf_counter()
    assert sum(1 for _ in server.stream(PIECES)) == PIECES
    return PIECES / (time.perf_counter() - begin)


class Peer:
    """lazyllm in its own environment."""

    def __init__(self, python: str, home: str) -> None:
        self._process = subprocess.Popen(
            [python, str(PEERS), "lazyllm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=home,
            env={**os.environ, "HOME": home},
        )

    def milliseconds(self, what: str) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(what, file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith("ms "):
                return float(line.split()[1])
        raise RuntimeError("lazyllm has ended")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def fastapi(stack: ExitStack) -> str:
    """The address of a bare FastAPI function."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(PEERS), "fastapi", str(port)])
    stack.callback(process.wait)
    stack.callback(process.terminate)
    url = f"http://127.0.0.1:{port}/generate"
    while True:
        try:
            httpx.post(url, json={"args": [1]}, trust_env=False)
            return url
        except httpx.ConnectError:
            time.sleep(0.02)


def measure() -> Iterator[Ratio]:
    peer = os.environ.get("BENCHMARK_LAZYLLM_PYTHON")
    with ExitStack() as stack:
        client = stack.enter_context(httpx.Client(trust_env=False))
        url = fastapi(stack)
        server = wb.ServerModule(double).start()
        stack.callback(server.stop)
        milliseconds_of_call(server)
        bare_call(client, url)
        ours, bare = medians(ROUNDS, lambda: milliseconds_of_call(server), lambda: bare_call(client, url))
        yield quotient("a call of a ServerModule", ours, bare, "ms", "bare FastAPI and httpx", at_most=1.5)
        yield limit("a call of a ServerModule", ours, "ms", at_most=3)

        def count(n: int) -> Iterator[str]:
            for i in range(n):
                yield f"{i} "

        streaming = wb.ServerModule(count, name="count").start()
        stack.callback(streaming.stop)
        (speed,) = medians(ROUNDS, lambda: pieces_per_second(streaming))
        yield limit("pieces through a ServerModule", speed, "pieces/s", at_least=5000)
        if peer:
            other = Peer(peer, stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-lazyllm-")))
            stack.callback(other.close)
            milliseconds_of_start()
            other.milliseconds("start")
            ours, theirs = medians(STARTS, milliseconds_of_start, lambda: other.milliseconds("start"))
            yield quotient("start of a ServerModule, to its first answer", ours, theirs, "ms", "lazyllm's ServerModule", at_most=1)
            calls, theirs = medians(ROUNDS, lambda: milliseconds_of_call(server), lambda: other.milliseconds("call"))
            yield quotient("a call of a ServerModule", calls, theirs, "ms", "lazyllm's ServerModule", at_most=1)
        else:
            (ours,) = medians(STARTS, milliseconds_of_start)
        yield limit("start of a ServerModule, to its first answer", ours, "ms", at_most=2000)
