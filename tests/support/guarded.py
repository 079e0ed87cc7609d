"""Asks a server for everything it may have, as somebody on the same machine would who has no key. Standard library and psutil only.

The paths are those that the server itself names in its ``/openapi.json``, and those that servers of models usually have.
"""

from __future__ import annotations

import http.client
import json
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from workbench.core.endpoints import Endpoint

USUAL = """
/ /health /healthz /ping /version /metrics /docs /docs/oauth2-redirect /redoc /openapi.json /v1 /v1/models /models /v1/models/x /props /slots
/tokenize /detokenize /server_info /get_server_info /get_model_info /load /reset /invocations /score /rerank /generate /pooling /classify
/v1/completions /v1/chat/completions /v1/embeddings /v1/rerank /v1/responses /v1/audio/transcriptions /v1/audio/speech /v1/images/generations
/v1/load_lora_adapter /sleep /wake_up /collective_rpc /lora-adapters /index.html /api/tags /api/show /v1/realtime /ws
//metrics /v1//models /health/ /health/../metrics /health%2f..%2fmetrics /./metrics /METRICS /health;/metrics
""".split()  # noqa: SIM905 (one a word is read better)
SOCKETS = ("/", "/ws", "/health", "/v1/realtime", "/v1/responses")
LIVENESS = ("/health", "/v1/health")
NOTHING = {404, 405, 501}
"""What a path or method answers to everybody where there is nothing."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    body: bytes


def assert_guarded(endpoint: Endpoint, *, pages: Collection[str] = (), pid: int | None = None) -> list[str]:
    """Check that nobody gets anything without the key, and that the key is not in the log afterwards.

    Parameters
    ----------
    endpoint : Endpoint
        Of a deployment that answers.
    pages : collection of str
        Paths that are the same for every server, and may be open.
    pid : int, optional
        The process that leads the engine's tree: all it listens at has to be this machine's own.

    Returns
    -------
    list of str
        The paths that were asked.
    """
    key = Path(endpoint.key_file).read_text().strip()
    server = _Server(endpoint)
    named = _named(server, key)
    paths = list(dict.fromkeys([*USUAL, *named]))
    assert server.ask("GET", LIVENESS[0]).status == 200
    there = {path for path in paths if server.ask("GET", path, key).status not in NOTHING}
    assert there, "the key opens nothing"
    for path in paths:
        for method, shown, query in _ways(key, also=path in named):
            said = server.ask(method, path, shown, query)
            if path in LIVENESS and said.status == 200:
                _assert_tells_nothing(said, {endpoint.model, key})
            elif path not in pages:
                what = f"{method} {path} {'with a wrong key' if shown else 'without a key'}{' but in the address' if query else ''}: {said}"
                if method == "OPTIONS" and said.status < 300:  # which methods a browser may use, the same at every path
                    assert said.body in (b"", b"OK"), what
                else:
                    assert said.status in (401, 403) or (said.status in NOTHING and path not in (there if method == "GET" else ())), what
                assert key.encode() not in said.body, what
    for path in SOCKETS:
        for shown in ("", "wrong"):
            assert server.upgraded(path, shown) != 101, f"a web socket at {path}"
    _assert_quiet(Path(endpoint.key_file).parent, key)
    if pid is not None:
        _assert_local(pid)
    return paths


def _ways(key: str, also: bool) -> Iterator[tuple[str, str, str]]:
    """Method, what is shown as a key, and what stands behind the path."""
    for method in ("GET", "POST", "HEAD", "OPTIONS", *(("PUT", "DELETE", "PATCH") if also else ())):
        yield method, "", ""
    for method in ("GET", "POST"):
        yield method, key[:-1], ""
    yield "GET", "", f"?api_key={key}&key={key}&token={key}"
    yield "GET", secrets.token_urlsafe(32), ""


def _named(server: _Server, key: str) -> list[str]:
    """The paths that its own description names."""
    said = server.ask("GET", "/openapi.json", key)
    if said.status != 200:
        return []
    return [re.sub(r"\{[^}]*\}", "x", path) for path in json.loads(said.body).get("paths", ())]


def _assert_tells_nothing(said: Said, words: Collection[str]) -> None:
    assert len(said.body) < 100, said
    assert not [w for w in words if len(w) > 1 and w.encode() in said.body], said


def _assert_quiet(folder: Path, key: str) -> None:
    """The key is in no file of the job but its own."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "key":
            assert key.encode() not in path.read_bytes(), path


def _assert_local(pid: int) -> None:
    """Nothing of a process tree listens to other machines."""
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        for one in process.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN:
                assert one.laddr.ip in ("127.0.0.1", "::1"), (process.cmdline(), one.laddr)


class _Server:
    """Raw requests to one address, over one connection as long as it holds."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._host, _, port = urlsplit(endpoint.url).netloc.rpartition(":")
        self._port = int(port)
        self._kept: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, key: str = "", query: str = "") -> Said:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        if body is not None:
            headers["Content-Type"] = "application/json"
        for attempt in (1, 2):
            connection = self._kept or http.client.HTTPConnection(self._host, self._port, timeout=30)
            try:
                connection.request(method, path + query, body, headers)
                answer = connection.getresponse()
                said = Said(answer.status, answer.read())
                self._kept = connection if not answer.will_close else None
                return said
            except (http.client.HTTPException, OSError):
                connection.close()
                self._kept = None
                if attempt == 2:
                    raise
        raise AssertionError

    def upgraded(self, path: str, key: str) -> int:
        """The status of an answer to a web socket's first words."""
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        with closing(http.client.HTTPConnection(self._host, self._port, timeout=30)) as connection:
            connection.request("GET", path, headers={**headers, **({"Authorization": f"Bearer {key}"} if key else {})})
            return connection.getresponse().status
