"""A server in OpenAI's form that streams the question's own words again and again, numbered, one chunk each. Prints its port.

Command line: the address to listen at, how many chunks an answer has, and how many seconds it rests after each four of them. Several
streams run at once, a chunk of each in turn.
"""

from __future__ import annotations

import asyncio
import json
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: str) -> bytes:
    """One event as one chunk of the body."""
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


def event(content: str, finish: str | None = None) -> bytes:
    """One piece of the answer."""
    choices = [{"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish}]
    return chunk(json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": choices}))


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int, pause: float) -> None:
    """Answer each request of one connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            words = json.loads(await reader.readexactly(size))["messages"][-1]["content"]
            writer.write(HEAD)
            for i, piece in enumerate([event(f"{words}.{i} ") for i in range(count)]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause if i % 4 == 3 else 0)
            writer.write(event("", "stop") + chunk("[DONE]") + b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(host: str, count: int, pause: float) -> None:
    server = await asyncio.start_server(lambda r, w: serve(r, w, count, pause), host, 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
