"""What our own model servers share, in a real process with a toy for a model: key, refusals, forms, the queue, callers that go, the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from workbench import deploy
from workbench.runners import serving_guard

RUNNERS = Path(deploy.__file__).parents[1] / "runners"
SERVER = """
import sys, time
from serving_app import Answer, App, Pieces, Worker, Refusal, Dropped, main

def load(spec):
    runs, dropped = [], []
    def run(kind, units, gone):
        runs.append([kind, list(units)])
        if any(u == "bad" for u in units):
            raise Refusal("'bad' is bad.", param="input")
        if any(u == "broken" for u in units):
            raise ValueError("the model broke")
        for _ in range(500 if "slow" in units else 0):
            if gone():
                dropped.append(1)
                raise Dropped
            time.sleep(0.01)
        worker.counts["items_total"] = worker.counts.get("items_total", 0) + len(units)
        time.sleep(spec.get("each", 0))
        return [u.upper() for u in units]

    worker = Worker(run, spec.get("most", 1), spec.get("waiting", 1000))

    async def upper(call):
        fields = await call.fields()
        fields.only("input", "n", "kind", "model", "file")
        fields.integer("n", 1, 1, 4)
        units = fields.values.get("input", [])
        return {"made": await call.all(fields.text("kind", "a"), [units] if isinstance(units, str) else units)}

    async def spoken(call):
        units = (await call.fields()).text("input").split()
        async def pieces():
            async for word in call.each("a", units):
                yield word.encode()
        return Pieces(pieces(), "text/plain")

    async def look(call):
        return {"runs": runs, "dropped": len(dropped)}

    async def form(call):
        fields = await call.fields()
        return {"values": fields.values, "files": [[f.field, f.name, f.mime, f.data.hex()] for f in fields.uploads("image")]}

    async def raw(call):
        return Answer(b"\\x00\\x01", "audio/pcm", {"X-Rate": "16000"})

    paths = {"/v1/upper": upper, "/v1/spoken": spoken, "/look": look, "/v1/form": form, "/v1/raw": raw}
    return App("toy", worker, paths, options={"engine": "toy"}, limit=1 << 20)

main(load)
"""


class Toy:
    """A started server."""

    def __init__(self, folder: Path, **spec: Any) -> None:
        (folder / "server.py").write_text(f"import sys; sys.path.insert(0, {str(RUNNERS)!r})\nsys.path.insert(0, '')\n{SERVER}")
        (folder / "spec.json").write_text(json.dumps({"port": 0, **spec}))
        (folder / "key").write_text("secret\n")
        self.events = folder / "events.jsonl"
        env = {**os.environ, "WORKBENCH_EVENTS": str(self.events), "WORKBENCH_KEY_FILE": str(folder / "key")}
        self.process = subprocess.Popen([sys.executable, str(folder / "server.py"), str(folder / "spec.json")], env=env)
        ready = self.event("ready")
        self.endpoint = ready
        self.http = httpx.Client(base_url=ready["url"].removesuffix("/v1"), headers={"Authorization": "Bearer secret"}, timeout=30)

    def event(self, name: str) -> dict[str, Any]:
        for _ in range(3000):
            if self.events.exists():
                for line in self.events.read_text().splitlines():
                    with contextlib.suppress(ValueError):
                        found: dict[str, Any] = json.loads(line)
                        if found["event"] == name:
                            return found
            assert self.process.poll() is None or name == "exit"
            time.sleep(0.01)
        raise AssertionError(f"no {name}")

    def upper(self, *units: str, **more: Any) -> httpx.Response:
        return self.http.post("/v1/upper", json={"input": units, **more})

    def metrics(self) -> dict[str, float]:
        lines = self.http.get("/metrics").text.splitlines()
        return {name.removeprefix("workbench:"): float(value) for name, value in (line.split() for line in lines if line[0] != "#")}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    toys: list[Toy] = []

    def start(**spec: Any) -> Toy:
        folder = tmp_path / str(len(toys))
        folder.mkdir()
        toys.append(Toy(folder, **spec))
        return toys[-1]

    yield start
    for toy in toys:
        toy.process.kill()
        toy.process.wait()
        toy.http.close()


def test_the_key_is_asked_for_everywhere_but_at_health(started: Any) -> None:
    toy = started()
    assert toy.endpoint["model"] == "toy"
    assert toy.endpoint["options"] == {"engine": "toy"}
    for key in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}):
        with httpx.Client(base_url=toy.http.base_url, headers=key) as bare:
            assert bare.get("/health").json() == {"status": "ok"}
            assert {bare.get(p).status_code for p in ("/v1/models", "/metrics", "/docs")} == {401}
            assert bare.post("/v1/upper", json={}).json()["error"]["code"] == "invalid_api_key"
    assert toy.http.get("/v1/models").json()["data"] == [toy.http.get("/v1/models/toy").json()]
    assert toy.http.get("/v1/models/toy").json()["id"] == "toy"
    assert toy.http.get("/v1/models/other").json()["error"]["message"] == "There is nothing at /v1/models/other."


def test_a_page_in_a_browser_may_ask_with_the_key(started: Any) -> None:
    toy, page = started(), {"Origin": "http://localhost:3000"}
    asked = {**page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    with httpx.Client(base_url=toy.http.base_url) as bare:
        before = bare.options("/v1/upper", headers=asked)
        assert before.status_code == 204
        assert before.headers["access-control-allow-origin"] == "*"
        assert before.headers["access-control-allow-methods"] == "POST"
        assert before.headers["access-control-allow-headers"] == "authorization,content-type"
        assert bare.options("/v1/upper").status_code == 401
        refused = bare.post("/v1/upper", json={}, headers=page)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
    assert toy.http.get("/v1/models", headers=page).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in toy.http.get("/v1/models").headers


def test_web_sockets_show_the_key_as_well_and_one_in_the_address_is_neither_taken_nor_left_for_the_log() -> None:
    def ask(kind: str, path: str = "/ws", query: bytes = b"", shown: bytes = b"", method: str = "GET") -> tuple[list[Any], dict[str, Any]]:
        said: list[Any] = []
        scope: dict[str, Any] = {"type": kind, "method": method, "path": path, "raw_path": path.encode(), "query_string": query}
        scope["headers"] = [(b"authorization", shown)] if shown else []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            said.append("in")

        async def send(message: Any) -> None:
            said.append(message.get("status") or message.get("code"))

        asyncio.run(serving_guard.Guard(app, "secret")(scope, None, send))
        return said, scope

    assert ask("websocket")[0] == [1008]
    assert ask("websocket", shown=b"Bearer secret")[0] == ["in"]
    assert ask("http", "/health")[0] == ["in"]
    assert ask("http", "/health", method="POST")[0][0] == 401
    said, scope = ask("http", "/v1/secret", b"api_key=secret&a=1")
    assert said[0] == 401
    assert "secret" not in str(scope)


def test_refusals_name_the_field_and_have_openais_form(started: Any) -> None:
    toy = started()
    assert toy.upper("a", "b").json() == {"made": ["A", "B"]}
    assert toy.upper().json() == {"made": []}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"inputs": ["a"]}, "There is no field 'inputs'. Did you mean 'input'?"),
        ({"n": 5}, "'n' is 5; it has to be from 1 to 4."),
        ({"n": 1.5}, "'n' has to be a whole number, not 1.5."),
        ({"n": True}, "'n' has to be a number, not True."),
        ({"kind": 3}, "'kind' has to be a text, not a number."),
        ({"input": ["bad"]}, "'bad' is bad."),
    ]
    for body, said in cases:
        answer = toy.http.post("/v1/upper", json=body)
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, said)
        assert answer.json()["error"]["type"] == "invalid_request_error"
    for content in (b"", b"{", b"[1]", b"\xff", b"[" * 100000):
        assert toy.http.post("/v1/upper", content=content).status_code == 400
    broken = toy.upper("broken")
    assert (broken.status_code, broken.json()["error"]["message"]) == (500, "ValueError: the model broke")
    assert toy.upper("a").status_code == 200
    assert toy.http.get("/v1/nothing").json()["error"]["message"] == "There is nothing at /v1/nothing."
    assert toy.http.get("/v1/upper").status_code == 405
    raw = toy.http.post("/v1/raw")
    assert (raw.content, raw.headers["content-type"], raw.headers["x-rate"]) == (b"\x00\x01", "audio/pcm", "16000")


def test_a_form_is_read_whole_and_a_body_that_is_too_large_is_refused_with_the_limit(started: Any) -> None:
    toy = started()
    data = bytes(range(256))
    files = [("image[]", ("a.png", data, "image/png")), ("image[]", ("b.png", b"\r\n--x\r\n", "image/png"))]
    assert toy.http.post("/v1/form", data={"prompt": "ein Käse", "n": "2"}, files=files).json() == {
        "values": {"prompt": "ein Käse", "n": "2"},
        "files": [["image[]", "a.png", "image/png", data.hex()], ["image[]", "b.png", "image/png", b"\r\n--x\r\n".hex()]],
    }
    assert toy.http.post("/v1/form", data={"prompt": "a"}).json()["values"] == {"prompt": "a"}
    for answer in (
        toy.upper("a" * (3 << 20)),
        toy.http.post("/v1/form", files={"image": b"a" * (3 << 20)}),
        toy.http.post("/v1/form", content=iter([b"a" * (1 << 20)] * 3)),
    ):
        assert (answer.status_code, answer.json()["error"]["message"]) == (413, "The body is larger than 1 MiB.")
    assert toy.http.post("/v1/form", content=b"nonsense", headers={"Content-Type": "multipart/form-data; boundary=x"}).status_code == 400
    assert toy.upper("a").status_code == 200


def test_a_call_of_many_units_does_not_keep_a_small_one_waiting(started: Any) -> None:
    toy = started(each=0.02)
    with ThreadPoolExecutor(2) as pool:
        many = pool.submit(toy.upper, *[f"m{i}" for i in range(50)])
        while not toy.metrics()["requests_running"]:
            time.sleep(0.01)
        toy.upper("one")
        assert not many.done()
        assert many.result().json()["made"] == [f"M{i}" for i in range(50)]
    order = [units for _, units in toy.http.post("/look").json()["runs"]]
    assert order.index(["one"]) < len(order) - 1


def test_units_of_several_calls_are_worked_on_together_and_one_cannot_spoil_the_others(started: Any) -> None:
    toy = started(most=8, each=0.1)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(toy.upper, "first")
        while not toy.metrics()["requests_running"]:
            time.sleep(0.005)
        answers = list(pool.map(lambda word: toy.upper(word), ["a", "b", "bad", "c", "d"]))
        first.result()
    assert [a.status_code for a in answers] == [200, 200, 400, 200, 200]
    assert answers[3].json() == {"made": ["C"]}
    runs = toy.http.post("/look").json()["runs"]
    assert max(len(units) for _, units in runs) > 1
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda kind: toy.upper(*"xy", kind=kind), ["k", "l"]))
    assert all(len(set(units)) == 2 for kind, units in toy.http.post("/look").json()["runs"] if kind in "kl" and len(units) == 2)
    counted = toy.metrics()
    assert counted["requests_total"] == 8
    assert counted["items_total"] == 9
    assert counted["requests_running"] == counted["requests_waiting"] == 0


def test_work_is_dropped_when_its_caller_has_gone(started: Any) -> None:
    toy = started()
    with pytest.raises(httpx.ReadTimeout):
        toy.http.post("/v1/upper", json={"input": ["slow", "never"]}, timeout=0.3)
    with pytest.raises(httpx.ReadTimeout):
        toy.http.post("/v1/spoken", json={"input": "slow never"}, timeout=0.3)
    assert toy.upper("a").status_code == 200
    look = toy.http.post("/look").json()
    assert look["dropped"] == 2
    assert "never" not in [u for _, units in look["runs"] for u in units]


def test_a_streamed_answer_comes_in_pieces_and_leaving_it_ends_the_work(started: Any) -> None:
    toy = started()
    with toy.http.stream("POST", "/v1/spoken", json={"input": "one two slow never"}) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"ONE"
    assert toy.upper("a").status_code == 200
    look = toy.http.post("/look").json()
    assert "never" not in [u for _, units in look["runs"] for u in units]
    assert toy.http.post("/v1/spoken", json={"input": "bad word"}).status_code == 400
    assert toy.http.post("/v1/spoken", json={"input": "all good"}).text == "ALLGOOD"


def test_too_many_callers_are_told_to_come_again(started: Any) -> None:
    toy = started(waiting=2, each=0.3)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda i: toy.upper(f"{i}"), range(12)))
    assert {a.status_code for a in answers} == {200, 503}
    refused = next(a for a in answers if a.status_code == 503)
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["code"] == "queue_full"


def test_a_port_that_is_taken_is_told_and_a_stop_lets_short_work_end(started: Any) -> None:
    first = started(each=0.3)
    taken = int(first.endpoint["url"].split(":")[2].split("/")[0])
    second = started(port=taken, each=0.3)
    assert "another one is taken" in second.event("notice")["text"]
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(second.upper, "a")
        while not second.metrics()["requests_running"]:
            time.sleep(0.01)
        second.process.send_signal(signal.SIGTERM)
        assert answer.result().json() == {"made": ["A"]}
    assert second.process.wait(20) == 0
    assert second.event("exit")["code"] == 0


def test_a_server_that_is_started_again_answers_where_it_did(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.runners import serving_app

    with socket.create_server(("127.0.0.1", 0)) as before:
        port = before.getsockname()[1]
    monkeypatch.setenv("WORKBENCH_PORT", str(port))
    with serving_app.listen(0) as first, serving_app.listen(0) as second:
        assert first.getsockname()[1] == port
        assert second.getsockname()[1] != port
    assert f"Port {port} cannot be used" in capsys.readouterr().out


def test_a_worker_gives_results_in_order_to_whoever_waits() -> None:
    from workbench.runners.serving_work import Worker

    async def ask() -> list[list[int]]:
        worker = Worker(lambda kind, units, gone: [kind * u for u in units], lambda kind: kind)
        return await asyncio.gather(*(worker.all(k, range(n)) for k, n in ((1, 3), (2, 40), (3, 0), (2, 5))))

    assert asyncio.run(ask()) == [[0, 1, 2], [2 * i for i in range(40)], [], [0, 2, 4, 6, 8]]
