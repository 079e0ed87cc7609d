"""Telling a process that lives from one that is gone, a zombie, or another of the same number."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.store import liveness
from workbench.store.liveness import Owner, lives, silent, start_of


@pytest.fixture(params=["as this system tells it", "as one without /proc tells it"], autouse=True)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "without" in request.param:
        monkeypatch.setattr(liveness, "_PROC", Path("/not/there"))


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_a_process_lives_until_it_is_a_zombie_and_gone(child: subprocess.Popen[bytes]) -> None:
    owner = Owner.of(child.pid)
    assert lives(child.pid, owner.start)
    assert owner.near
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not lives(child.pid, owner.start)
    assert start_of(child.pid) == owner.start
    child.wait()
    assert start_of(child.pid) is None
    with pytest.raises(ProcessLookupError):
        Owner.of(child.pid)


def test_another_start_is_another_process(child: subprocess.Popen[bytes]) -> None:
    assert not lives(os.getpid(), Owner.of(os.getpid()).start + "1")
    assert start_of(child.pid) != start_of(os.getppid())


def test_a_sleeping_laptop_does_not_lose_a_living_supervisor() -> None:
    hours = 8 * 3600.0
    assert not silent(Owner.of(os.getpid()), 0.0, 0.0, now=hours)
    assert silent(Owner("elsewhere", os.getpid(), "1"), 0.0, 0.0, now=hours)
    assert not silent(Owner("elsewhere", os.getpid(), "1"), 0.0, hours - 5, now=hours)
