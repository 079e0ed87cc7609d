"""What the client does when a server misbehaves. The servers are scripted sockets, because a real one does not when asked."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from workbench.core.endpoints import Endpoint, Timeouts
from workbench.core.messages import ChatRequest, as_messages
from workbench.errors import BadRequest, EndpointDown, EndpointTimeout, RateLimited, StreamBroken
from workbench.runtime import loop
from workbench.runtime.answering.client import open_stream
from workbench.runtime.answering.stream import Stream
from workbench.runtime.network import http

Script = Callable[[socket.socket], None]
ASK = ChatRequest(as_messages("Hi"))


class Server:
    """Runs one script per connection, the last one again and again; counts requests."""

    def __init__(self, host: str, *scripts: Script) -> None:
        self.scripts, self.requests, self.connections = list(scripts), list[bytes](), 0
        self.socket = socket.create_server((host, 0))
        threading.Thread(target=self._accept, daemon=True).start()
        self.endpoint = Endpoint(f"http://{host}:{self.socket.getsockname()[1]}/v1", "m")

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, script), daemon=True).start()

    def _serve(self, connection: socket.socket, script: Script) -> None:
        with closing(connection):
            self.requests.append(read_request(connection))
            script(connection)


@pytest.fixture(params=["127.0.0.1", "127.0.0.2"], ids=["httpcore", "httpx"])
def serve(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    """Starts servers at an address that is taken for this machine's, and at one that is taken for any other's."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.2")
    servers: list[Server] = []

    def start(*scripts: Script) -> Server:
        servers.append(Server(request.param, *scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.socket.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def text(content: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def good(connection: socket.socket) -> None:
    connection.sendall(HEAD + chunk(text("fine", "stop")) + chunk(b"data: [DONE]\n\n") + chunk(b""))


def plain(status: str, body: bytes, *headers: str) -> Script:
    lines = [f"HTTP/1.1 {status}", "Connection: close", f"Content-Length: {len(body)}", *headers, "", ""]
    return lambda connection: connection.sendall("\r\n".join(lines).encode() + body)


def hang(connection: socket.socket) -> None:
    time.sleep(30)


def stream(server: Server, timeouts: Timeouts | None = None) -> Stream:
    return open_stream(server.endpoint, ASK, timeouts=timeouts)


def test_a_server_that_never_answers_is_left_in_time(serve: Callable[..., Server]) -> None:
    with pytest.raises(EndpointTimeout, match="first_byte"):
        stream(serve(hang), Timeouts(first_byte=0.2)).join()


def test_a_server_that_falls_silent_is_left_in_time_and_what_came_is_kept(serve: Callable[..., Server]) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(HEAD + chunk(text("so far")))
        hang(connection)

    with pytest.raises(EndpointTimeout, match="silent") as caught:
        stream(serve(script), Timeouts(gap=0.2)).join()
    assert caught.value.partial == "so far"


def test_nobody_at_the_address_is_said_after_a_few_tries(serve: Callable[..., Server]) -> None:
    server = serve(good)
    server.socket.shutdown(socket.SHUT_RDWR)
    server.socket.close()
    with pytest.raises(EndpointDown, match="Nobody answers"):
        stream(server).join()


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"", id="between_chunks"),
        pytest.param(b"40\r\ndata: {", id="inside_a_chunk"),
    ],
)
def test_a_cut_answer_is_broken_and_not_asked_for_again(serve: Callable[..., Server], tail: bytes) -> None:
    server = serve(lambda connection: connection.sendall(HEAD + chunk(text("half")) + tail))
    got: list[str] = []

    def read() -> None:
        got.extend(stream(server))

    with pytest.raises(StreamBroken) as caught:
        read()
    assert got == ["half"]
    assert caught.value.partial == "half"
    assert len(server.requests) == 1


def test_an_answer_that_ends_with_its_connection_and_without_any_mark_is_broken(serve: Callable[..., Server]) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    with pytest.raises(StreamBroken):
        stream(serve(lambda connection: connection.sendall(head + text("half")))).join()
    assert stream(serve(lambda connection: connection.sendall(head + text("all", "stop")))).join().text == "all"


def test_a_connection_closed_before_any_answer_is_tried_again(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection: None, good)
    assert stream(server).join().text == "fine"
    with pytest.raises(EndpointDown, match="closed the connection"):
        stream(serve(lambda connection: None)).join()


def test_a_server_that_dies_of_a_request_is_told_by_how_its_connection_ended(serve: Callable[..., Server]) -> None:
    def die(connection: socket.socket) -> None:
        server.socket.shutdown(socket.SHUT_RDWR)
        server.socket.close()

    server = serve(die)
    with pytest.raises(EndpointDown, match="closed the connection without an answer") as told:
        stream(server).join()
    assert "onnect call failed" not in told.value.cause
    assert len(server.requests) == 1


def test_too_many_requests_wait_as_long_as_the_server_says(serve: Callable[..., Server]) -> None:
    server = serve(plain("429 Too Many Requests", b'{"error": {"message": "slow down"}}', "Retry-After: 0.05"), good)
    assert stream(server).join().text == "fine"
    patient = serve(plain("429 Too Many Requests", b"{}", "Retry-After: 3600"))
    with pytest.raises(RateLimited) as caught:
        stream(patient).join()
    assert caught.value.retry_after == 3600
    assert len(patient.requests) == 1


def test_a_server_that_still_loads_is_asked_again(serve: Callable[..., Server]) -> None:
    loading = plain("503 Service Unavailable", b'{"error": {"message": "Loading model"}}', "Retry-After: 0.01")
    server = serve(loading, loading, good)
    assert stream(server).join().text == "fine"


def test_a_refusal_is_not_repeated(serve: Callable[..., Server]) -> None:
    server = serve(plain("400 Bad Request", b'{"error": {"message": "no such field"}}', "X-Request-Id: r7"))
    with pytest.raises(BadRequest, match="no such field") as caught:
        stream(server).join()
    assert caught.value.request_id == "r7"
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed_with_the_key(serve: Callable[..., Server]) -> None:
    elsewhere = serve(good)
    server = serve(plain("307 Temporary Redirect", b"", f"Location: {elsewhere.endpoint.url}/chat/completions"))
    with pytest.raises(Exception, match="307"):
        stream(server).join()
    assert elsewhere.requests == []


def test_an_error_in_the_middle_breaks_the_stream_with_its_words(serve: Callable[..., Server]) -> None:
    error = b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'
    with pytest.raises(StreamBroken, match="out of memory") as caught:
        stream(serve(lambda c: c.sendall(HEAD + chunk(text("some")) + chunk(error) + chunk(b"")))).join()
    assert caught.value.partial == "some"


def test_an_answer_that_is_no_http_is_told(serve: Callable[..., Server]) -> None:
    with pytest.raises(EndpointDown):
        stream(serve(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"))).join()
    with pytest.raises(BadRequest):
        open_stream(Endpoint("ftp://127.0.0.1/v1"), ASK).join()


def test_a_key_echoed_by_the_server_is_masked(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOED", "plainwordkey")
    server = serve(plain("400 Bad Request", b'{"error": {"message": "you sent plainwordkey"}}'))
    endpoint = Endpoint(server.endpoint.url, "m", key_env="ECHOED")
    with pytest.raises(BadRequest) as caught:
        open_stream(endpoint, ASK).join()
    assert "plainwordkey" not in str(caught.value)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "plainwordkey" not in "".join(line for line in shown.format() if "test_client_faults" not in line)
    assert b"Bearer plainwordkey" in server.requests[0]


def test_the_next_request_uses_the_same_connection(serve: Callable[..., Server]) -> None:
    def twice(connection: socket.socket) -> None:
        good(connection)
        server.requests.append(read_request(connection))
        good(connection)

    server = serve(twice)
    for _ in range(2):
        assert stream(server).join().text == "fine"
        loop.run(asyncio.sleep(0.1))  # an answer is there a moment before its connection is free again
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_server_that_keeps_the_connection_open_after_the_end_holds_nobody_up(serve: Callable[..., Server]) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(HEAD + chunk(text("fine", "stop")) + chunk(b"data: [DONE]\n\n"))
        hang(connection)

    assert stream(serve(script), Timeouts(gap=10)).join().text == "fine"


def test_proxies_of_the_environment_are_not_asked_for_this_machine(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(plain("502 Bad Gateway", b""))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.endpoint.url.removesuffix("/v1"))
    monkeypatch.delenv("NO_PROXY")
    here = serve(good)
    if "127.0.0.1" in here.endpoint.url:
        assert stream(here).join().text == "fine"
        assert proxy.connections == 0
    else:
        with pytest.raises(EndpointDown, match="502"):
            stream(here).join()
        assert proxy.connections > 0


def test_a_model_without_a_count_has_an_estimated_one(serve: Callable[..., Server]) -> None:
    usage = stream(serve(good)).join().usage
    assert usage.estimated
    assert usage.completion_tokens > 0
    assert usage.prompt_tokens > 0


def test_reasoning_in_the_text_is_kept_apart(serve: Callable[..., Server]) -> None:
    def script(connection: socket.socket) -> None:
        parts = [text(t) for t in ("<th", "ink>\nlet me", " see</thi", "nk>\n\nIt is", " <think> 4")]
        connection.sendall(HEAD + b"".join(map(chunk, [*parts, text("", "stop"), b"data: [DONE]\n\n", b""])))

    whole = stream(serve(script))
    tags = [(str(p), p.tag) for p in whole]
    assert whole.text == "It is <think> 4"
    assert whole.reasoning == "let me see"
    assert {tag for _, tag in tags} == {"think", "text"}


def test_tool_calls_are_put_together(serve: Callable[..., Server]) -> None:
    def call(**fields: object) -> bytes:
        choice = {"index": 0, "delta": {"tool_calls": [{"index": 0, **fields}]}, "finish_reason": None}
        return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"

    def script(connection: socket.socket) -> None:
        parts = [call(id="a", function={"name": "add", "arguments": ""}), call(function={"arguments": '{"x"'}), call(function={"arguments": ": 1}"})]
        connection.sendall(HEAD + b"".join(map(chunk, [*parts, text("", "tool_calls"), b"data: [DONE]\n\n", b""])))

    opened = stream(serve(script))
    assert {p.tag for p in opened} == {"tool"}
    (made,) = opened.completion.tool_calls
    assert (made.id, made.name, made.arguments) == ("a", "add", '{"x": 1}')
    assert opened.finish_reason == "tool_calls"
    assert opened.text == ""


def test_a_deployment_that_nobody_here_knows_is_asked_once_and_not_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, send = [], http.send
    monkeypatch.setattr(http, "send", lambda *args, **options: (sent.append(args), send(*args, **options))[1])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", "m", job_id="nowhere1")
    with pytest.raises(EndpointDown, match="Nobody answers"):
        open_stream(endpoint, ChatRequest(as_messages("hi"))).join()
    assert len(sent) == 1
