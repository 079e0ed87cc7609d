"""What an application is asked is counted around it, whatever it answers."""

from __future__ import annotations

import asyncio
from typing import Any

from workbench.runners.metrics_app import Counted
from workbench.runners.metrics_readings import Reading, read

STREAM = [(b"content-type", b"text/event-stream; charset=utf-8")]
JSON = [(b"content-type", b"application/json")]


def answer(headers: list[tuple[bytes, bytes]], *bodies: bytes) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for i, body in enumerate(bodies):
            await send({"type": "http.response.body", "body": body, "more_body": i < len(bodies) - 1})

    return app


async def ask(app: Any, method: str = "POST", path: str = "/v1/chat/completions") -> bytes:
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    await app({"type": "http", "method": method, "path": path}, None, send)
    return b"".join(sent)


async def look(app: Any) -> Reading:
    text = (await ask(app, "GET", "/metrics")).decode()
    return read("workbench", lambda path: text, {})


def test_pieces_of_a_stream_and_the_usage_of_an_answer_are_tokens() -> None:
    async def run() -> None:
        streams = Counted(answer(STREAM, b'data: {"a": 1}\n\ndata: {"b": 2}\n\n', b"data: [DONE]\n\n"))
        assert b"[DONE]" in await ask(streams)
        assert await look(streams) == Reading(0, 0, 1, 2)
        whole = Counted(answer(JSON, b'{"usage": {"prompt_tokens": 3, "completion', b'_tokens": 40}}'))
        await ask(whole)
        await ask(whole, "GET", "/v1/models")
        assert await look(whole) == Reading(0, 0, 1, 40)

    asyncio.run(run())


def test_a_request_counts_while_it_runs_and_no_longer_when_it_breaks_off() -> None:
    async def run() -> None:
        going = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await going.wait()
            raise ConnectionResetError

        counted = Counted(app)
        task = asyncio.create_task(ask(counted))
        await asyncio.sleep(0)
        assert (await look(counted)).running == 1
        going.set()
        await asyncio.wait([task])
        assert (await look(counted)).running == 0

    asyncio.run(run())
