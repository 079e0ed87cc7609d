"""The temporary files of an engine go with it: when it ends, when it is killed, when its supervisor is."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from workbench.core.jobs import JobState
from workbench.core.protocols import JobPlace
from workbench.runtime.supervision import temporary
from workbench.runtime.work import jobs

from ..support.job_helpers import Submit, until

LEAVES_A_SOCKET = """
import socket, tempfile, uuid
path = os.path.join(tempfile.gettempdir(), str(uuid.uuid4()))
socket.socket(socket.AF_UNIX).bind(path)  # as vLLM does, and nobody takes it away
emit('ready', url='http://127.0.0.1:1/v1', model='m')
time.sleep(600)
"""


def sockets(job_id: str) -> list[Path]:
    return [p for p in Path(tempfile.gettempdir()).glob(f"wb-{job_id}-*/*") if p.is_socket()]


def test_what_an_engine_leaves_goes_with_each_of_its_ends(submit: Submit) -> None:
    job = submit(LEAVES_A_SOCKET, kind="deploy", serves=True, restarts=3)
    jobs.wait(job.id, timeout=30, ready=True)
    [first] = sockets(job.id)
    assert first.parent.stat().st_mode & 0o077 == 0
    os.kill(jobs.store().job(job.id).pid or 0, 9)
    until(lambda: sockets(job.id) not in ([], [first]), "the second start")
    assert not first.parent.exists()
    jobs.stop(job.id, save=False)
    assert jobs.wait(job.id, timeout=30).state is JobState.CANCELLED
    assert sockets(job.id) == []
    assert list(Path(tempfile.gettempdir()).glob(f"wb-{job.id}-*")) == []


def test_the_sweep_takes_what_a_killed_supervisor_left(submit: Submit) -> None:
    job = submit(LEAVES_A_SOCKET, kind="deploy", serves=True)
    jobs.wait(job.id, timeout=30, ready=True)
    assert sockets(job.id)
    os.kill(jobs.store().job(job.id).supervisor_pid or 0, 9)
    until(lambda: jobs.store().job(job.id).state is JobState.LOST, "lost")
    assert jobs.sweep() == [job.id]
    assert list(Path(tempfile.gettempdir()).glob(f"wb-{job.id}-*")) == []


def test_it_is_short_enough_for_sockets_and_another_users_folder_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    place = JobPlace("abcd1234", tmp_path)
    folder = temporary.make(place)
    assert folder is not None
    assert len(os.fsencode(folder)) + 1 + 36 <= 107
    assert temporary.variables(folder)["TMPDIR"] == str(folder)
    (folder / "file").touch()
    temporary.clear(place)
    assert not folder.exists()
    elsewhere = tmp_path / "mine"
    elsewhere.mkdir()
    temporary.link(place).symlink_to(elsewhere)  # no name of ours
    temporary.clear(place)
    assert elsewhere.exists()
