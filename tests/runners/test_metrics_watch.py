"""A watch over a server: what it reports, whom it ends and when. A small server tells numbers as llama.cpp's and vLLM's do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.runners.metrics_readings import Reading, exposition
from workbench.runners.metrics_watch import Watch, values

RUNNERS = Path(workbench.__file__).parent / "runners"
KEY = "hidden-key"
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import serving
serving.watch(sys.argv[2], serving.key(), "workbench", float(sys.argv[3]))
serving.wait_for_end()
"""


class Numbers:
    """A server whose numbers a test sets."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {"requests_running": 0, "requests_waiting": 0, "requests_total": 0, "generation_tokens_total": 0}
        self.status, self.hang = 200, threading.Event()
        self.hang.set()
        self.asked: list[tuple[str, str]] = []
        numbers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                numbers.asked.append((self.path, self.headers.get("Authorization", "")))
                numbers.hang.wait(30)
                self.send_response(numbers.status)
                self.end_headers()
                self.wfile.write(exposition(**numbers.told).encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Numbers]:
    made = Numbers()
    yield made
    made.hang.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def watch(server: Numbers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[tuple[str, dict[str, Any]]]]]:
    """Begin to watch, with looks a tenth of a second apart; what was reported."""
    monkeypatch.setattr("workbench.runners.metrics_watch.BUSY", 0.1)
    begun: list[Watch] = []

    def go(**more: Any) -> list[tuple[str, dict[str, Any]]]:
        told: list[tuple[str, dict[str, Any]]] = []
        begun.append(Watch(server.url, KEY, "workbench", 0, lambda event, **data: told.append((event, data)), **more).start())
        return told

    yield go
    for one in begun:
        one.stop()


def until(true: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_only_changes_are_reported(server: Numbers, watch: Callable[..., Any]) -> None:
    told = watch()
    until(lambda: len(server.asked) > 4)
    assert [e for e, _ in told] == ["metric"]
    assert told[0][1]["values"] == {"running": 0, "waiting": 0, "requests": 0, "tokens_per_second": 0}
    server.told |= {"requests_running": 2, "requests_total": 2, "generation_tokens_total": 50}
    until(lambda: told[-1][1]["values"]["running"] == 2)
    assert told[-1][1]["values"]["requests"] == 2
    assert max(row["values"]["tokens_per_second"] for _, row in told) > 0
    until(lambda: told[-1][1]["values"]["tokens_per_second"] == 0)  # nothing more was written since
    assert {path for path, _ in server.asked} == {"/metrics"}
    assert {shown for _, shown in server.asked} == {f"Bearer {KEY}"}


def test_requests_made_before_it_was_ready_do_not_count(server: Numbers, watch: Callable[..., Any]) -> None:
    server.told |= {"requests_total": 7, "requests_running": 1}  # one to warm up, and one that somebody asked at once
    told = watch()
    until(lambda: told)
    assert told[0][1]["values"]["requests"] == 1
    server.told |= {"requests_total": 8, "requests_running": 0}
    until(lambda: told[-1][1]["values"]["requests"] == 2)


def test_counters_that_come_with_the_first_request_count_it(server: Numbers, watch: Callable[..., Any]) -> None:
    counters = {name: server.told.pop(name) for name in ("requests_total", "generation_tokens_total")}  # SGLang's are not there before
    told = watch()
    until(lambda: len(server.asked) > 2)
    assert told[0][1]["values"] == {"running": 0, "waiting": 0}
    server.told |= {**counters, "requests_total": 2, "generation_tokens_total": 50}
    until(lambda: told[-1][1]["values"].get("requests") == 2)
    assert max(row["values"].get("tokens_per_second", 0) for _, row in told) > 0


def test_a_server_that_is_ill_for_a_while_is_looked_at_again(server: Numbers, watch: Callable[..., Any]) -> None:
    told = watch()
    until(lambda: told)
    server.status = 500
    seen = len(server.asked)
    until(lambda: len(server.asked) > seen + 2)
    server.status, server.told["requests_running"] = 200, 1
    until(lambda: told[-1][1]["values"]["running"] == 1)
    assert {event for event, _ in told} == {"metric"}


def test_an_unknown_kind_of_server_is_refused(server: Numbers) -> None:
    with pytest.raises(ValueError, match="vllm"):
        Watch(server.url, KEY, "vlm", 0, print)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (
            Reading(1, 0, 5, 300, 80),
            Reading(0, 0, 4, 100, 0),
            {"running": 1, "waiting": 0, "requests": 5, "tokens_per_second": 100, "prompt_tokens_per_second": 40},
        ),
        (Reading(0, 0, 0, 10), Reading(0, 0, 9, 100), {"running": 0, "waiting": 0, "requests": 0, "tokens_per_second": 0}),
        (Reading(0, 3, cache=1.7), None, {"running": 0, "waiting": 3, "cache_usage": 1}),
    ],
    ids=["rates of counters", "a counter that was started anew", "first look"],
)
def test_what_two_looks_tell(now: Reading, before: Reading | None, expected: dict[str, float]) -> None:
    assert values(now, (10.0, before) if before else None, 12.0) == expected


class Process:
    """A runner with nothing but a watch, as a process of its own."""

    def __init__(self, folder: Path, url: str, ttl: float) -> None:
        self.folder = folder
        (folder / "key").write_text(KEY)
        names = {"EVENTS": "events", "CONTROL": "control", "KEY_FILE": "key"}
        env = {**os.environ, **{f"WORKBENCH_{name}": str(folder / file) for name, file in names.items()}}
        self.process = subprocess.Popen([sys.executable, "-c", RUN, str(RUNNERS), url, str(ttl)], env=env)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "events").read_text().splitlines()]

    def say(self, **line: Any) -> None:
        with (self.folder / "control").open("a") as f:
            f.write(json.dumps(line) + "\n")


@pytest.fixture
def process(tmp_path: Path, server: Numbers) -> Iterator[Callable[[float], Process]]:
    made: list[Process] = []

    def go(ttl: float) -> Process:
        made.append(Process(tmp_path, server.url, ttl))
        return made[-1]

    yield go
    for one in made:
        one.process.kill()
        one.process.wait()


def test_an_idle_server_is_ended_with_a_word(process: Callable[[float], Process]) -> None:
    ended = process(0.5)
    assert ended.process.wait(20) == 0
    *_, notice, result, end = ended.events
    assert notice["text"] == "Nobody has asked for 0.5 seconds. The deployment ends."
    assert result["values"] == {"ended": "idle", "reason": "Nobody has asked for 0.5 seconds."}
    assert end["event"] == "exit"


@pytest.mark.parametrize("busy", [{"requests_running": 1}, {"requests_waiting": 1}])
def test_a_busy_server_is_never_ended(process: Callable[[float], Process], server: Numbers, busy: dict[str, float]) -> None:
    server.told |= busy
    one = process(0.3)
    with pytest.raises(subprocess.TimeoutExpired):
        one.process.wait(1.5)
    server.told |= dict.fromkeys(busy, 0)
    assert one.process.wait(20) == 0


def test_short_requests_between_two_looks_keep_it_alive(process: Callable[[float], Process], server: Numbers) -> None:
    one = process(1.0)
    for _ in range(10):
        server.told["requests_total"] += 1
        time.sleep(0.2)
    assert one.process.poll() is None
    assert one.process.wait(20) == 0


def test_a_server_that_hangs_is_not_taken_for_idle(process: Callable[[float], Process], server: Numbers) -> None:
    server.hang.clear()
    one = process(0.3)
    with pytest.raises(subprocess.TimeoutExpired):
        one.process.wait(1.5)


def test_the_time_out_can_be_changed_while_it_runs(process: Callable[[float], Process]) -> None:
    one = process(0)
    with pytest.raises(subprocess.TimeoutExpired):
        one.process.wait(1)
    one.say(command="save")
    one.say(command="ttl", seconds="soon")
    one.say(command="ttl", seconds=0.3)
    assert one.process.wait(20) == 0
    assert "0.3 seconds" in one.events[-2]["values"]["reason"]
