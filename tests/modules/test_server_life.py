"""The life of a served function: found, replaced, killed, stopped, resumed, with real supervisors."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import ArgumentError, AuthenticationFailed, EndpointDown, JobFailed
from workbench.runtime.work import jobs

from ..support.job_helpers import until
from ..support.served import ask


def same(x: Any) -> Any:
    return x


def test_it_is_a_job_like_any_other_and_others_find_it(home: Path) -> None:
    folder = os.getcwd()

    def where(x: Any) -> Any:
        print("called with", x)
        return [x, os.getcwd()]

    server = wb.ServerModule(where, name="place").start()
    job = server.deployment
    assert job is not None
    assert job in wb.jobs(kind="deploy", active=True)
    assert server("x") == ["x", folder]
    assert "called with x" in str(job.logs())
    for written in (server.url, server.url.removesuffix("/generate"), server.url.replace("127.0.0.1", "localhost"), "place", job.id):
        assert wb.UrlModule(url=written)(1) == [1, folder]
        assert wb.ServerModule(written)(2) == [2, folder]
    assert wb.UrlModule().attach(job)(3) == [3, folder]

    pickled = jobs.store().place(job.id).folder / "function.pickle"
    assert stat.S_IMODE(pickled.stat().st_mode) == 0o600
    other = f"import workbench as wb; u = wb.UrlModule(url={job.id!r}); print(u(4)[0]); u.stop()"
    assert subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=True).stdout == "4\n"
    jobs.wait(job.id, timeout=10)
    assert server.status == "cancelled"
    with pytest.raises(EndpointDown, match="was stopped"):
        server(5)
    assert server.start()(6) == [6, folder]


def test_the_process_that_started_it_may_end(home: Path) -> None:
    code = "import workbench as wb\ndef twice(x): return x * 2\nprint(wb.ServerModule(twice).start().deployment.id)"
    first = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert wb.UrlModule(url="twice")(4) == 8
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert again == first  # the same function is served once


def test_a_class_of_a_script_is_the_same_in_every_process(home: Path) -> None:
    code = "import workbench as wb\nclass Twice:\n    def __call__(self, x): return x * 2\nprint(wb.ServerModule(Twice()).start().deployment.id)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_changed_function_replaces_the_server_and_the_same_one_does_not(home: Path) -> None:
    factor = {"is": 2}

    def times(x: int) -> int:
        return x * factor["is"]

    server = wb.ServerModule(times, name="times").start()
    first = server.endpoint.job_id
    assert server.start().endpoint.job_id == first
    twin = wb.ServerModule(times, name="times").start()
    assert twin.endpoint.job_id == first
    twin.stop()
    server.start()
    factor["is"] = 3
    second = server.endpoint.job_id
    assert server.start()(2) == 6
    assert server.endpoint.job_id != second
    jobs.wait(second, timeout=10)
    assert not jobs.store().job(second).state.active


def test_a_module_of_the_users_counts_with_its_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("inner_part", "def f(x): return x + 1"), ("outer_part", "import inner_part\ndef g(x): return inner_part.f(x)")):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    import outer_part  # type: ignore[import-not-found]

    server = wb.ServerModule(outer_part.g).start()
    assert server(1) == 2
    (tmp_path / "inner_part.py").write_text("def f(x): return x + 100")
    assert server.start()(1) == 101
    for name in ("inner_part", "outer_part"):
        del sys.modules[name]


def test_a_wanted_port_is_taken_kept_and_refused_when_it_is_not_free(home: Path) -> None:
    probe = wb.ServerModule(same, name="probe").start()
    port = int(probe.url.split(":")[2].split("/")[0])
    with pytest.raises(ArgumentError, match=f"Port {port} cannot be used"):
        wb.ServerModule(same, port=port, name="late").start()
    probe.stop()
    server = wb.ServerModule(same, port=port, name="late").start()
    assert server.url == f"http://127.0.0.1:{port}/generate"
    server._pre = lambda x: x + 1
    assert server.start()(1) == 2
    assert server.url == f"http://127.0.0.1:{port}/generate"


def test_a_killed_server_is_told_with_its_last_words_and_comes_up_again(home: Path) -> None:
    def slow(seconds: float) -> float:
        print("now it takes a while")
        time.sleep(seconds)
        return seconds

    server = wb.ServerModule(slow).start()
    pid = jobs.store().job(server.endpoint.job_id).pid
    assert pid is not None
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server, 30)
        until(lambda: "takes a while" in jobs.log_tail(server.endpoint.job_id), "the call")
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EndpointDown, match="has ended while it was in use") as caught:
            running.result(timeout=20)
    assert "now it takes a while" in caught.value.log_tail
    with pytest.raises(EndpointDown):
        server(0)
    assert server.start()(0) == 0


def test_a_server_that_is_stopped_while_it_answers_says_so(home: Path) -> None:
    server = wb.ServerModule(time.sleep, name="sleepy").start()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server, 60)
        time.sleep(0.3)
        wb.UrlModule(url="sleepy").stop()
        with pytest.raises(EndpointDown, match="was stopped"):
            running.result(timeout=20)


def test_what_cannot_be_loaded_there_fails_with_words(home: Path) -> None:
    class Fussy:
        def __reduce__(self) -> Any:
            return (__import__, ("a_module_that_is_not_there",))

        def __call__(self) -> None: ...

    with pytest.raises(JobFailed, match="a_module_that_is_not_there"):
        wb.ServerModule(Fussy(), name="fussy").start()


def test_a_stopped_server_can_be_resumed_as_it_was(home: Path) -> None:
    server = wb.ServerModule(lambda x: x + 1, name="again").start()
    job = server.deployment
    assert job is not None
    server.stop()
    assert server.status == "idle"
    resumed = job.resume()
    jobs.wait(resumed.id, timeout=30, ready=True)
    assert wb.UrlModule(url=resumed.id)(1) == 2


def test_a_key_of_ones_own_is_accepted_and_lies_in_no_other_place(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = wb.ServerModule(same, security_key="sesame-open-42").start()
    assert server(1) == 1
    assert ask(server.url, 2, "", **{"Security-Key": "sesame-open-42"}) == (200, "2")
    assert ask(server.url, 2, "sesame")[0] == 401
    away = wb.UrlModule(url=server.url, security_key="wrong-key-wrong")
    with pytest.raises(AuthenticationFailed) as caught:
        away(1)
    assert "wrong-key-wrong" not in f"{caught.value}{away}{vars(away)}"
    found = [p for p in home.rglob("*") if p.is_file() and b"sesame-open-42" in p.read_bytes()]
    assert [p.name for p in found] == ["security_key"]
    assert stat.S_IMODE(found[0].stat().st_mode) == 0o600
    assert "sesame" not in f"{server}{vars(server)}{caplog.text}"
