"""From nothing to the first answer: ``start()`` and a call of ours against the engine's bare command and a bare request. The pocket model on
llama.cpp (its server in our runner, started by hand), and on vLLM (``vllm serve`` by hand) where its environment is built.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

import workbench as wb
from workbench import envs
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.errors import WorkbenchError

from .ratio import Ratio, difference, medians

KEY = "a-key-of-the-benchmark"
ENGINES: dict[str, tuple[dict[str, Any], int]] = {"llama_cpp": ({}, 7), "vllm": ({"max_model_len": 512}, 2)}


def ours(engine: str, arguments: dict[str, Any]) -> float:
    """Seconds to the first answer, as a user has it."""
    begin = time.perf_counter()
    model = wb.TrainableModule("pocket").deploy_method(engine, **arguments).start()
    model("Hello!", max_tokens=1)
    took = time.perf_counter() - begin
    model.stop()
    return took


def answered(url: str, process: subprocess.Popen[str]) -> None:
    """Ask until there is an answer."""
    body = {"model": "pocket", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 1}
    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=120, trust_env=False) as client:
        while process.poll() is None:
            try:
                if client.post(f"{url}/chat/completions", json=body).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
    raise RuntimeError(f"the server ended with {process.returncode}")


def runner_by_hand() -> float:
    """llama.cpp's server by the command that the supervisor runs, with nothing of ours around it."""
    spec = DeploySpec(str(wb.pocket.path()), served_name="pocket")
    stage = list(wb.deploy.llama_cpp().plan(spec.to_json(), JobPlace("job", Path("job"))))[-1]
    with tempfile.TemporaryDirectory() as folder:
        file, key = Path(folder, "serve.json"), Path(folder, "key")
        file.write_text(stage.files["serve.json"], encoding="utf-8")
        key.write_text(KEY, encoding="utf-8")
        begin = time.perf_counter()
        command = [sys.executable, stage.argv[0], str(file)]
        process = subprocess.Popen(
            command, env={**os.environ, **stage.env, "WORKBENCH_KEY_FILE": str(key)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert process.stdout is not None
            ready = next(d for line in process.stdout if line.startswith("{") and (d := json.loads(line)).get("event") == "ready")
            answered(ready["url"], process)
            return time.perf_counter() - begin
        finally:
            process.kill()
            process.wait()


def command_by_hand(arguments: dict[str, Any]) -> float:
    """vLLM by the line that `deploy_command` shows."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    line = wb.TrainableModule("pocket").deploy_method("vllm", **arguments).deploy_command().replace("{port}", str(port)).replace("{key}", KEY)
    variables = {"VLLM_API_KEY": KEY, "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    words = shlex.split(line)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    begin = time.perf_counter()
    process = subprocess.Popen(words, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    try:
        answered(f"http://127.0.0.1:{port}/v1", process)
        return time.perf_counter() - begin
    finally:
        process.terminate()
        process.wait(60)


def measure() -> Iterator[Ratio]:
    for engine, (arguments, rounds) in ENGINES.items():
        try:
            envs.check(getattr(wb.deploy, engine).environment)
        except WorkbenchError as e:
            print(f"  without {engine}: {e.what}", file=sys.stderr)
            continue

        def bare(engine: str = engine, arguments: dict[str, Any] = arguments) -> float:
            return runner_by_hand() if engine == "llama_cpp" else command_by_hand(arguments)

        ours(engine, arguments)
        us, them = medians(rounds, lambda engine=engine, arguments=arguments: ours(engine, arguments), bare)  # type: ignore[misc]
        against = "its server by hand" if engine == "llama_cpp" else "its command by hand"
        yield difference(f"start of {engine}, to the first answer", us, them, "s", against, at_most=1.0 if engine == "llama_cpp" else 3.0)
