"""One request, one answer: results that take several requests, results in pieces, files, and what can go wrong."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from workbench import errors, registry
from workbench.core.endpoints import Endpoint, Network, Timeouts
from workbench.core.protocols import FollowUp, FormPart, HttpRequest, Refused
from workbench.dialects.plain import HttpResult, Plain
from workbench.runtime import loop
from workbench.runtime.network import calls

from ..support.scripted_http import Asked, Reply, Scripted, scripted


@dataclass(frozen=True)
class Question:
    text: str
    model: str = ""


class Tasks(Plain):
    """A task that is asked for until it is done."""

    name = "tasks_of_this_test"

    def encode(self, request: Question) -> HttpRequest:  # type: ignore[override]
        return HttpRequest("POST", "/tasks", {"model": request.model, "text": request.text}, repeatable=False)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        d = json.loads(body)
        if d.get("code"):
            raise Refused(body.decode())
        if d["state"] == "running":
            return FollowUp(HttpRequest("GET", "/tasks/7"), 0.01)
        return FollowUp(HttpRequest("GET", d["file"], authorized=False), decode=lambda status, headers, body: body)


class Sounds(Plain):
    """A sound in pieces: each line of the answer is one, in capitals."""

    name = "sounds_of_this_test"

    def encode_streamed(self, request: Question) -> HttpRequest:
        return HttpRequest("POST", "/speech", {"input": request.text})

    def pieces(self, headers: Mapping[str, str]) -> Sounds:
        self._rest = b""
        return self

    def feed(self, data: bytes) -> list[bytes]:
        if data.startswith(b"{"):
            raise Refused(data.decode())
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [w.upper() for w in whole]

    def close(self) -> list[bytes]:
        return [self._rest.upper()]


@pytest.fixture(autouse=True)
def _codecs() -> None:
    registry.register("codec", "tasks_of_this_test", Tasks)
    registry.register("codec", "sounds_of_this_test", Sounds)


def at(server: Scripted, **network: Any) -> Endpoint:
    return Endpoint(server.url, "m", source="vendor", network=Network(**network))


def test_a_result_may_take_several_requests_and_the_key_goes_to_the_vendor_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "the-key-itself")
    states = iter(["running", "running", "done"])

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/files"):
            return Reply(body=b"picture")
        return Reply({"state": next(states), "file": f"{server.host}/files/1"})

    with scripted(answer) as server:
        assert calls.call(replace(at(server), key_env="A_KEY"), "tasks_of_this_test", Question("a cat")) == b"picture"
        assert [(a.method, a.path) for a in server.asked] == [
            ("POST", "/v1/tasks"),
            ("GET", "/v1/tasks/7"),
            ("GET", "/v1/tasks/7"),
            ("GET", "/files/1"),
        ]
        assert server.asked[0].json == {"model": "m", "text": "a cat"}
        assert ["authorization" in a.headers for a in server.asked] == [True, True, True, False]


def test_a_refusal_in_a_successful_answer_is_an_error_and_a_busy_one_is_asked_again() -> None:
    replies = [{"code": "Throttling", "message": "slow down"}, {"state": "done", "file": "/files/1"}, {}]
    with scripted(lambda asked: Reply(replies.pop(0), headers={"Retry-After": "0"})) as server:
        assert calls.call(at(server), "tasks_of_this_test", Question("x")) == b"{}"
    with scripted({"code": "InvalidApiKey", "message": "no"}) as server, pytest.raises(errors.AuthenticationFailed):
        calls.call(at(server), "tasks_of_this_test", Question("x"))


async def test_the_same_for_async_code_and_cancelling_ends_it() -> None:
    with scripted(lambda asked: Reply({"state": "running"})) as server:
        task = asyncio.ensure_future(calls.acall(at(server), "tasks_of_this_test", Question("x")))
        while len(server.asked) < 3:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        count = len(server.asked)
        await asyncio.sleep(0.1)
        assert len(server.asked) <= count + 1


def test_time_limits_hold_over_all_requests() -> None:
    with scripted(lambda asked: Reply({"state": "running"})) as server, pytest.raises(errors.EndpointTimeout, match="total"):
        calls.call(at(server), "tasks_of_this_test", Question("x"), Timeouts(total=0.2))
    with scripted(lambda asked: time.sleep(2) or Reply({})) as server, pytest.raises(errors.EndpointTimeout, match="first_byte"):
        calls.call(at(server), "plain", HttpRequest("GET", "/models"), Timeouts(first_byte=0.1))


def test_a_call_on_the_background_loop_says_what_to_do() -> None:
    async def inside() -> str:
        try:
            calls.call(Endpoint("http://127.0.0.1:9"), "plain", HttpRequest("GET", "/"))
        except RuntimeError as e:
            return str(e)
        return ""

    assert "await" in loop.run(inside())


def test_an_answer_in_no_known_form_is_told() -> None:
    with scripted(lambda asked: Reply(body=b"<html>")) as server, pytest.raises(errors.EndpointError, match="could not be read"):
        calls.call(at(server), "tasks_of_this_test", Question("x"))


def test_files_travel_as_a_form() -> None:
    parts = (FormPart("model", "m"), FormPart("file", b"\x00RIFF\r\n--x", 'a "b"\n.wav', "audio/wav"), FormPart("file", b"2", "ü.bin"))
    with scripted({"ok": True}) as server:
        result = calls.call(at(server), "plain", HttpRequest("POST", "/audio", files=parts, query={"v": "1 2"}))
        assert isinstance(result, HttpResult)
        assert result.json() == {"ok": True}
        assert server.last.path == "/v1/audio?v=1%202"
        form = server.last.form
        assert form["model"] == [("", b"m")]
        assert [content for _, content in form["file"]] == [b"\x00RIFF\r\n--x", b"2"]
        assert form["file"][0][0] == "a %22b%22%0A.wav"


def test_what_makes_something_is_not_sent_twice_when_nobody_knows_whether_it_was_made() -> None:
    import socket

    listener, seen = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                seen.append(connection.recv(65536))

    threading.Thread(target=serve, daemon=True).start()
    endpoint = Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", "m")
    with pytest.raises(errors.EndpointDown, match="closed the connection"):
        calls.call(endpoint, "tasks_of_this_test", Question("x"))
    assert len(seen) == 1
    with pytest.raises(errors.EndpointDown):
        calls.call(endpoint, "plain", HttpRequest("GET", "/models"))
    assert len(seen) == 4
    listener.close()


def test_a_result_in_pieces_comes_as_it_arrives_and_can_be_stopped() -> None:
    with scripted(lambda asked: Reply(body=[b"ab\nc", b"d\nef"], mime="audio/pcm")) as server:
        assert list(calls.open_pieces(at(server), "sounds_of_this_test", Question("x"))) == [b"AB", b"CD", b"EF"]
        stream = calls.open_pieces(at(server), "sounds_of_this_test", Question("x"))
        assert next(iter(stream)) == b"AB"
        stream.close()
        assert stream.closed


async def test_a_result_in_pieces_for_async_code() -> None:
    with scripted(lambda asked: Reply(body=[b"ab\nc", b"d\nef"], mime="audio/pcm")) as server:
        assert [p async for p in calls.open_pieces(at(server), "sounds_of_this_test", Question("x"))] == [b"AB", b"CD", b"EF"]


def test_a_refusal_instead_of_pieces_has_its_kind() -> None:
    with scripted({"code": "InvalidApiKey", "message": "no"}) as server, pytest.raises(errors.AuthenticationFailed):
        list(calls.open_pieces(at(server), "sounds_of_this_test", Question("x")))
    with scripted(lambda asked: Reply({"error": {"message": "no"}}, status=401)) as server, pytest.raises(errors.AuthenticationFailed):
        list(calls.open_pieces(at(server), "sounds_of_this_test", Question("x")))
    with scripted(lambda asked: Reply(body=[b"ab\n", b'{"error": "late"}'])) as server:
        stream = calls.open_pieces(at(server), "sounds_of_this_test", Question("x"))
        got: list[bytes] = []
        with pytest.raises(errors.StreamBroken):
            got.extend(stream)
        assert got in ([b"AB"], [])


def test_many_calls_at_once_share_the_limits_of_their_source() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def answer(asked: Asked) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.03)
        with lock:
            running -= 1
        return Reply({"ok": True})

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(calls.acall(at(server, concurrency=3), "plain", HttpRequest("GET", "/x")) for _ in range(12)))

    with scripted(answer) as server:
        assert len(asyncio.run(all_of_them())) == 12
    assert most == 3
