"""Starts vLLM's OpenAI server and tells when it answers: ``serve_vllm.py SPEC.json``. Standard library only.

vLLM runs in a process of its own, as its command line would start it; the key reaches it through a variable, not through
its arguments, which every user of the machine can read.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import serving
else:
    import serving

GRACE_SECONDS = 6.0


def command(spec: dict[str, Any], port: int) -> list[str]:
    """vLLM's command line."""
    where = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", spec["served_name"]]
    return [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", spec["model"], *where, *spec["flags"]]


def main() -> None:
    with open(sys.argv[1]) as f:
        spec = json.load(f)
    key, port = serving.key(), serving.port(int(spec.get("port") or 0))
    serving.end_with_parent()
    if not key:
        serving.fail("There is no key to guard the server with.")
    serving.report("progress", phase="load", text=f"vLLM loads {spec['served_name']}")
    engine = subprocess.Popen(command(spec, port), env={**os.environ, "VLLM_API_KEY": key})
    asked = threading.Event()

    def stop(*_: object) -> None:
        asked.set()
        engine.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    serving.in_background(lambda: tell_when_healthy(port, spec["served_name"]))
    while engine.poll() is None:
        if asked.wait(0.2):
            try:
                engine.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                engine.kill()
            break
    code = 0 if asked.is_set() else engine.wait() or 1
    serving.report("exit", code=code)
    sys.exit(code)


def tell_when_healthy(port: int, model: str) -> None:
    """Report ``ready`` once the server says that it is well."""
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                serving.report("ready", url=f"http://127.0.0.1:{port}/v1", model=model)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


if __name__ == "__main__":
    main()
