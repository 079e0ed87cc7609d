"""A server of embeddings in OpenAI's form: 1024 numbers for every text, prepared beforehand. Prints its port."""

from __future__ import annotations

import asyncio
import base64
import json
from array import array
from functools import lru_cache

NUMBERS = array("f", [((i * 7919) % 1000) / 1000 for i in range(1024)])


@lru_cache(maxsize=8)
def answer(count: int, packed: bool) -> bytes:
    """The whole response for so many texts."""
    vector = base64.b64encode(NUMBERS.tobytes()).decode() if packed else NUMBERS.tolist()
    rows = [{"object": "embedding", "index": i, "embedding": vector} for i in range(count)]
    body = json.dumps({"object": "list", "data": rows, "model": "m", "usage": {"prompt_tokens": count, "total_tokens": count}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Server(asyncio.Protocol):
    """Answers each request when it is whole."""

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
            asked = json.loads(body[:size])
            count = len(asked["input"]) if isinstance(asked["input"], list) else 1
            self.transport.write(answer(count, asked.get("encoding_format") == "base64"))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
