"""Connections to servers on this machine: used again, given up when nobody wants them, many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from workbench.runtime.network import http_local


class Server:
    """Answers every request with its path; counts connections and their ends."""

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.hang_up = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
                await asyncio.sleep(0.02)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))
                if self.hang_up:
                    break
        except asyncio.IncompleteReadError:
            pass
        self.closed += 1
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, str]]:
    found = Server()
    running = await asyncio.start_server(found.talk, "127.0.0.1", 0, backlog=500)
    yield found, f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    running.close()


async def get(url: str) -> str:
    answer = await http_local.send("GET", urlsplit(url), None, {}, 5.0)
    try:
        return b"".join([chunk async for chunk in answer.chunks]).decode()
    finally:
        await answer.close()


async def test_hundreds_at_once_do_not_mix_and_their_connections_are_used_again(server: tuple[Server, str]) -> None:
    found, url = server
    for _ in range(3):
        paths = [f"/{n}" for n in range(300)]
        assert await asyncio.gather(*(get(url + path) for path in paths)) == paths
    assert found.opened <= 300


async def test_a_connection_that_nobody_wants_is_closed(server: tuple[Server, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_local, "_KEEP_SECONDS", 0.05)
    found, url = server
    await asyncio.gather(*(get(f"{url}/{n}") for n in range(5)))
    end = time.monotonic() + 20
    while found.closed < found.opened and time.monotonic() < end:
        await asyncio.sleep(0.02)
    assert found.closed == found.opened
    left = [place for place in http_local._idle if place[0] is asyncio.get_running_loop()]
    assert left == []  # a deployment that was asked once leaves nothing behind


def test_a_loop_that_has_ended_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        found = Server()
        running = await asyncio.start_server(found.talk, "127.0.0.1", 0)
        assert await get(f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/x") == "/x"

    for _ in range(3):
        asyncio.run(ask())
    assert len([place for place in http_local._idle if place[0].is_closed()]) == 1


async def test_a_connection_that_the_server_has_closed_is_not_used(server: tuple[Server, str]) -> None:
    found, url = server
    found.hang_up = True
    for n in range(3):
        assert await get(f"{url}/{n}") == f"/{n}"
        await asyncio.sleep(0.05)
    assert found.opened == 3


async def test_leaving_before_the_end_closes_the_connection(server: tuple[Server, str]) -> None:
    found, url = server
    answer = await http_local.send("GET", urlsplit(f"{url}/long"), None, {}, 5.0)
    await answer.close()
    assert await get(f"{url}/next") == "/next"
    assert found.opened == 2
