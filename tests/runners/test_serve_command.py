"""The runner of engines that are command lines. A small server stands for the engine: what is tested is the start, the key, the port, the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import workbench
from workbench.runners import engine_words

RUNNERS = Path(workbench.__file__).parent / "runners"
STAND_IN = """
import http.server, json, os, pathlib, subprocess, sys, time
port, mode = int(sys.argv[1]), sys.argv[2]
with open("told.jsonl", "a") as f:
    seen = {"key": os.environ.get("THE_KEY"), "more": os.environ.get("MORE"), "gone": os.environ.get("GONE")}
    f.write(json.dumps({"argv": sys.argv[1:], **seen}) + "\\n")
if mode == "taken-once" and not os.path.exists("taken"):
    open("taken", "w").close()
    sys.exit("OSError: [Errno 98] Address already in use")
if mode == "dies":
    print("(EngineCore pid=7) ERROR 11-21 08:29:36 [core.py:5] ValueError: No memory is left for the KV cache", flush=True)
    sys.exit("(APIServer pid=6) RuntimeError: Engine core initialization failed. See root cause above.")
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"])
pathlib.Path("child").write_text(str(child.pid))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers.get("Authorization") == "Bearer " + os.environ["THE_KEY"] or mode == "open"
        self.send_response(200 if self.path == "/health" or known else 401)
        self.end_headers()
print("loading\\r50 %\\rdone", flush=True)
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


class Runner:
    """The runner with a stand-in."""

    def __init__(self, folder: Path, mode: str, **spec: Any) -> None:
        self.folder = folder
        (folder / "engine.py").write_text(STAND_IN)
        (folder / "key").write_text("hidden-key")
        body = {
            "argv": ["{python}", "engine.py", "{port}", mode],
            "served_name": "m",
            "title": "The engine",
            "key_env": "THE_KEY",
            "env": {"MORE": "at {port}", "GONE": None},
            "endpoint": {"options": {"engine": "e"}},
            "grace": 1.0,
            **spec,
        }
        (folder / "serve.json").write_text(json.dumps(body))
        env = {**os.environ, "WORKBENCH_EVENTS": str(folder / "events"), "WORKBENCH_KEY_FILE": str(folder / "key"), "GONE": "here"}
        with (folder / "log").open("wb") as log:
            command = [sys.executable, str(RUNNERS / "serve_command.py"), "serve.json"]
            self.process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)

    @property
    def events(self) -> list[dict[str, Any]]:
        file = self.folder / "events"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def wait_for(self, event: str) -> dict[str, Any]:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for e in self.events:
                if e["event"] == event:
                    return e
            time.sleep(0.05)
        raise AssertionError(f"no {event} in {self.events}")

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "told.jsonl").read_text().splitlines()]


def gone(pid: int) -> bool:
    """Whether the process has ended; nobody may have fetched its exit code."""
    try:
        process = psutil.Process(pid)
        psutil.wait_procs([process], 5)
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    started: list[Runner] = []

    def start(mode: str, **spec: Any) -> Runner:
        started.append(Runner(tmp_path, mode, **spec))
        return started[-1]

    yield start
    for runner in started:
        runner.process.kill()
        runner.process.wait()


def test_the_command_gets_port_key_and_variables_and_is_ended_with_all_it_started(run: Callable[..., Runner]) -> None:
    runner = run("serves")
    ready = runner.wait_for("ready")
    port = str(ready["url"]).rsplit(":", 1)[1].removesuffix("/v1")
    assert runner.told == [{"argv": [port, "serves"], "key": "hidden-key", "more": f"at {port}", "gone": None}]
    assert ready["model"] == "m"
    assert ready["options"] == {"engine": "e"}
    assert "hidden-key" not in str([p.cmdline() for p in psutil.Process(runner.process.pid).children(recursive=True)])
    assert (runner.folder / "log").read_bytes().startswith(b"loading\r50 %\rdone\n")
    runner.process.send_signal(signal.SIGTERM)
    assert runner.process.wait(20) == 0
    assert gone(int((runner.folder / "child").read_text()))  # although it does not hear SIGTERM
    assert runner.events[-1]["event"] == "exit"


def test_a_port_that_is_taken_meanwhile_is_replaced(run: Callable[..., Runner]) -> None:
    runner = run("taken-once")
    runner.wait_for("ready")
    ports = [t["argv"][0] for t in runner.told]
    assert len(ports) == 2
    assert ports[0] in runner.wait_for("notice")["text"]


def test_an_engine_that_lets_anybody_in_is_ended(run: Callable[..., Runner]) -> None:
    runner = run("open")
    assert runner.process.wait(30) == 1
    assert "without a key" in runner.wait_for("error")["message"]
    assert "ready" not in [e["event"] for e in runner.events]
    assert gone(int((runner.folder / "child").read_text()))


def test_an_early_death_is_told_with_its_cause(run: Callable[..., Runner]) -> None:
    runner = run("dies")
    assert runner.process.wait(20) == 1
    error = runner.wait_for("error")
    assert error["message"] == "The engine ended before it served (exit code 1): ValueError: No memory is left for the KV cache"


def test_an_engine_that_is_killed_while_it_serves_is_told(run: Callable[..., Runner]) -> None:
    runner = run("serves")
    runner.wait_for("ready")
    engine = psutil.Process(runner.process.pid).children()[0]
    engine.kill()
    assert runner.process.wait(20) == 137
    assert runner.wait_for("error")["message"].startswith("The engine ended while it served (the signal SIGKILL)")


def test_a_command_that_is_not_there_is_told(run: Callable[..., Runner]) -> None:
    runner = run("serves", argv=["/nowhere/engine"])
    assert runner.process.wait(20) == 1
    assert "/nowhere/engine" in runner.wait_for("error")["message"]


def test_without_the_process_above_it_ends(tmp_path: Path, run: Callable[..., Runner]) -> None:
    """A supervisor that was killed cannot end it."""
    folder = tmp_path / "inner"
    folder.mkdir()
    code = "import sys; from pathlib import Path; from test_serve_command import Runner"
    code += "; r = Runner(Path(sys.argv[1]), 'serves'); r.wait_for('ready'); print(r.process.pid)"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    above = subprocess.run([sys.executable, "-c", code, str(folder)], env=env, capture_output=True, text=True, timeout=60)
    assert gone(int(above.stdout))
    assert gone(int((folder / "child").read_text()))


INSPECTED = "  Value error, Model architectures ['A'] failed to be inspected. [type=value_error]"
VALIDATION = "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["(EngineCore pid=7) ValueError: the cause", "(APIServer pid=6) RuntimeError: failed. See root cause above."], "ValueError: the cause"),
        (["ERROR 11-21 09:13:30 [registry.py:1] ImportError: no x", VALIDATION, INSPECTED], "ImportError: no x"),
        (
            [VALIDATION, "  Value error, A is too long. [type=value_error, input_value=1]", "    For further information"],
            "ValueError: A is too long.",
        ),
        (["usage: vllm", "vllm serve: error: unrecognized arguments: --x"], "vllm serve: error: unrecognized arguments: --x"),
        (["\x1b[31mIt just stopped\x1b[0m", "", "-----"], "It just stopped"),
        ([], ""),
    ],
)
def test_the_line_with_the_cause_is_found(lines: list[str], reason: str) -> None:
    assert engine_words.reason(lines) == reason
