"""Functions, flows and modules behind HTTP: real servers, real supervisors, the dummy engine where a model is inside."""

from __future__ import annotations

import asyncio
import contextvars
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import ArgumentError, AuthenticationFailed, BadRequest, EndpointDown, JobFailed, NotStarted, ServerError
from workbench.modules.sessions import session
from workbench.runtime.work import jobs

from ..support.guarded import assert_guarded


def ask(url: str, body: Any = None, key: str = "", **headers: str) -> tuple[int, str]:
    """A request by somebody who knows nothing of the workbench: status and text."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={**({"Authorization": f"Bearer {key}"} if key else {}), **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def key_of(server: wb.UrlModule) -> str:
    return Path(server.endpoint.key_file).read_text()


def until(reached: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for servers that several tests only call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("shared") / "home"))
        patch.setenv("SERVED_API_KEY", "sk-hidden-in-the-environment")
        yield Path(os.environ["WORKBENCH_HOME"])
        jobs.end_all()


@pytest.fixture(scope="module")
def shop(shared_home: Path) -> wb.ServerModule:
    """A server whose object does what the tests below ask of it."""

    class Own(Exception):
        pass

    class Base:
        @wb.FastapiApp.get("/hidden")
        def hidden(self) -> str:
            return "seen"

    class Shop(Base):
        """Sells things."""

        def __init__(self) -> None:
            self.sold, self.lock = 0, threading.Lock()

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            print("asked for", args, kwargs)
            return args[0] if len(args) == 1 and not kwargs else [list(args), kwargs]

        def sell(self, pieces: int = 1) -> int:
            """Sell some."""
            with self.lock:
                self.sold += pieces
            return self.sold

        def fail(self, how: str) -> Any:
            if how == "own":
                raise Own("mine")
            if how == "key":
                raise KeyError("there is no such key")
            if how == "coded":
                return b"\xff".decode()
            if how == "exit":
                sys.exit(3)
            if how == "ours":
                raise ArgumentError("What.", "Cause.", "Fix.")
            if how == "secret":
                raise ValueError(f"key {os.environ['SERVED_API_KEY']} and {Path(os.environ['WORKBENCH_KEY_FILE']).read_text()}")
            return {"rows": [1, object()]}

        def words(self, n: int) -> Iterator[str]:
            for i in range(n):
                yield f"{i} "

        def _inner(self) -> int:
            return 1

        @wb.FastapiApp.get("/price/{item}", summary="What it costs")
        def price(self, item: str, pieces: int = 1) -> dict[str, Any]:
            return {"item": item, "price": 3 * pieces}

        @wb.FastapiApp.post("/order")
        def order(self, order: dict[str, Any]) -> dict[str, Any]:
            return order

        @wb.FastapiApp.list("/all")
        def everything(self) -> list[str]:
            return ["a"]

        @wb.FastapiApp.delete("/all")
        def nothing(self) -> str:
            raise RuntimeError("never empty")

        def hidden(self) -> str:
            return "not a route any more"

    return wb.ServerModule(Shop(), name="shop").start()


# ---- values


@pytest.mark.parametrize(
    "value", [1, "ä 漢 \ud800", None, [1, {"a": 2.5}], {"input": 3}, {"args": 1, "x": 2}, (1, 2), b"\x00\xff", {1: {2}}], ids=repr
)
def test_a_value_comes_back_as_it_went(shop: wb.ServerModule, value: Any) -> None:
    assert shop(value) == value
    assert type(shop(value)) is type(value)


def test_arrays_come_back_as_arrays(shop: wb.ServerModule) -> None:
    array = np.linspace(0, 1, 1000, dtype="f4").reshape(10, 100)
    np.testing.assert_array_equal(shop(array), array)


def test_positions_and_names_arrive_as_they_were_given(shop: wb.ServerModule) -> None:
    assert shop(1, (2,), a=b"3") == [[1, (2,)], {"a": b"3"}]
    assert shop() == [[], {}]


def test_a_huge_input_comes_through(shop: wb.ServerModule) -> None:
    text = "0123456789" * 3_000_000
    assert shop(text) == text


def test_an_argument_that_cannot_travel_is_named_before_anything_is_sent(shop: wb.ServerModule) -> None:
    with pytest.raises(ArgumentError, match=r"argument 2\['a'\] is of type object"):
        shop(1, {"a": object()})
    with pytest.raises(ArgumentError, match="way is of type function"):
        shop(1, way=print_nothing)


def print_nothing() -> None: ...


# ---- other callers


def test_plain_json_is_the_input_itself(shop: wb.ServerModule) -> None:
    key = key_of(shop)
    assert ask(shop.url, "hello", key) == (200, '"hello"')
    assert ask(shop.url, {"x": [1]}, key) == (200, '{"x":[1]}')
    assert ask(shop.url, {"input": 1}, key) == (200, "1")
    assert ask(shop.url, {"input": 1, "args": [2], "kwargs": {"a": 3}}, key) == (200, '[[1,2],{"a":3}]')
    assert ask(shop.url, {"input": {"$bytes": "AP8="}}, key) == (200, '{"$bytes":"AP8="}')
    assert ask(shop.url, b"", key) == (200, "[[],{}]")


def test_a_body_that_is_no_call_is_refused(shop: wb.ServerModule) -> None:
    for body in (b"{", b'{"args": 1}', b'{"kwargs": []}', b'{"$set": [[]]}'):
        status, said = ask(shop.url, body, key_of(shop))
        assert status == 400
        assert json.loads(said)["error"]["type"] == "BadRequest"


def test_a_decorated_root_needs_the_key_too(home: Path) -> None:
    class Site:
        def __call__(self) -> None: ...

        @wb.FastapiApp.get("/")
        def root(self) -> str:
            return "mine"

    server = wb.ServerModule(Site()).start()
    base = server.url.removesuffix("/generate")
    assert ask(base + "/")[0] == 401
    assert ask(base + "/", None, key_of(server)) == (200, '"mine"')


@pytest.mark.parametrize("place", ["/generate", "/call/sell", "/_call/sell", "/openapi.json", "/price/a", "/nowhere"])
def test_without_the_key_nothing_is_told(shop: wb.ServerModule, place: str) -> None:
    base = shop.url.removesuffix("/generate")
    for key in ("", "wrong", key_of(shop)[:-1]):
        status, said = ask(base + place, None if place in ("/openapi.json", "/price/a") else 1, key)
        assert status == 401
        assert "Authentication failed" in said
    assert ask(base + "/price/a", None, "", **{"Security-Key": key_of(shop)})[0] == 200


def test_health_and_the_page_need_no_key_and_the_page_no_network(shop: wb.ServerModule) -> None:
    base = shop.url.removesuffix("/generate")
    assert ask(base + "/health") == (200, '{"status":"ok","server":"workbench"}')
    status, page = ask(base + "/docs")
    assert status == 200
    assert not re.search(r"https?://|src=|@import|<link", page)
    assert "Shop" not in page
    assert ask(base + "/")[1] == page
    assert shop.deployment is not None
    assert_guarded(shop.endpoint, pages=("/", "/docs"), pid=shop.deployment.record.pid)


def test_the_openapi_document_describes_function_methods_and_routes(shop: wb.ServerModule) -> None:
    status, text = ask(shop.url.removesuffix("/generate") + "/openapi.json", None, key_of(shop))
    assert status == 200
    document = json.loads(text)
    assert document["info"] == {"title": "shop", "version": "1", "description": "Sells things."}
    assert {"/generate", "/call/sell", "/price/{item}", "/order", "/all", "/health"} <= set(document["paths"])
    assert "/hidden" not in document["paths"]
    assert document["paths"]["/call/sell"]["post"]["description"] == "Sell some."
    schema = document["paths"]["/call/sell"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["anyOf"][0]["properties"]["kwargs"]["properties"]["pieces"] == {"type": "integer", "default": 1}
    assert document["paths"]["/price/{item}"]["get"]["summary"] == "What it costs"


# ---- methods and routes


def test_methods_are_called_by_name(shop: wb.ServerModule) -> None:
    before = shop.call("sell", 0)
    assert shop.call("sell", 2) == before + 2
    assert shop._call("sell", pieces=3) == before + 5
    assert shop.call("words", 3) == "0 1 2 "
    assert asyncio.run(shop.acall_method("sell", 0)) == before + 5


@pytest.mark.parametrize("name", ["nothing_of_the_kind", "_inner", "__init__", "sold"])
def test_a_method_that_cannot_be_called_is_named(shop: wb.ServerModule, name: str) -> None:
    with pytest.raises(BadRequest, match=f"no method '{name}'"):
        shop.call(name)


def test_decorated_methods_are_addresses_of_their_own(shop: wb.ServerModule) -> None:
    base, key = shop.url.removesuffix("/generate"), key_of(shop)
    assert json.loads(ask(base + "/price/tea?pieces=2", None, key)[1]) == {"item": "tea", "price": 6}
    assert ask(base + "/price/tea?pieces=many", None, key)[0] == 422
    assert ask(base + "/order", {"a": 1}, key, **{"Content-Type": "application/json"}) == (200, '{"a":1}')
    assert ask(base + "/all", None, key) == (200, '["a"]')
    assert ask(base + "/hidden", None, key)[0] == 404  # the override has no decorator
    request = urllib.request.Request(base + "/all", method="DELETE", headers={"Security-Key": key})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert json.loads(caught.value.read())["error"]["message"] == "never empty"


def test_a_route_without_a_slash_is_refused_at_once() -> None:
    with pytest.raises(ArgumentError, match="is no path"):
        wb.FastapiApp.get("price")


# ---- errors


def test_a_builtin_error_comes_back_as_itself_with_the_servers_traceback(shop: wb.ServerModule) -> None:
    with pytest.raises(KeyError) as caught:
        shop.call("fail", "key")
    assert caught.value.args == ("there is no such key",)
    (note,) = (n for n in caught.value.__notes__ if "Raised in the server shop" in n)
    assert 'raise KeyError("there is no such key")' in note
    assert "function_calls" not in note


@pytest.mark.parametrize(
    ("how", "type", "said"), [("own", "Own", "mine"), ("coded", "UnicodeDecodeError", "invalid start byte"), ("exit", "SystemExit", "3")]
)
def test_any_other_error_is_a_server_error(shop: wb.ServerModule, how: str, type: str, said: str) -> None:
    with pytest.raises(ServerError) as caught:
        shop.call("fail", how)
    assert caught.value.type.endswith(type)
    assert said in caught.value.what
    assert "Traceback" in caught.value.traceback
    assert shop("still there") == "still there"


def test_our_own_errors_keep_their_three_parts(shop: wb.ServerModule) -> None:
    with pytest.raises(ArgumentError) as caught:
        shop.call("fail", "ours")
    assert (caught.value.what, caught.value.cause, caught.value.fix) == ("What.", "Cause.", "Fix.")


def test_wrong_arguments_are_a_type_error(shop: wb.ServerModule) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'price'"):
        shop.call("sell", price=1)


def test_a_result_that_cannot_travel_is_named_with_its_place(shop: wb.ServerModule) -> None:
    with pytest.raises(ArgumentError, match=r"result\['rows'\]\[1\] is of type object"):
        shop.call("fail", "unsendable")


def test_no_secret_is_in_an_error_or_the_log(shop: wb.ServerModule) -> None:
    with pytest.raises(ValueError, match=r"key \*\*\* and \*\*\*") as caught:
        shop.call("fail", "secret")
    told = "".join(caught.value.__notes__) + jobs.log_tail(shop.endpoint.job_id, 1000)
    assert "sk-hidden-in-the-environment" not in told
    assert key_of(shop) not in told


# ---- pieces


@pytest.fixture(scope="module")
def counter(shared_home: Path) -> wb.ServerModule:
    def count(n: int, kind: str = "text", pause: float = 0.0) -> Any:
        def pieces() -> Iterator[Any]:
            i = -1
            try:
                for i in range(n):
                    yield f"{i} " if kind == "text" else "long " * 2_000 if kind == "long" else (i,)
                    time.sleep(pause)
                if kind == "bad":
                    raise ValueError("no more")
            finally:
                print(f"{kind} closed after {i}")

        async def later() -> Any:
            i = -1
            try:
                for i in range(n):
                    yield f"{i} "
                    await asyncio.sleep(pause)
            finally:
                print(f"{kind} closed after {i}")

        return later() if kind == "async" else pieces()

    return wb.ServerModule(count, stream=True).start()


def test_a_generators_texts_come_as_pieces_and_are_joined(counter: wb.ServerModule, capsys: pytest.CaptureFixture[str]) -> None:
    assert counter(3) == "0 1 2 "
    assert capsys.readouterr().out.startswith("0 1 2 ")
    pieces = list(counter.stream(3))
    assert pieces == ["0 ", "1 ", "2 "]
    assert all(p.tag == "text" and p["delta"] == p for p in pieces)
    assert list(counter.stream(2, "async")) == ["0 ", "1 "]
    assert list(counter.stream(0)) == []


def test_other_values_come_as_they_are_and_make_a_list(counter: wb.ServerModule) -> None:
    assert list(counter.stream(2, "tuples")) == [(0,), (1,)]
    assert counter.share(stream=False)(2, "tuples") == [(0,), (1,)]


def test_pieces_come_before_the_end(counter: wb.ServerModule) -> None:
    with counter.stream(1000, pause=0.05) as feed:
        assert [next(feed), next(feed)] == ["0 ", "1 "]
    until(lambda: "text closed after" in jobs.log_tail(counter.endpoint.job_id))


def test_async_pieces_are_closed_with_their_reader(counter: wb.ServerModule) -> None:
    async def first() -> str:
        async for piece in counter.stream(1000, "async", 0.05):
            return str(piece)
        return ""

    assert asyncio.run(first()) == "0 "
    until(lambda: "async closed after" in jobs.log_tail(counter.endpoint.job_id))


def test_a_slow_reader_holds_up_an_endless_generator(counter: wb.ServerModule) -> None:
    def ends() -> list[int]:
        return [int(n) for n in re.findall(r"long closed after (\d+)", jobs.log_tail(counter.endpoint.job_id))]

    with counter.stream(10**9, "long") as feed:
        next(feed)
        time.sleep(3.0)
        assert len(feed._channel.pieces) < 4_000
    until(ends)
    assert ends()[-1] < 8_000  # what waits here, and what the sockets hold


def test_an_error_after_some_pieces_is_raised_where_they_end(counter: wb.ServerModule) -> None:
    feed = counter.stream(2, "bad")
    assert [next(feed), next(feed)] == [(0,), (1,)]
    with pytest.raises(ValueError, match="no more"):
        next(feed)


def test_a_stream_call_hears_the_pieces(counter: wb.ServerModule) -> None:
    helper = wb.StreamCallHelper(counter)
    assert [str(p) for p in helper(3)] == ["0 ", "1 ", "2 "]
    assert helper.result == "0 1 2 "
    outer = wb.StreamCallHelper(lambda n: counter(n).upper())
    assert [str(p) for p in outer(2)] == ["0 ", "1 "]


def test_others_get_server_sent_events(counter: wb.ServerModule) -> None:
    key = key_of(counter)
    events = 'data: {"delta":"0 "}\n\ndata: {"end":true}\n\n'
    assert ask(counter.url, 1, key) == (200, events)
    assert ask(counter.url, 1, key, Accept="application/json") == (200, '"0 "')


# ---- before and after


def test_pre_and_post_run_in_the_server_with_the_documented_arguments(home: Path) -> None:
    def twice(x: Any) -> Any:
        return x * 2

    def pair(a: int, b: int) -> int:
        return 10 * a + b

    one = wb.ServerModule(twice, pre=pair, post=lambda out: {"out": out, "pid": os.getpid()}, name="one").start()
    assert one({"a": 1, "b": 2})["out"] == 24
    assert one(1, 2)["out"] == 24
    assert one(a=1, b=2)["out"] == 24
    assert one(1, 2)["pid"] != os.getpid()
    two = wb.ServerModule(twice, post=lambda out, ori: [out, ori], name="two").start()
    assert two(3) == [6, 3]
    assert two([1]) == [[1, 1], [1]]
    three = wb.ServerModule(partial(pow, 2), pre=lambda x: (x, 5), post=lambda out, *, original: [out, original], name="three").start()
    assert three(3) == [3, 3]  # 2³ modulo 5


def test_a_plain_object_gives_the_parameters_it_names(home: Path) -> None:
    both = wb.ServerModule(lambda a, b: a + b, name="both").start()
    assert ask(both.url, {"a": 1, "b": 2}, key_of(both)) == (200, "3")


# ---- how it is made


def same(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"m": same, "stream": True, "return_trace": True}, "Module with stream output has no trace"),
        ({"m": same, "stream": True, "post": same}, "Stream cannot be true when post-action exists"),
        ({"m": same, "url": "http://127.0.0.1:1/generate"}, "m should be None when url is provided"),
        ({"m": "http://127.0.0.1:1", "url": "http://127.0.0.1:1"}, "url should be None when m is a url"),
        ({"url": "nonsense here"}, "Invalid url"),
        ({"url": "http://"}, "Invalid url"),
        ({"url": "no-such-server"}, "no server is called so"),
        ({"url": "http://me:secret-word@host/x"}, "A key does not belong into a URL"),
        ({"m": 3}, "Only what can be called is served"),
        ({"m": same, "num_replicas": 2}, "num_replicas=2"),
        ({"m": same, "port": 70_000}, "Port 70000 is impossible"),
        ({"m": same, "launcher": "slurm"}, "Servers do not run by slurm"),
        ({"m": same, "security_key": " "}, "security_key= is no key"),
        ({"m": same, "stream": {"colour": "red"}}, "stream="),
    ],
)
def test_arguments_that_make_no_sense_are_refused(home: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        wb.ServerModule(**arguments)
    assert said in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_before_the_start_it_says_what_to_type(home: Path) -> None:
    server = wb.ServerModule(same)
    for use in (lambda: server(1), lambda: server.url, lambda: server.call("x"), lambda: server.stream(1), lambda: wb.UrlModule()(1)):
        with pytest.raises(NotStarted, match=r"start\(\)"):
            use()
    with pytest.raises(NotStarted, match="nothing to serve"):
        wb.ServerModule().start()
    assert server.status == "idle"


def test_what_cannot_be_carried_is_named_before_anything_starts(home: Path) -> None:
    connection = sqlite3.connect(":memory:")
    holder = SimpleNamespace(inner=[SimpleNamespace(connection=connection)])

    def query(text: str) -> Any:
        return connection.execute(text)

    for m, place in (
        (query, "connection (used in query) is of type sqlite3.Connection"),
        (partial(same, holder), "store.args[0].inner[0].connection is of type sqlite3.Connection"),
    ):
        with pytest.raises(ArgumentError) as caught:
            wb.ServerModule(m, name="store").start()
        assert place in str(caught.value)
    assert not jobs.store().jobs()


def test_locks_are_made_afresh(home: Path) -> None:
    lock, context = threading.RLock(), threading.local()

    def guarded(x: Any) -> Any:
        with lock:
            context.x = x
            return context.x

    with lock:
        assert wb.ServerModule(guarded).start()(1) == 1


# ---- its life


def test_it_is_a_job_like_any_other_and_others_find_it(home: Path) -> None:
    folder = os.getcwd()

    def where(x: Any) -> Any:
        print("called with", x)
        return [x, os.getcwd()]

    server = wb.ServerModule(where, name="place").start()
    job = server.deployment
    assert job is not None
    assert job in wb.jobs(kind="deploy", active=True)
    assert server("x") == ["x", folder]
    assert "called with x" in str(job.logs())
    for written in (server.url, server.url.removesuffix("/generate"), server.url.replace("127.0.0.1", "localhost"), "place", job.id):
        assert wb.UrlModule(url=written)(1) == [1, folder]
        assert wb.ServerModule(written)(2) == [2, folder]
    assert wb.UrlModule().attach(job)(3) == [3, folder]

    pickled = jobs.store().place(job.id).folder / "function.pickle"
    assert stat.S_IMODE(pickled.stat().st_mode) == 0o600
    other = f"import workbench as wb; u = wb.UrlModule(url={job.id!r}); print(u(4)[0]); u.stop()"
    assert subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=True).stdout == "4\n"
    jobs.wait(job.id, timeout=10)
    assert server.status == "cancelled"
    with pytest.raises(EndpointDown, match="was stopped"):
        server(5)
    assert server.start()(6) == [6, folder]


def test_the_process_that_started_it_may_end(home: Path) -> None:
    code = "import workbench as wb\ndef twice(x): return x * 2\nprint(wb.ServerModule(twice).start().deployment.id)"
    first = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert wb.UrlModule(url="twice")(4) == 8
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert again == first  # the same function is served once


def test_a_class_of_a_script_is_the_same_in_every_process(home: Path) -> None:
    code = "import workbench as wb\nclass Twice:\n    def __call__(self, x): return x * 2\nprint(wb.ServerModule(Twice()).start().deployment.id)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_changed_function_replaces_the_server_and_the_same_one_does_not(home: Path) -> None:
    factor = {"is": 2}

    def times(x: int) -> int:
        return x * factor["is"]

    server = wb.ServerModule(times, name="times").start()
    first = server.endpoint.job_id
    assert server.start().endpoint.job_id == first
    twin = wb.ServerModule(times, name="times").start()
    assert twin.endpoint.job_id == first
    twin.stop()
    server.start()
    factor["is"] = 3
    second = server.endpoint.job_id
    assert server.start()(2) == 6
    assert server.endpoint.job_id != second
    jobs.wait(second, timeout=10)
    assert not jobs.store().job(second).state.active


def test_a_module_of_the_users_counts_with_its_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("inner_part", "def f(x): return x + 1"), ("outer_part", "import inner_part\ndef g(x): return inner_part.f(x)")):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    import outer_part  # type: ignore[import-not-found]

    server = wb.ServerModule(outer_part.g).start()
    assert server(1) == 2
    (tmp_path / "inner_part.py").write_text("def f(x): return x + 100")
    assert server.start()(1) == 101
    for name in ("inner_part", "outer_part"):
        del sys.modules[name]


def test_a_wanted_port_is_taken_kept_and_refused_when_it_is_not_free(home: Path) -> None:
    probe = wb.ServerModule(same, name="probe").start()
    port = int(probe.url.split(":")[2].split("/")[0])
    with pytest.raises(ArgumentError, match=f"Port {port} cannot be used"):
        wb.ServerModule(same, port=port, name="late").start()
    probe.stop()
    server = wb.ServerModule(same, port=port, name="late").start()
    assert server.url == f"http://127.0.0.1:{port}/generate"
    server._pre = lambda x: x + 1
    assert server.start()(1) == 2
    assert server.url == f"http://127.0.0.1:{port}/generate"


def test_a_killed_server_is_told_with_its_last_words_and_comes_up_again(home: Path) -> None:
    def slow(seconds: float) -> float:
        print("now it takes a while")
        time.sleep(seconds)
        return seconds

    server = wb.ServerModule(slow).start()
    pid = jobs.store().job(server.endpoint.job_id).pid
    assert pid is not None
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server, 30)
        until(lambda: "takes a while" in jobs.log_tail(server.endpoint.job_id))
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EndpointDown, match="has ended while it was in use") as caught:
            running.result(timeout=20)
    assert "now it takes a while" in caught.value.log_tail
    with pytest.raises(EndpointDown):
        server(0)
    assert server.start()(0) == 0


def test_a_server_that_is_stopped_while_it_answers_says_so(home: Path) -> None:
    server = wb.ServerModule(time.sleep, name="sleepy").start()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server, 60)
        time.sleep(0.3)
        wb.UrlModule(url="sleepy").stop()
        with pytest.raises(EndpointDown, match="was stopped"):
            running.result(timeout=20)


def test_what_cannot_be_loaded_there_fails_with_words(home: Path) -> None:
    class Fussy:
        def __reduce__(self) -> Any:
            return (__import__, ("a_module_that_is_not_there",))

        def __call__(self) -> None: ...

    with pytest.raises(JobFailed, match="a_module_that_is_not_there"):
        wb.ServerModule(Fussy(), name="fussy").start()


def test_a_stopped_server_can_be_resumed_as_it_was(home: Path) -> None:
    server = wb.ServerModule(lambda x: x + 1, name="again").start()
    job = server.deployment
    assert job is not None
    server.stop()
    assert server.status == "idle"
    resumed = job.resume()
    jobs.wait(resumed.id, timeout=30, ready=True)
    assert wb.UrlModule(url=resumed.id)(1) == 2


def test_a_key_of_ones_own_is_accepted_and_lies_in_no_other_place(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = wb.ServerModule(same, security_key="sesame-open-42").start()
    assert server(1) == 1
    assert ask(server.url, 2, "", **{"Security-Key": "sesame-open-42"}) == (200, "2")
    assert ask(server.url, 2, "sesame")[0] == 401
    away = wb.UrlModule(url=server.url, security_key="wrong-key-wrong")
    with pytest.raises(AuthenticationFailed) as caught:
        away(1)
    assert "wrong-key-wrong" not in f"{caught.value}{away}{vars(away)}"
    found = [p for p in home.rglob("*") if p.is_file() and b"sesame-open-42" in p.read_bytes()]
    assert [p.name for p in found] == ["security_key"]
    assert stat.S_IMODE(found[0].stat().st_mode) == 0o600
    assert "sesame" not in f"{server}{vars(server)}{caplog.text}"


# ---- side by side, and gone


def test_calls_run_side_by_side(home: Path) -> None:
    class Meeting:
        """Lets nobody go before two are there."""

        def __init__(self) -> None:
            self.came = 0

        def __call__(self) -> int:
            self.came += 1
            end = time.monotonic() + 20
            while self.came < 2 and time.monotonic() < end:
                time.sleep(0.01)
            return self.came

    server = wb.ServerModule(Meeting()).start()

    async def together() -> list[int]:
        return await asyncio.gather(server.acall(), server.acall())

    assert asyncio.run(together()) == [2, 2]
    with ThreadPoolExecutor(2) as pool:
        assert [f.result() for f in [pool.submit(server), pool.submit(server)]][1] >= 3


def test_coroutines_run_on_one_loop_and_are_cancelled_when_the_caller_leaves(home: Path) -> None:
    async def sleep(seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            print("the coroutine was cancelled")
            raise
        return f"{seconds}"

    server = wb.ServerModule(sleep).start()
    assert server(0) == "0"

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(server.acall(60), 0.5)

    asyncio.run(leave())
    until(lambda: "was cancelled" in jobs.log_tail(server.endpoint.job_id))


def test_context_of_one_call_is_not_seen_by_the_next(home: Path) -> None:
    class Count:
        def __call__(self) -> int:
            if "mark" not in vars(self):
                self.mark = contextvars.ContextVar("mark", default=0)  # made there: a context variable is not carried
            self.mark.set(self.mark.get() + 1)
            return self.mark.get()

    server = wb.ServerModule(Count()).start()
    assert [server(), server()] == [1, 1]


# ---- modules inside


@pytest.fixture
def model(home: Path) -> wb.TrainableModule:
    return wb.TrainableModule("echo").deploy_method(wb.deploy.dummy, delay=0.02).prompt(None)


def test_a_model_inside_is_started_once_and_called_where_it_runs(model: wb.TrainableModule) -> None:
    server = wb.ServerModule(model, post=lambda x, ori: f"post2({x})").start()
    assert server.submodules == [model]
    assert server("hi").startswith("post2(reply for hi, and")
    assert len(wb.jobs(kind="deploy", active=True)) == 2
    server.evalset(["1", "2", "3"])
    server.eval()
    assert [row.outputs[0].value[:17] for row in server.eval_result.rows] == [f"post2(reply for {i}" for i in "123"]
    first = server.endpoint.job_id
    assert server.start().endpoint.job_id == first  # what was asked meanwhile changes nothing


def test_a_model_that_a_function_only_mentions_is_started_too(model: wb.TrainableModule) -> None:
    server = wb.ServerModule(lambda text: model(text).upper(), name="loud").start()
    assert server("hi").startswith("REPLY FOR HI")


def test_a_models_text_streams_through_and_is_aborted_with_its_reader(model: wb.TrainableModule) -> None:
    server = wb.ServerModule(model, stream=True, name="talks").start()
    helper = wb.StreamCallHelper(server)
    pieces = [str(p) for p in helper("hello")]
    assert len(pieces) > 5
    assert "".join(pieces) == helper.result
    loud = model.share(stream=True)
    inner = wb.ServerModule(lambda text: f"[{loud(text)}]", name="inner").start()
    outer = wb.StreamCallHelper(inner)
    said = [str(p) for p in outer("hello")]
    assert len(said) > 5
    assert outer.result == f"[{''.join(said)}]"
    with server.stream("x" * 2000) as feed:
        next(feed)
    until(lambda: "went away" in jobs.log_tail(model.endpoint.job_id))


def test_the_tokens_of_models_inside_are_counted_here(model: wb.TrainableModule) -> None:
    loud = wb.ServerModule(lambda text: [model(text), model(text)], name="twice").start()

    class Outer(wb.ModuleBase):
        def forward(self, text: str) -> Any:
            return loud(text)

    outer = Outer()
    outer("hello")
    taken = loud.usage
    assert taken.total_tokens > 0
    assert outer.usage == loud.last_usage == taken
    loud.stream("hello").join()
    assert loud.usage == taken + taken
    assert model.usage.total_tokens == 0  # this object here was not asked


def test_a_model_that_is_gone_is_the_models_matter_and_start_deploys_it_again(model: wb.TrainableModule) -> None:
    server = wb.ServerModule(lambda text: model(text), name="asks").start()
    model.stop()
    with pytest.raises(EndpointDown) as caught:
        server("hello")
    assert "asks" not in caught.value.what
    assert any("Raised in the server asks" in note for note in caught.value.__notes__)
    assert server.status == "running"
    assert server.start()("hello").startswith("reply for hello")  # which deploys the model again


def test_a_server_inside_a_server_is_called_where_it_runs(home: Path) -> None:
    inner = wb.ServerModule(lambda x: x + 1, name="inner").start()
    outer = wb.ServerModule(lambda x: inner(x) * 10, name="outer").start()
    assert outer(1) == 20


def test_the_session_travels(home: Path) -> None:
    class Who(wb.ModuleBase):
        def forward(self) -> str | None:
            from workbench.modules.sessions import current

            talk = current.get()
            return talk.id if talk is not None else None

    server = wb.ServerModule(Who()).start()
    assert server() is None
    with session("阿里 & co"):
        assert server() == "阿里 & co"


def test_a_key_given_as_an_argument_is_not_written_into_a_file(home: Path) -> None:
    from workbench.core.endpoints import Endpoint
    from workbench.runtime.secrets.keys import hold

    far = wb.TrainableModule("far")
    far._serving.attach(Endpoint("https://example.invalid/v1", "far", source="openai", key_ref=hold("sk-only-in-memory")))
    with pytest.raises(ArgumentError, match="cannot be carried") as caught:
        wb.ServerModule(lambda text: far(text), name="far").start()
    assert "sk-only-in-memory" not in str(caught.value)
    assert not [p for p in home.rglob("*") if p.is_file() and b"sk-only-in-memory" in p.read_bytes()]
