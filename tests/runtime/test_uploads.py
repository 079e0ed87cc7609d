"""Large bodies: told while they are sent, in one piece at the other end, and not taken for a silent server."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from workbench.core.endpoints import Endpoint, Network, Timeouts
from workbench.core.protocols import FormPart, HttpRequest
from workbench.errors import EndpointTimeout
from workbench.runtime.network import calls

from ..support.scripted_http import scripted

BODY = bytes(range(256)) * 4096 * 3


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1"])  # the second goes the way of every other host
def test_a_large_file_is_told_while_it_is_sent_and_arrives_whole(host: str) -> None:
    told: list[tuple[int, int]] = []
    with scripted({"id": "file-1"}) as server:
        url = server.url.replace("127.0.0.1", host)
        request = HttpRequest("POST", "/files", files=(FormPart("purpose", "fine-tune"), FormPart("file", BODY, "rows.jsonl")))
        reply = calls.call(Endpoint(url, "", network=Network(proxy="none")), "plain", request, sending=lambda sent, size: told.append((sent, size)))
        assert reply.json() == {"id": "file-1"}
        assert server.last.form["file"] == [("rows.jsonl", BODY)]
        assert "transfer-encoding" not in server.last.headers
    size = told[-1][1]
    assert size > len(BODY)
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)
    assert told[0] == (0, size)
    assert told[-1] == (size, size)
    assert len(told) > 10


def test_a_slow_line_is_no_silent_server_and_a_stopped_one_is() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    stall = threading.Event()

    def serve() -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                got = b""
                while b"\r\n\r\n" not in got:
                    got += connection.recv(65536)
                head, _, rest = got.partition(b"\r\n\r\n")
                left = int(next(x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length")).split(b":")[1]) - len(rest)
                while left > 0 and not stall.is_set():
                    left -= len(connection.recv(65536))
                    time.sleep(0.01)
                if stall.is_set():
                    stall.clear()
                    time.sleep(2)
                    continue
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    threading.Thread(target=serve, daemon=True).start()
    endpoint = Endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}", "", network=Network(max_retries=0))
    request = HttpRequest("POST", "/files", content=BODY * 8)
    assert calls.call(endpoint, "plain", request, Timeouts(first_byte=2.5)).json() == {}
    stall.set()
    with pytest.raises(EndpointTimeout):
        calls.call(endpoint, "plain", request, Timeouts(first_byte=1.0))
    listening.close()
