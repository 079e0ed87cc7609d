"""What is too large is refused with words before anything reads it; what says no length is counted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from workbench.runners.body_limit import Bounded

LIMIT = 1 << 20
PIECE = b"x" * (LIMIT // 4)


async def post(pieces: int, *, told: bool) -> tuple[int, bytes, int]:
    """The status, the answer, and how many pieces were taken from the caller."""
    sent, left = list[dict[str, Any]](), pieces

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": PIECE, "more_body": left > 0}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(size).encode()})

    length = (b"Content-Length", b"%d" % (pieces * len(PIECE))) if told else (b"Transfer-Encoding", b"chunked")
    await Bounded(app, LIMIT)({"type": "http", "headers": [length]}, receive, send)
    return sent[0]["status"], b"".join(m["body"] for m in sent[1:]), pieces - left


@pytest.mark.parametrize("told", [True, False])
def test_a_body_within_the_limit_arrives_whole_and_a_larger_one_is_413(told: bool) -> None:
    assert asyncio.run(post(4, told=told)) == (200, str(LIMIT).encode(), 4)
    status, answer, taken = asyncio.run(post(5, told=told))
    assert (status, taken) == (413, 5)  # the caller could send all of it, and reads why
    assert json.loads(answer)["error"] == {
        "message": "The body is larger than 1 MiB.",
        "type": "invalid_request_error",
        "param": None,
        "code": "body_too_large",
    }
