"""Serves no model: an OpenAI-compatible chat endpoint that echoes, ``serve_dummy.py SPEC.json``. Standard library only.

It can be told to be slow, to fall silent or to die, which real engines do, but not when a test asks.
"""

from __future__ import annotations

import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import metrics_readings, serving
else:
    import metrics_readings
    import serving

DEFAULTS = {"do_sample": False, "temperature": 0.1}


class Counts:
    """What ``/metrics`` tells."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = self._requests = self._tokens = 0

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1
            self._requests += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1

    def add(self, tokens: int) -> None:
        with self._lock:
            self._tokens += tokens

    def text(self) -> str:
        with self._lock:
            return metrics_readings.exposition(
                requests_running=self._running, requests_waiting=0, requests_total=self._requests, generation_tokens_total=self._tokens
            )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the small writes of a stream would wait 40 ms for the reader's acknowledgement
    spec: dict[str, Any]
    key = ""
    counts = Counts()

    def do_GET(self) -> None:
        if self.path == "/health":
            self._json(200, {"status": "ok"})
        elif not self._allowed():
            return
        elif self.path == "/metrics":
            self._send(200, "text/plain; version=0.0.4", self.counts.text().encode())
        else:
            self._json(200, {"object": "list", "data": [{"id": self.spec["served_name"], "object": "model"}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._allowed():
            return
        if self.path != "/v1/chat/completions":
            self._json(404, {"error": {"message": f"nothing at {self.path}", "type": "not_found_error", "code": 404}})
            return
        try:
            request = json.loads(body)
            answer = self._answer(request)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
            self._json(400, {"error": {"message": f"{type(e).__name__}: {e}", "type": "invalid_request_error", "code": 400}})
            return
        with self.counts:
            if request.get("stream"):
                self._stream(answer)
            else:
                time.sleep(float(self.spec["arguments"].get("first_delay") or 0))
                message = {"role": "assistant", "content": answer}
                self._json(200, self._chunk("chat.completion", message=message, finish_reason="stop") | {"usage": usage(answer)})
                self.counts.add(usage(answer)["completion_tokens"])

    def _answer(self, request: dict[str, Any]) -> str:
        said = request["messages"][-1]["content"]
        if isinstance(said, list):
            said = "".join(p.get("text", "") for p in said)
        known = {"messages", "model", "stream", "stream_options", "tools"}
        parameters = {**DEFAULTS, **{k: v for k, v in request.items() if k not in known}}
        text = self.spec["arguments"].get("text")
        return str(text) if text is not None else f"reply for {said}, and parameters is {parameters}"

    def _stream(self, answer: str) -> None:
        how = self.spec["arguments"]
        size = max(1, int(how.get("piece") or 4))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        time.sleep(float(how.get("first_delay") or 0))
        for n, start in enumerate(range(0, len(answer), size)):
            if n == how.get("die_after"):
                print("The dummy dies, as it was told to.", flush=True)
                os._exit(3)
            if n == how.get("stall_after"):
                time.sleep(3600)
            if n:
                time.sleep(float(how.get("delay") or 0))
            self._event(self._chunk("chat.completion.chunk", delta={"content": answer[start : start + size]}, finish_reason=None))
            self.counts.add(1)
        self._event(self._chunk("chat.completion.chunk", delta={}, finish_reason="stop"))
        self._event({"id": "dummy", "choices": [], "usage": usage(answer)})
        self._write(b"data: [DONE]\n\n")
        self._write(b"")

    def _chunk(self, kind: str, **choice: Any) -> dict[str, Any]:
        return {"id": "dummy", "object": kind, "model": self.spec["served_name"], "choices": [{"index": 0, **choice}]}

    def _event(self, data: dict[str, Any]) -> None:
        self._write(b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n")

    def _write(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _allowed(self) -> bool:
        if hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {self.key}".encode()):
            return True
        self._json(401, {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}})
        return False

    def _json(self, status: int, value: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(value, ensure_ascii=False).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        if self.path not in ("/metrics", "/health"):
            print((format % args).replace(self.key, "…"), flush=True)  # some write it into the address


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        print(f"A caller went away: {sys.exc_info()[1]!r}", flush=True)


def usage(answer: str) -> dict[str, int]:
    tokens = len(answer.split())
    return {"prompt_tokens": 0, "completion_tokens": tokens, "total_tokens": tokens}


def main() -> None:
    with open(sys.argv[1]) as f:
        Handler.spec = json.load(f)
    serving.begin()
    Handler.key = serving.key()
    if not Handler.key:
        serving.fail("There is no key to guard the server with.")
    how = Handler.spec["arguments"]
    if how.get("load_delay") or how.get("die_loading"):
        serving.report("progress", phase="load", text="Loading nothing")
        time.sleep(float(how.get("load_delay") or 0))
    if how.get("die_loading"):
        print("The dummy dies while it loads, as it was told to.", flush=True)
        os._exit(4)
    server = Server(("127.0.0.1", serving.port(int(Handler.spec.get("port") or 0))), Handler)
    serving.in_background(server.serve_forever)
    url = f"http://127.0.0.1:{server.server_port}/v1"
    serving.report("ready", url=url, model=Handler.spec["served_name"])
    serving.watch(url, Handler.key, "workbench", float(Handler.spec.get("ttl") or 0))
    serving.wait_for_end()


if __name__ == "__main__":
    main()
