"""How much of a file is in memory is told while somebody maps it in without letting Python run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import workbench
from workbench.runners.loading_size import size

RUNNERS = Path(workbench.__file__).parent / "runners"
LOAD = """
import ctypes, mmap, sys, time
sys.path.insert(0, sys.argv[1])
import loading_size
loading_size._SECONDS = 0.05
pause = ctypes.PyDLL(None).usleep  # keeps Python's lock, as a library does that loads
with loading_size.telling(sys.argv[2], worth=1 << 20), open(sys.argv[2], "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
    for start in range(0, len(data), len(data) // 4):
        for at in range(start, min(len(data), start + len(data) // 4), 4096):
            data[at]
        pause(400_000)
print("loaded")
"""


def test_the_bytes_that_are_mapped_in_are_told(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(os.urandom(1 << 20) * 32)
    env = {**os.environ, "WORKBENCH_EVENTS": str(tmp_path / "events")}
    done = subprocess.run([sys.executable, "-c", LOAD, str(RUNNERS), str(model)], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout == "loaded\n", done.stderr
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    told = [e["done"] for e in events]
    assert told == sorted(told)
    assert len(told) >= 3
    assert told[-1] > 0.9 * model.stat().st_size
    assert {(e["phase"], e["total"], e["unit"]) for e in events} == {("weights", 32 << 20, "bytes")}


def test_the_parts_of_a_model_count_together(tmp_path: Path) -> None:
    for i in (1, 2, 3):
        (tmp_path / f"m-0000{i}-of-00003.gguf").write_bytes(b"x" * i)
    (tmp_path / "m.gguf").write_bytes(b"xxxx")
    assert size(tmp_path / "m-00001-of-00003.gguf") == 6
    assert size(tmp_path / "m.gguf") == 4
    assert size(tmp_path / "gone.gguf") == 0
