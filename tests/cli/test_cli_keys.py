"""``workbench keys``: kept without being shown or typed as an argument."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RING = """
import json, pathlib
from keyring.backend import KeyringBackend

class FileRing(KeyringBackend):
    priority = 9
    path = pathlib.Path(__file__).with_name("kept.json")
    def _all(self): return json.loads(self.path.read_text()) if self.path.exists() else {}
    def get_password(self, service, username): return self._all().get(username)
    def set_password(self, service, username, password): self.path.write_text(json.dumps({**self._all(), username: password}))
    def delete_password(self, service, username): self.path.write_text(json.dumps({k: v for k, v in self._all().items() if k != username}))
"""


@pytest.fixture
def run(home: Path, tmp_path: Path) -> object:
    (tmp_path / "filering.py").write_text(RING)
    env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_TOKEN"))}
    env |= {"PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "filering.FileRing"}

    def call(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "workbench", "keys", *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60)

    return call


def test_a_key_is_kept_listed_and_removed_and_never_shown(run: object, tmp_path: Path) -> None:
    kept = run("set", "openai", given="sk-marked-0001\n")  # type: ignore[operator]
    assert kept.returncode == 0, kept.stderr
    assert "sk-marked-0001" in (tmp_path / "kept.json").read_text()
    listed = run("list")  # type: ignore[operator]
    assert "openai (keyring)" in listed.stdout
    removed = run("remove", "openai")  # type: ignore[operator]
    assert removed.returncode == 0
    assert "sk-marked" not in kept.stdout + kept.stderr + listed.stdout + listed.stderr + removed.stdout + removed.stderr
    assert "No keys" in run("list").stdout  # type: ignore[operator]


def test_an_unknown_source_and_an_empty_key_are_told(run: object) -> None:
    unknown = run("set", "opnai", given="x\n")  # type: ignore[operator]
    assert unknown.returncode == 1
    assert "'openai' is the nearest name" in unknown.stderr
    empty = run("set", "openai", given="\n")  # type: ignore[operator]
    assert empty.returncode == 1
    assert "empty" in empty.stderr
