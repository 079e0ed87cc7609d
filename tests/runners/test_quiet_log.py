"""An engine's log keeps what it says, and not the looks of those who look after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import workbench

RUNNER = Path(workbench.__file__).parent / "runners" / "serve_command.py"
ENGINE = r"""
import sys
out = sys.stdout.buffer
chat = b'INFO: "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
for part in (b'loading\r50 %\rdone\nINFO: 127.0.0.1:5 - "GET /met', b'rics HTTP/1.1" 200 OK\n' + chat):
    out.write(part)
    out.flush()
for line in ('GET /health HTTP/1.1" 200 OK', 'GET /v1/models HTTP/1.1" 200 OK', 'GET /metrics HTTP/1.1" 401 Unauthorized'):
    out.write(f'INFO: "{line}\n'.encode())
out.write(b"the last line has no end")
out.flush()
"""
KEPT = (
    "loading\r50 %\rdone\n"
    'INFO: "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
    'INFO: "GET /v1/models HTTP/1.1" 200 OK\n'
    'INFO: "GET /metrics HTTP/1.1" 401 Unauthorized\n'
    "the last line has no end"
)


def test_looks_that_went_well_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text(ENGINE)
    (tmp_path / "key").write_text("k")
    (tmp_path / "serve.json").write_text(json.dumps({"argv": ["{python}", "engine.py"], "served_name": "m"}))
    env = {**os.environ, "WORKBENCH_EVENTS": str(tmp_path / "events"), "WORKBENCH_KEY_FILE": str(tmp_path / "key")}
    done = subprocess.run([sys.executable, str(RUNNER), "serve.json"], cwd=tmp_path, env=env, capture_output=True, timeout=60)
    assert done.stdout.decode() == KEPT
