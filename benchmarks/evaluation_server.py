"""A server in OpenAI's form that says the words of its command line to every question, streamed where that is asked for, as fast as
Python can. Prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def answer(words: list[str]) -> bytes:
    """The whole response: one chunk a word, then the usage."""
    pieces = [w if i == 0 else f" {w}" for i, w in enumerate(words)]
    choices: list[list[dict[str, object]]] = [[{"index": 0, "delta": {"content": p}, "finish_reason": None}] for p in pieces]
    choices.append([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    events: list[dict[str, object]] = [{"id": "1", "object": "chat.completion.chunk", "model": "m", "choices": c} for c in choices]
    events.append({"id": "1", "object": "chat.completion.chunk", "model": "m", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 6}})
    data = [f"data: {json.dumps(e)}\n\n".encode() for e in events] + [b"data: [DONE]\n\n"]
    return HEAD + b"".join(b"%x\r\n%s\r\n" % (len(d), d) for d in data) + b"0\r\n\r\n"


def at_once(text: str) -> bytes:
    """The whole response to who does not want it streamed."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15}
    body = json.dumps({"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Server(asyncio.Protocol):
    """Answers each request when it is whole."""

    streamed = whole = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        if len(body) >= size:
            self.received = body[size:]
            self.transport.write(self.streamed if json.loads(body[:size]).get("stream") else self.whole)


async def main(words: list[str]) -> None:
    Server.streamed, Server.whole = answer(words), at_once(" ".join(words))
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
