"""Whether the deployments whose place a new one takes have to end before it starts; the machine's free memory is made up here."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import DoesNotFit, JobFailed
from workbench.runtime import machine
from workbench.runtime.deployments import fit, replacing
from workbench.runtime.machine import Machine

from ..support.job_helpers import until

ROOM = 40 << 20  # bytes: a pocket with 8,192 tokens takes twice that


def pocket(**arguments: object) -> wb.TrainableModule:
    return wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, **arguments)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose memory is full, so that only what is freed is free."""

    def snapshot() -> Machine:
        now = machine.snapshot()
        return replace(now, memory_used=now.memory_total - ROOM)

    for module in (fit, replacing):
        monkeypatch.setattr(module, "snapshot", snapshot)
    monkeypatch.setattr(fit, "_bounded", lambda total, free: (total, free))


def test_with_room_for_both_the_old_one_answers_until_the_new_one_does(home: Path) -> None:
    old = pocket().start()
    assert not replacing.must_go_first(pocket(n_ctx=512)._plan().spec)
    new = pocket(n_ctx=512, replace=True).start()
    assert new("hi")
    assert old.state == "cancelled"


def test_without_room_the_old_one_goes_first(home: Path, full: None) -> None:
    with pytest.raises(DoesNotFit):
        pocket().start()
    old = pocket(check_fit=False).start()
    with pytest.raises(DoesNotFit):
        pocket(n_ctx=512).start()
    new = pocket(n_ctx=512, replace=True)
    assert replacing.must_go_first(new._plan().spec)
    assert new.start()("hi")
    assert old.state == "cancelled"
    assert wb.deployments(active=True).names == ["pocket"]


def test_one_that_had_to_go_comes_back_when_the_new_one_does_not_come_up(home: Path, full: None, tmp_path: Path) -> None:
    (tmp_path / "voice.gguf").write_bytes(b"no adapter")
    pocket(check_fit=False).start()
    with pytest.raises(JobFailed):
        pocket(lora=str(tmp_path / "voice.gguf"), replace=True).start()
    [back] = wb.deployments(active=True)
    assert back.state == "running"
    assert back.record.spec.payload["arguments"] == {}
    assert back.module()("hi")


def test_what_would_not_fit_without_the_others_either_is_refused_and_they_stay(home: Path, full: None) -> None:
    old = pocket(check_fit=False).start()
    with pytest.raises(DoesNotFit):
        pocket(n_ctx=2_000_000, replace=True).start()
    assert old("hi")


GOES = """
import os, sys, time
import workbench as wb
from workbench.runtime.deployments import replacing
replacing.makes_room = lambda *a, **k: True  # as where there is no room for both
m = wb.TrainableModule('nothing').deploy_method(wb.deploy.dummy, replace=True, load_delay=1, **eval(sys.argv[1]))
m.start()
"""


@pytest.mark.parametrize(("arguments", "left"), [("dict(text='new')", "new"), ("dict(die_loading=True)", "old")], ids=["comes up", "fails"])
def test_a_kernel_that_dies_after_the_old_one_has_gone_leaves_one_of_them(home: Path, arguments: str, left: str) -> None:
    old = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, text="old").start()
    kernel = subprocess.Popen([sys.executable, "-c", GOES, arguments], stderr=subprocess.PIPE)
    until(lambda: old.state == "cancelled", "the end of the old one")
    assert wb.deployments(active=True)[0].progress.phase != "ready"  # the new one loads, and nobody else is there
    kernel.kill()
    kernel.communicate()
    found = until(lambda: [d for d in wb.deployments(active=True) if d.state == "running"], "one that answers")
    assert found[0].module()("hi") == left
    assert len(wb.deployments(active=True)) == 1


def test_a_kernel_that_dies_before_the_new_one_answers_leaves_only_the_new_one(home: Path) -> None:
    old = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, text="old").start()
    code = GOES.replace("True  # as", "False  # not as")
    kernel = subprocess.Popen([sys.executable, "-c", code, "dict(text='new')"], stderr=subprocess.PIPE)
    until(lambda: [d for d in wb.deployments(active=True) if d.progress.phase == "load"], "the new one, loading")
    assert old("hi") == "old"
    kernel.kill()
    kernel.communicate()
    until(lambda: old.state == "cancelled", "the end of the old one")
    assert [d.module()("hi") for d in wb.deployments(active=True)] == ["new"]
