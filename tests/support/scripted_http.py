"""An HTTP server that answers as a test says and remembers what it was asked: a stand-in for vendors, on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, list[tuple[str, bytes]]]:
        """The fields of a multipart form: (file name, content) under each name."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        fields: dict[str, list[tuple[str, bytes]]] = {}
        for part in message_from_bytes(head + self.body).get_payload():
            name = str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr]
            fields.setdefault(name, []).append((part.get_filename() or "", part.get_payload(decode=True)))  # type: ignore[union-attr,arg-type]
        return fields


@dataclass
class Reply:
    """One answer. A list as the body is sent in pieces; ``json`` is anything."""

    json: Any = None
    body: bytes | list[bytes] = b""
    status: int = 200
    mime: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Scripted:
    """The running server: its address and what it was asked."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.asked: list[Asked] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                scripted.asked.append(asked)
                reply = answer(asked)
                content = reply.body or json.dumps(reply.json).encode()
                pieces = content if isinstance(content, list) else None
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.mime)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if pieces is None:
                    self.send_header("Content-Length", str(len(content)))
                else:
                    self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                if pieces is None:
                    self.wfile.write(content)  # type: ignore[arg-type]
                    return
                for piece in pieces:
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

            do_GET = do_POST = _any

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.host}/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def scripted(answer: Callable[[Asked], Reply] | Any) -> Iterator[Scripted]:
    """A server that answers with a function of the request, or always with this JSON."""
    server = Scripted(answer if callable(answer) else lambda asked: Reply(answer))
    try:
        yield server
    finally:
        server.close()
