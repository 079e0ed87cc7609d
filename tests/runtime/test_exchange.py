"""How requests travel: attempts, waits, turns, proxies, certificates, sockets, keys in turn, and what a user is told."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from workbench import errors, registry
from workbench.core.endpoints import Endpoint, Network, Timeouts
from workbench.core.messages import ChatRequest, Message, as_messages
from workbench.runtime.answering import client
from workbench.runtime.answering.client import acomplete, open_stream
from workbench.runtime.network import calls
from workbench.runtime.secrets import keys

from ..support.scripted_http import Asked, Reply, Scripted, scripted

ASK = ChatRequest(as_messages("Hi"))


def line(content: str, finish: str | None = None) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}).encode() + b"\n\n"


GOOD = Reply(body=[line("fi"), line("ne", "stop"), b"data: [DONE]\n\n"], mime="text/event-stream")


def no(status: int, message: str = "no", **headers: str) -> Reply:
    return Reply({"error": {"message": message}}, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def script(*replies: Reply | Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    """One reply after the other; the last one again and again."""
    left = list(replies)

    def answer(asked: Asked) -> Reply:
        found = left.pop(0) if len(left) > 1 else left[0]
        return found(asked) if callable(found) else found

    return answer


def at(server: Scripted, **network: Any) -> Endpoint:
    return Endpoint(server.url, "gpt-x", source="vendor", network=Network(**network))


def ask(endpoint: Endpoint, timeouts: Timeouts | None = None) -> str:
    return open_stream(endpoint, ASK, timeouts=timeouts).join().text


@pytest.mark.parametrize("status", [429, 502, 503, 529])
def test_a_busy_server_is_asked_again(status: int) -> None:
    with scripted(script(no(status, Retry_After="0.01"), GOOD)) as server:
        assert ask(at(server)) == "fine"
        assert len(server.asked) == 2


def test_a_date_says_how_long_to_wait() -> None:
    with scripted(script(no(429, Retry_After=formatdate(time.time() + 3600, usegmt=True)))) as server:
        with pytest.raises(errors.RateLimited) as caught:
            ask(at(server))
        assert 3500 < (caught.value.retry_after or 0) <= 3600
        assert len(server.asked) == 1
    with scripted(script(no(503, Retry_After=formatdate(time.time() - 5, usegmt=True)), GOOD)) as server:
        assert ask(at(server)) == "fine"


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_a_refusal_or_a_failure_is_not_asked_again(status: int) -> None:
    with scripted(script(no(status))) as server:
        with pytest.raises(errors.EndpointError):
            ask(at(server))
        assert len(server.asked) == 1


def test_a_quota_that_is_used_up_is_not_waited_for() -> None:
    with scripted(script(no(429, "You exceeded your current quota, please check your plan and billing details."))) as server:
        with pytest.raises(errors.QuotaExhausted, match="billing"):
            ask(at(server))
        assert len(server.asked) == 1


@pytest.mark.parametrize(("more", "sent"), [(0, 1), (1, 2), (4, 5)])
def test_how_often_is_configurable(more: int, sent: int) -> None:
    with scripted(script(no(503, Retry_After="0"))) as server:
        with pytest.raises(errors.EndpointDown):
            ask(at(server, max_retries=more))
        assert len(server.asked) == sent


def test_a_busy_server_that_says_so_in_its_stream_is_asked_again_only_when_nothing_had_come() -> None:
    busy = b'data: {"error": {"message": "overloaded", "type": "overloaded_error"}}\n\n'
    with scripted(script(Reply(body=[busy], mime="text/event-stream"), GOOD)) as server:
        assert ask(at(server)) == "fine"
    with scripted(script(Reply(body=[line("half"), busy], mime="text/event-stream"), GOOD)) as server:
        with pytest.raises(errors.StreamBroken, match="overloaded") as caught:
            ask(at(server))
        assert caught.value.partial == "half"
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"<html><title>Welcome</title></html>", b'{"choices": []}', b"data: nonsense\n\n", b"data: [1]\n\n", b'{"unknown": 1}', b": nothing\n\n"],
)
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages", "gemini", "bedrock_converse"])
def test_an_answer_that_says_nothing_in_the_format_is_told_and_not_taken_for_an_empty_one(body: bytes, dialect: str) -> None:
    with scripted(lambda asked: Reply(body=[body] if body else b" ")) as server:
        with pytest.raises(errors.EndpointError, match="could not be read"):
            ask(replace(at(server), dialect=dialect))
        assert len(server.asked) == 1


def test_an_error_object_under_a_successful_status_has_its_kind() -> None:
    with (
        scripted({"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError"}) as server,
        pytest.raises(errors.ModelUnknown),
    ):
        ask(at(server))


def test_an_error_under_a_successful_status_has_its_kind() -> None:
    said = {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}
    with scripted(said) as server:
        endpoint = replace(at(server), options={"error_codes": {"1008": "quota"}})
        with pytest.raises(errors.QuotaExhausted, match="insufficient balance"):
            ask(endpoint)


def test_the_total_goes_on_while_a_turn_or_the_next_attempt_is_waited_for() -> None:
    with scripted(script(no(503, Retry_After="30"))) as server, pytest.raises(errors.EndpointTimeout, match="total"):
        ask(at(server), Timeouts(total=0.3))


def test_stop_ends_the_wait_for_the_next_attempt_at_once() -> None:
    with scripted(script(no(503, Retry_After="30"))) as server:
        stream = open_stream(at(server), ASK)
        while not server.asked:
            time.sleep(0.01)
        time.sleep(0.1)
        began = time.monotonic()
        stream.close()
        assert stream.join().finish_reason == "cancelled"
        assert time.monotonic() - began < 5
        assert len(server.asked) == 1


def test_stop_closes_the_connection_while_the_server_has_not_begun_to_answer() -> None:
    gone = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            asked.set()
            connection.settimeout(10)
            while connection.recv(65536):
                pass
            gone.set()

    asked = threading.Event()
    threading.Thread(target=serve, daemon=True).start()
    stream = open_stream(Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"), ASK)
    assert asked.wait(10)
    stream.close()
    assert gone.wait(10)
    listener.close()


async def test_cancelling_a_task_stops_its_request() -> None:
    with scripted(script(no(503, Retry_After="30"))) as server:
        task = asyncio.ensure_future(acomplete(at(server), ASK))
        while not server.asked:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_keys_are_taken_in_turn_when_one_is_refused_or_used_up() -> None:
    def answer(asked: Asked) -> Reply:
        key = asked.headers["authorization"]
        return no(401) if "first" in key else no(429, "insufficient_quota: check your plan") if "second" in key else GOOD

    with scripted(answer) as server:
        endpoint = replace(at(server), key_ref=keys.hold(["first-key", "second-key", "third-key"]))
        assert ask(endpoint) == "fine"
        assert ask(endpoint) == "fine"
        assert [a.headers["authorization"].split()[1].split("-")[0] for a in server.asked] == ["first", "second", "third", "third"]
        endpoint = replace(at(server), key_ref=keys.hold(["first-a", "first-b"]))
        with pytest.raises(errors.AuthenticationFailed):
            ask(endpoint)


def test_at_most_so_many_run_at_once_and_the_others_wait() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def answer(asked: Asked) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return GOOD

    with scripted(answer) as server:
        endpoint = at(server, concurrency=2)
        streams = []
        for i in range(7):
            streams.append(open_stream(endpoint, ChatRequest(as_messages(str(i)))))
        assert [s.join().text for s in streams] == ["fine"] * 7
    assert most == 2


def test_a_closed_stream_gives_its_turn_to_the_next() -> None:
    release = threading.Event()

    def answer(asked: Asked) -> Reply:
        if asked.json["messages"][0]["content"] == "0":
            release.wait(10)
        return GOOD

    with scripted(answer) as server:
        endpoint = at(server, concurrency=1)
        first, second, third = (open_stream(endpoint, ChatRequest(as_messages(str(i)))) for i in range(3))
        time.sleep(0.1)
        second.close()
        release.set()
        assert (first.join().text, third.join().text) == ("fine", "fine")
        assert [a.json["messages"][0]["content"] for a in server.asked] == ["0", "2"]


def test_requests_beyond_those_of_a_minute_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.runtime.network.rate.MINUTE", 0.4)
    with scripted(script(GOOD)) as server:
        began = time.monotonic()
        streams = [open_stream(at(server, requests_per_minute=2), ASK) for _ in range(5)]
        assert [s.join().text for s in streams] == ["fine"] * 5
        assert time.monotonic() - began >= 0.8  # two waits of a whole window: the rule, not a speed


def test_an_unknown_model_is_told_with_the_nearest_that_is_served() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/v1/models":
            return Reply({"data": [{"id": "gpt-4o"}, {"id": "gpt-xl"}, {"id": "ada"}]})
        return Reply({"error": {"message": "The model `gpt-x` does not exist", "code": "model_not_found"}}, status=404)

    with scripted(answer) as server:
        with pytest.raises(errors.ModelUnknown, match="'gpt-xl' is the nearest"):
            ask(at(server))
        assert calls.models(at(server)) == ["gpt-4o", "gpt-xl", "ada"]


def test_an_unknown_model_of_a_vendor_that_lists_none_is_told_with_those_of_its_data() -> None:
    with scripted(script(Reply({"error": {"message": "no", "code": "model_not_found"}}, status=404))) as server:
        endpoint = replace(at(server), source="qwen", model="qwen-pluss")
        with pytest.raises(errors.ModelUnknown, match="'qwen-plus' is the nearest"):
            ask(endpoint)


def test_a_wrong_key_is_told_with_where_it_came_from(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-marked-and-wrong")
    with scripted(script(no(401, "Invalid API-key provided: sk-marked-and-wrong", x_request_id="r7"))) as server:
        endpoint = replace(at(server), source="qwen", key_ref="provider:qwen:llm")
        with pytest.raises(errors.AuthenticationFailed) as caught:
            ask(endpoint)
    assert "DASHSCOPE_API_KEY" in caught.value.fix
    assert "r7" in str(caught.value)
    assert "marked" not in str(caught.value)


def test_no_key_stands_in_a_traceback_with_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKED", "marked-and-wrong")
    for dialect in ("openai_chat", "anthropic_messages", "gemini", "bedrock_converse"):
        for reply in (no(401, "bad key marked-and-wrong"), Reply({"what": "is this"}), no(404), no(503, Retry_After="0")):
            with scripted(script(reply)) as server:
                endpoint = replace(at(server), dialect=dialect, key_env="MARKED")
                with pytest.raises(errors.EndpointError) as caught:
                    raise_unless_text(endpoint)
                shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
                assert "marked-and-wrong" not in "".join(part for part in shown.split("\n") if "reply" not in part and "Reply" not in part)
                assert all("marked-and-wrong" not in a.path for a in server.asked)


def test_a_token_made_of_a_key_is_masked_as_well() -> None:
    with scripted(lambda asked: no(401, f"what is {asked.headers['authorization'].split()[1]}?")) as server:
        endpoint = replace(at(server), auth="sensenova", key_ref=keys.hold({"key": "AK", "secret_key": "SK"}))
        with pytest.raises(errors.AuthenticationFailed) as caught:
            ask(endpoint)
    assert caught.value.cause == "what is ***?"


def raise_unless_text(endpoint: Endpoint) -> None:
    answer = open_stream(endpoint, ASK).join()
    if not answer.text:
        raise errors.EndpointError("nothing came")


def test_arguments_that_a_dialect_refuses_are_told_as_such() -> None:
    picture = Message("user", ({"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},))
    with pytest.raises(errors.ArgumentError, match="Give the file itself"):
        open_stream(Endpoint("http://127.0.0.1:9/", "m", "bedrock_converse"), ChatRequest((picture,))).join()


def test_a_proxy_given_as_an_argument_is_used_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(script(GOOD)) as proxy:
        elsewhere = Endpoint("http://models.example.test/v1", "m", network=Network(proxy=proxy.host))
        assert ask(elsewhere) == "fine"
        assert proxy.last.path == "http://models.example.test/v1/chat/completions"
        with scripted(script(GOOD)) as here:
            assert ask(at(here, proxy=proxy.host)) == "fine"
            assert len(proxy.asked) == 1
        monkeypatch.setenv("HTTP_PROXY", proxy.host)
        with pytest.raises(errors.EndpointDown):
            ask(replace(elsewhere, network=Network(proxy="none", max_retries=0)), Timeouts(connect=3))
        assert len(proxy.asked) == 1


def test_a_proxys_password_is_neither_shown_nor_kept() -> None:
    endpoint = Endpoint("https://x/v1", network=Network(proxy="http://me:secret@proxy:8080", max_retries=5))
    assert "secret" not in repr(endpoint)
    assert "secret" not in json.dumps(endpoint.to_json())
    assert Endpoint.from_json(endpoint.to_json()).network.max_retries == 5
    assert Endpoint.from_json(Endpoint("https://x/v1").to_json()) == Endpoint("https://x/v1")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate of this test")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


def test_certificates_of_ones_own_are_trusted_where_they_are_named(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = Scripted(script(GOOD))
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    endpoint = Endpoint(server.url.replace("http:", "https:"), "m", network=Network(max_retries=0))
    try:
        with pytest.raises(errors.EndpointDown, match="SSL_CERT_FILE"):
            ask(endpoint)
        assert ask(replace(endpoint, network=Network(verify=str(certificate / "cert.pem")))) == "fine"
        assert ask(replace(endpoint, network=Network(verify=False))) == "fine"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
        assert ask(endpoint) == "fine"
        with pytest.raises(errors.BadRequest, match="cannot be read"):
            ask(replace(endpoint, network=Network(verify=str(certificate / "missing.pem"))))
    finally:
        server.close()


def test_a_base_address_may_end_in_the_version_or_not() -> None:
    with scripted({"type": "message", "content": [{"type": "text", "text": "fine"}], "stop_reason": "end_turn"}) as server:
        for url in (server.url, server.url + "/", server.host):
            assert ask(Endpoint(url, "m", "anthropic_messages")) == "fine"
            assert server.last.path == "/v1/messages"


def test_spark_answers_over_a_signed_socket() -> None:
    from websockets.sync.server import serve

    got: dict[str, Any] = {}

    def talk(connection: Any) -> None:
        got["path"] = connection.request.path
        got["sent"] = json.loads(connection.recv())
        for i, text in enumerate(["Grü", "ße"]):
            choices = {"text": [{"content": text}]}
            connection.send(json.dumps({"header": {"code": 0, "sid": "s1", "status": 2 * i}, "payload": {"choices": choices}}, ensure_ascii=False))

    with serve(talk, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        held = keys.hold({"key": "unused", "app_id": "APP", "api_key": "KEY", "api_secret": "SECRET"})
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        answer = open_stream(Endpoint(url, "lite", "spark_socket", auth="spark_signed", key_ref=held), ASK).join()
        server.shutdown()
    assert (answer.text, answer.finish_reason, answer.request_id) == ("Grüße", "stop", "s1")
    assert got["sent"]["header"] == {"app_id": "APP"}
    assert got["path"].startswith("/v1.1/chat?authorization=")


def test_a_socket_that_is_refused_or_cut_is_told() -> None:
    from websockets.sync.server import serve

    def talk(connection: Any) -> None:
        connection.recv()
        connection.send(json.dumps({"header": {"code": 0, "status": 0}, "payload": {"choices": {"text": [{"content": "half"}]}}}))
        connection.socket.shutdown(socket.SHUT_RDWR)

    with serve(talk, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        with pytest.raises(errors.StreamBroken) as caught:
            ask(Endpoint(url, "lite", "spark_socket"))
        assert caught.value.partial == "half"
        server.shutdown()
    with scripted(script(no(401, "HMAC signature does not match"))) as refusing, pytest.raises(errors.AuthenticationFailed, match="HMAC"):
        ask(Endpoint(refusing.host.replace("http", "ws"), "lite", "spark_socket"))
    with pytest.raises(errors.EndpointDown):
        ask(Endpoint("ws://127.0.0.1:9", "lite", "spark_socket", network=Network(max_retries=0)))


def test_a_hundred_streams_do_not_mix() -> None:
    def answer(asked: Asked) -> Reply:
        mark = asked.json["messages"][0]["content"]
        return Reply(body=[*(line(f"{mark}.{i} ") for i in range(20)), line("", "stop"), b"data: [DONE]\n\n"], mime="text/event-stream")

    with scripted(answer) as server:
        streams = [open_stream(at(server), ChatRequest(as_messages(f"m{n}"))) for n in range(100)]
        for n, stream in enumerate(streams):
            assert stream.join().text == "".join(f"m{n}.{i} " for i in range(20))


def test_a_dialect_is_loaded_when_it_is_used_and_not_before() -> None:
    code = (
        "import sys, workbench\nfrom workbench.runtime.answering import client\n"
        "assert not [m for m in sys.modules if m.startswith('workbench.dialects.') and m.split('.')[-1] in "
        "('gemini', 'anthropic_messages', 'bedrock_converse', 'spark_socket')]\n"
        "assert 'websockets' not in sys.modules and 'httpx' not in sys.modules and 'botocore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert {"openai_chat", "anthropic_messages", "gemini", "bedrock_converse", "spark_socket"} <= set(registry.names("dialect"))
    assert client.Secret is keys.Secret


def test_a_name_without_an_address_and_a_proxy_that_is_down_read_differently() -> None:
    unknown = Endpoint("http://no-such-host.invalid/v1", "gpt-x", source="vendor", network=Network(max_retries=0, proxy="none"))
    with pytest.raises(errors.EndpointDown, match=r"no address for the name .no-such-host\.invalid"):
        ask(unknown)
    behind = Endpoint("http://api.vendor.invalid/v1", "gpt-x", network=Network(max_retries=0, proxy="http://me:hidden@127.0.0.1:9"))
    with pytest.raises(errors.EndpointDown, match=r"through the proxy http://127\.0\.0\.1:9") as told:
        ask(behind)
    assert "hidden" not in str(told.value)
    assert "proxy" in told.value.fix
