"""The wheel: what is in it, and that it works where there is no node and no source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXTENSION = "share/jupyter/labextensions/jupyter-llm-workbench"

USE = """
import shutil, sys
assert shutil.which("node") is None
import workbench as wb
assert wb.__file__.startswith(sys.argv[1]), wb.__file__
from workbench.server import WorkbenchApp
from workbench.widgets.monitor import Monitor
m = wb.TrainableModule("pocket")
m.start()
print("ANSWER", len(m("What can you do?")) > 0)
m.stop()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "workbench/labextension/static/style.js").exists():
        pytest.fail("The front end is not built: make setup")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_the_front_end_and_the_model_once(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for end in (
        "workbench/py.typed",
        "workbench/static/monitor.js",
        "workbench/static/chat.js",
        "workbench/pocket/models/pocket/model.safetensors",
        "workbench/pocket/models/pocket/pocket-q8_0.gguf",
        f"{EXTENSION}/package.json",
        f"{EXTENSION}/install.json",
        f"{EXTENSION}/static/style.js",
        "etc/jupyter/jupyter_server_config.d/jupyter_llm_workbench.json",
    ):
        assert len([n for n in names if n.endswith(end)]) == 1, end
    strays = [n for n in names if n.startswith("workbench/labextension") or n.endswith((".pyc", ".ts", ".tsx", ".map"))]
    assert not strays


def test_the_wheel_answers_without_node_and_without_the_source_tree(wheel: Path, home: Path, tmp_path: Path) -> None:
    place, bare = tmp_path / "site", tmp_path / "bin"
    bare.mkdir()
    installed = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--offline", "--target", str(place), str(wheel)],
        capture_output=True,
        text=True,
    )
    assert installed.returncode == 0, installed.stderr
    env = {**os.environ, "PYTHONPATH": str(place), "PATH": str(bare)}
    used = subprocess.run([sys.executable, "-c", USE, str(place)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert "ANSWER True" in used.stdout, used.stdout + used.stderr
