"""Calls of a served object: values, methods, addresses, errors, and who is let in. One real server for all."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import workbench as wb
from workbench.errors import ArgumentError, BadRequest, ServerError
from workbench.runtime.work import jobs

from ..support.guarded import assert_guarded
from ..support.served import ask, key_of


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


def test_a_page_in_a_browser_may_call_with_the_key_wherever_it_came_from(shop: wb.ServerModule) -> None:
    page = {"Origin": "https://a.page", "Content-Type": "application/json"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    before = httpx.options(shop.url, headers={**page, **asked})
    assert (before.status_code, before.content) == (204, b"")
    assert before.headers["access-control-allow-headers"] == "authorization,content-type"
    refused = httpx.post(shop.url, json="a", headers=page)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
    answer = httpx.post(shop.url.replace("generate", "call/sell"), json=0, headers={**page, "Authorization": f"Bearer {key_of(shop)}"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


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
