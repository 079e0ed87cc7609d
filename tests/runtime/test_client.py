"""Streams from the real llama.cpp server with the shipped model: sync, async, many at once, closed early, interrupted."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench import pocket
from workbench.core.endpoints import Endpoint, Timeouts
from workbench.core.events import Piece
from workbench.core.messages import ChatRequest, as_messages
from workbench.errors import AuthenticationFailed, BadRequest, ContextTooLong, EndpointDown, EndpointTimeout, StreamBroken
from workbench.runtime import loop
from workbench.runtime.answering.client import acomplete, open_stream

RUNNERS = Path(workbench.__file__).parent / "runners"
ENDLESS = {"max_tokens": 1900, "ignore_eos": True, "temperature": 1.0}


@dataclass
class Engine:
    """A served model, its process, and how to look into it."""

    endpoint: Endpoint
    process: subprocess.Popen[bytes]
    key: str

    def busy(self) -> int:
        address = self.endpoint.url.removesuffix("/v1") + "/slots"
        with urllib.request.urlopen(urllib.request.Request(address, headers={"Authorization": f"Bearer {self.key}"}), timeout=5) as answer:
            return sum(slot["is_processing"] for slot in json.load(answer))


def start_engine(folder: Path, **parameters: Any) -> Engine:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key").write_text("the-key-of-this-test")
    gguf = next(pocket.path().glob("*.gguf"))
    spec = {"model": str(gguf), "served_name": "pocket", "port": 0, "context_length": 2048, "parameters": {"sampling.temp": 0.0, **parameters}}
    (folder / "serve.json").write_text(json.dumps(spec))
    env = {**os.environ, "WORKBENCH_EVENTS": str(folder / "events.jsonl"), "WORKBENCH_KEY_FILE": str(folder / "key"), "OMP_NUM_THREADS": "1"}
    with (folder / "log.txt").open("wb") as log:
        argv = [sys.executable, str(RUNNERS / "serve_llama_cpp.py"), str(folder / "serve.json")]
        process = subprocess.Popen(argv, env=env, stdout=log, stderr=log)
    ready = until(lambda: event(folder / "events.jsonl", "ready"), 30)
    return Engine(Endpoint(ready["url"], ready["model"], key_file=str(folder / "key")), process, "the-key-of-this-test")


def event(path: Path, name: str) -> Any:
    lines = path.read_text().splitlines() if path.exists() else []
    return next((d for d in map(json.loads, lines) if d["event"] == name), None)


def until(look: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
    return found


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = start_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.process.terminate()
    assert engine.process.wait(5) == 0


def ask(text: str = "Hello!", **parameters: Any) -> ChatRequest:
    return ChatRequest(as_messages(text), parameters={"max_tokens": 40, **parameters})


def test_the_blocking_answer_is_the_stream_joined(engine: Engine) -> None:
    pieces = list(open_stream(engine.endpoint, ask()))
    whole = open_stream(engine.endpoint, ask()).join()
    assert len(pieces) > 5
    assert all(isinstance(p, Piece) and p.tag == "text" for p in pieces)
    assert "".join(pieces) == whole.text
    assert whole.finish_reason == "stop"
    assert (whole.usage.completion_tokens, whole.usage.estimated) == (len(pieces) + 1, False)
    assert whole.model == "pocket"
    assert whole.timing.first_token is not None
    assert 0 < whole.timing.first_token <= whole.timing.total


def test_next_and_a_late_join_lose_nothing(engine: Engine) -> None:
    stream = open_stream(engine.endpoint, ask())
    first = next(stream)
    whole = stream.join()
    assert whole.text.startswith(first)
    assert stream.text == whole.text
    assert stream.completion == whole
    with pytest.raises(StopIteration):
        next(stream)


def test_an_answer_cut_by_max_tokens_says_so(engine: Engine) -> None:
    whole = open_stream(engine.endpoint, ask("What can you do?", max_tokens=3)).join()
    assert (whole.finish_reason, whole.usage.completion_tokens) == ("length", 3)


def test_closing_a_stream_stops_the_engine(engine: Engine) -> None:
    stream = open_stream(engine.endpoint, ask(**ENDLESS))
    next(stream)
    assert engine.busy() == 1
    stream.close()
    until(lambda: engine.busy() == 0, 2)
    assert stream.closed
    assert stream.finish_reason == "cancelled"
    assert 0 < len(stream.join().text) < 8000


def test_breaking_out_of_a_loop_stops_the_engine(engine: Engine) -> None:
    stream = open_stream(engine.endpoint, ask(**ENDLESS))
    for _ in stream:
        break
    until(lambda: engine.busy() == 0, 2)
    assert stream.closed


def test_losing_the_last_reference_stops_the_engine(engine: Engine) -> None:
    stream = open_stream(engine.endpoint, ask(**ENDLESS))
    next(stream)
    assert engine.busy() == 1
    del stream
    gc.collect()
    until(lambda: engine.busy() == 0, 2)


def test_an_error_in_the_readers_loop_stops_the_engine(engine: Engine) -> None:
    def read() -> None:
        for _ in open_stream(engine.endpoint, ask(**ENDLESS)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read()
    until(lambda: engine.busy() == 0, 2)


def test_an_interrupt_while_waiting_closes_the_stream(engine: Engine) -> None:
    def interrupt() -> None:
        until(lambda: engine.busy() == 1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    stream = open_stream(engine.endpoint, ask(**ENDLESS))
    with pytest.raises(KeyboardInterrupt):
        stream.join()
    assert stream.closed
    until(lambda: engine.busy() == 0, 2)


def marked(number: int) -> tuple[str, ChatRequest]:
    """An answer that only this caller can get, token by token: the grammar allows no other."""
    text = f"answer {number} " + "-".join(str(number * k) for k in range(1, 12))
    return text, ask(f"Say {number}.", max_tokens=200, grammar=f'root ::= "{text}"')


def test_two_streams_in_one_thread_and_sixteen_threads_never_mix(engine: Engine) -> None:
    (text_one, ask_one), (text_two, ask_two) = marked(3), marked(7)
    one, two = iter(open_stream(engine.endpoint, ask_one)), iter(open_stream(engine.endpoint, ask_two))
    told: dict[str, list[str]] = {text_one: [], text_two: []}
    readers = {text_one: one, text_two: two}
    while readers:
        for text, reader in list(readers.items()):
            piece = next(reader, None)
            if piece is None:
                del readers[text]
            else:
                told[text].append(piece)
    assert all("".join(pieces) == text and len(pieces) > 10 for text, pieces in told.items())

    def body(number: int) -> bool:
        text, request = marked(number)
        return all("".join(open_stream(engine.endpoint, request)) == text for _ in range(3))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(body, range(100, 116)))


async def test_sync_use_works_inside_a_running_event_loop(engine: Engine) -> None:
    assert open_stream(engine.endpoint, ask()).join().text == (await acomplete(engine.endpoint, ask())).text


async def test_async_iteration_gives_the_same_pieces(engine: Engine) -> None:
    pieces = [p async for p in open_stream(engine.endpoint, ask())]
    assert "".join(pieces) == open_stream(engine.endpoint, ask()).join().text


async def test_breaking_out_of_async_for_stops_the_engine(engine: Engine) -> None:
    async with open_stream(engine.endpoint, ask(**ENDLESS)) as stream:
        async for _ in stream:
            break
    await asyncio.to_thread(until, lambda: engine.busy() == 0, 2)


async def test_cancelling_the_awaiting_task_stops_the_engine(engine: Engine) -> None:
    task = asyncio.ensure_future(acomplete(engine.endpoint, ask(**ENDLESS)))
    await asyncio.to_thread(until, lambda: engine.busy() == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(until, lambda: engine.busy() == 0, 2)


async def test_many_answers_at_once_come_each_to_its_caller(engine: Engine) -> None:
    wanted = [marked(n) for n in range(20, 32)]
    answers = await asyncio.gather(*(acomplete(engine.endpoint, request) for _, request in wanted))
    assert [a.text for a in answers] == [text for text, _ in wanted]


def test_a_wrong_key_and_a_missing_one_are_told_without_the_key(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG_KEY", "not-the-right-one")
    with pytest.raises(AuthenticationFailed, match="WRONG_KEY") as caught:
        open_stream(replace(engine.endpoint, key_file="", key_env="WRONG_KEY"), ask()).join()
    assert "not-the-right-one" not in repr(caught.value) + str(caught.value)
    with pytest.raises(AuthenticationFailed, match="NO_SUCH_KEY"):
        open_stream(replace(engine.endpoint, key_file="", key_env="NO_SUCH_KEY"), ask()).join()
    with pytest.raises(AuthenticationFailed, match="gone"):
        open_stream(replace(engine.endpoint, key_file="/nowhere/gone"), ask()).join()


def test_the_engines_refusals_keep_their_words(engine: Engine) -> None:
    with pytest.raises(ContextTooLong, match="exceeds the available context"):
        open_stream(engine.endpoint, ask("Hello! " * 9000)).join()
    with pytest.raises(BadRequest, match="max_tokens"):
        open_stream(engine.endpoint, ask(max_tokens="many")).join()


def test_a_json_schema_is_kept(engine: Engine) -> None:
    schema = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "sum", "schema": schema}}
    assert set(json.loads(open_stream(engine.endpoint, ask("Add 2 and 2.", response_format=form)).join().text)) == {"sum"}


def test_the_official_client_talks_to_the_same_endpoint(engine: Engine) -> None:
    import openai

    client = openai.OpenAI(base_url=engine.endpoint.url, api_key=engine.key)
    assert [m.id for m in client.models.list()] == ["pocket"]
    messages: Any = [{"role": "user", "content": "Hello!"}]
    chunks = client.chat.completions.create(model="pocket", messages=messages, stream=True, max_tokens=40)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == open_stream(engine.endpoint, ask()).join().text
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=engine.endpoint.url, api_key="wrong").chat.completions.create(model="pocket", messages=messages)


def test_an_engine_killed_in_the_middle_breaks_the_stream_and_keeps_what_came(tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "doomed")
    stream = open_stream(engine.endpoint, ask(**ENDLESS))
    got = next(stream)
    engine.process.kill()
    engine.process.wait()
    with pytest.raises(StreamBroken) as caught:
        stream.join()
    assert caught.value.partial.startswith(got)
    with pytest.raises(EndpointDown, match="Nobody answers"):
        open_stream(engine.endpoint, ask()).join()


def test_the_engine_ends_when_the_process_that_started_it_dies(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(Path(__file__)), str(tmp_path)])
    parent.wait(30)
    pid = int((tmp_path / "pid").read_text())

    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    until(gone, 5)


_PARENT = """
import importlib.util, os, pathlib, sys
spec = importlib.util.spec_from_file_location("helpers", sys.argv[1])
helpers = importlib.util.module_from_spec(spec)
sys.modules["helpers"] = helpers
spec.loader.exec_module(helpers)
folder = pathlib.Path(sys.argv[2])
engine = helpers.start_engine(folder)
(folder / "pid").write_text(str(engine.process.pid))
os._exit(0)
"""


def test_time_limits_end_a_wait(engine: Engine) -> None:
    with pytest.raises(EndpointTimeout, match="total"):
        open_stream(engine.endpoint, ask(**ENDLESS), timeouts=Timeouts(total=0.15)).join()
    until(lambda: engine.busy() == 0, 2)


def test_context_variables_of_the_caller_reach_the_loop() -> None:
    who: ContextVar[str] = ContextVar("who", default="nobody")

    async def read() -> str:
        await asyncio.sleep(0)
        return who.get()

    def call(name: str) -> str:
        who.set(name)
        return loop.run(read())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, "abcd")) == list("abcd")
    assert loop.run(read()) == "nobody"


def test_waiting_on_the_background_loop_itself_is_refused() -> None:
    async def nested() -> None:
        loop.run(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="background loop"):
        loop.run(nested())


def test_a_forked_child_has_a_loop_of_its_own(engine: Engine) -> None:
    code = f"""
import os, sys
from workbench.core.endpoints import Endpoint
from workbench.core.messages import ChatRequest, as_messages
from workbench.runtime.answering.client import open_stream
def answer():
    return open_stream(Endpoint(**{engine.endpoint.to_json()!r}), ChatRequest(as_messages("Hello!"), parameters={{"max_tokens": 9}})).join().text
first = answer()
pid = os.fork()
if pid == 0:
    os._exit(0 if answer() == first else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=30).returncode == 0
