"""vLLM's command, arguments and runner. vLLM itself needs a GPU and is not run here: a stand-in takes its place, started by
the same command line, and answers its health check.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import workbench
from workbench import deploy, pocket
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.deploy.vllm_arguments import ARGUMENTS
from workbench.deploy.vllm_server import flags
from workbench.errors import ArgumentError

RUNNER = Path(workbench.__file__).parent / "runners" / "serve_vllm.py"
STAND_IN = """
import http.server, json, os, pathlib, sys
pathlib.Path("told.json").write_text(json.dumps({"argv": sys.argv[1:], "key": os.environ.get("VLLM_API_KEY")}))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""


def test_arguments_become_vllms_flags() -> None:
    given = {
        "tensor_parallel_size": 2,
        "enable-prefix-caching": True,
        "enable_chunked_prefill": False,
        "quantization": None,
        "hf_overrides": {"a": 1},
        "lora_modules": ["a=/x", "b=/y"],
    }
    joined = '--tensor-parallel-size 2 --enable-prefix-caching --no-enable-chunked-prefill --hf-overrides {"a":1} --lora-modules a=/x b=/y'
    assert " ".join(flags(given)).replace(": ", ":") == joined


def test_what_the_workbench_sets_itself_is_no_argument() -> None:
    assert {"max_model_len", "gpu_memory_utilization", "tool_call_parser", "enable_lora", "dtype"} <= ARGUMENTS
    assert ARGUMENTS.isdisjoint({"host", "port", "api_key", "model", "served_model_name", "ssl_keyfile", "uds"})
    for name, near in (("max_modellen", "max_model_len"), ("api_key", "")):
        with pytest.raises(ArgumentError, match=near or "does not know"):
            deploy.vllm().check(DeploySpec(str(pocket.path()), arguments={name: 1}).to_json())
    deploy.vllm().check(DeploySpec(str(pocket.path()), arguments={"max-model-len": 1, "--dtype": "auto"}).to_json())


def test_the_runner_starts_vllm_on_this_machine_only_and_hides_the_key(tmp_path: Path) -> None:
    package = tmp_path / "site" / "vllm" / "entrypoints" / "cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text(STAND_IN)
    place = JobPlace("j", tmp_path / "job")
    place.work.mkdir(parents=True)
    (stage,) = deploy.vllm().plan(DeploySpec("/models/m", served_name="m", arguments={"max_model_len": 64}).to_json(), place)
    assert stage.serves
    assert stage.environment == "vllm"
    for name, text in stage.files.items():
        (place.folder / name).write_text(text)
    place.key.write_text("hidden-key")
    env = {"WORKBENCH_EVENTS": str(place.events), "WORKBENCH_KEY_FILE": str(place.key), "PYTHONPATH": str(tmp_path / "site"), **stage.env}
    process = subprocess.Popen([sys.executable, *stage.argv], cwd=place.work, env=env)
    events: list[dict[str, object]] = []
    end = time.monotonic() + 20
    while not any(e["event"] == "ready" for e in events) and time.monotonic() < end:
        time.sleep(0.05)
        events = [json.loads(line) for line in place.events.read_text().splitlines()] if place.events.exists() else []
    ready = next(e for e in events if e["event"] == "ready")
    told = json.loads((place.work / "told.json").read_text())
    port = str(ready["url"]).rsplit(":", 1)[1].removesuffix("/v1")
    assert told["argv"] == ["serve", "/models/m", "--host", "127.0.0.1", "--port", port, "--served-model-name", "m", "--max-model-len", "64"]
    assert told["key"] == "hidden-key"
    assert ready["model"] == "m"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_an_engine_that_ends_by_itself_is_a_failure(tmp_path: Path) -> None:
    package = tmp_path / "site" / "vllm" / "entrypoints" / "cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text("raise ValueError('No available memory for the KV cache')")
    (tmp_path / "serve.json").write_text(json.dumps({"model": "m", "served_name": "m", "flags": []}))
    (tmp_path / "key").write_text("k")
    env = {"WORKBENCH_EVENTS": str(tmp_path / "events"), "WORKBENCH_KEY_FILE": str(tmp_path / "key"), "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, str(RUNNER), str(tmp_path / "serve.json")], env=env, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    failure = deploy.vllm().explain("serve", done.returncode, done.stderr)
    assert "KV cache" in failure.cause
    assert "gpu_memory_utilization" in failure.fix
