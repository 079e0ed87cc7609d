"""Commands on this machine."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from workbench import registry
from workbench.core.protocols import Launcher
from workbench.launchers.local import LocalLauncher


def finish(launcher: Launcher, folder: Path, script: str, env: dict[str, str]) -> int:
    launched = launcher.start([sys.executable, "-c", script], env=env, cwd=folder, log=folder / "log.txt")
    while (code := launched.poll()) is None:
        time.sleep(0.01)
    return code


def test_output_and_errors_are_appended_and_the_environment_is_exactly_the_given_one(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("before\n")
    script = "import os, sys; print(os.environ.get('HOME'), os.environ['MINE'], os.getcwd()); sys.exit(4)"
    assert finish(LocalLauncher(), tmp_path, script, {"MINE": "1"}) == 4
    assert (tmp_path / "log.txt").read_text() == f"before\nNone 1 {tmp_path}\n"


def test_a_command_leads_a_session_of_its_own_and_ends_by_signal(tmp_path: Path) -> None:
    launched = LocalLauncher().start([sys.executable, "-c", "import time; time.sleep(600)"], env={}, cwd=tmp_path, log=tmp_path / "log.txt")
    assert os.getsid(launched.pid) == launched.pid
    launched.kill()
    while launched.poll() is None:
        time.sleep(0.01)
    assert launched.poll() == -9
    launched.kill()  # ended already; nothing happens


def test_a_command_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LocalLauncher().start(["/nowhere/python"], env={}, cwd=tmp_path, log=tmp_path / "log.txt")


def test_the_registry_knows_it_by_both_names() -> None:
    assert registry.get("launcher", "local") is registry.get("launcher", "empty") is LocalLauncher
