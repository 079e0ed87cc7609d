"""What goes wrong in a deployment's life, with real processes: the pocket model on llama.cpp, and the dummy where a fault has to come at a
moment of our choosing.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

import workbench as wb
from workbench.core.endpoints import Timeouts
from workbench.core.jobs import JobState
from workbench.core.messages import ChatRequest, Message
from workbench.core.protocols import JobPlace
from workbench.errors import EndpointDown, EndpointError, JobFailed, SettingsError, StreamBroken
from workbench.runtime.answering.client import open_stream
from workbench.runtime.supervision import asked
from workbench.runtime.work import jobs

from ..support.job_helpers import Submit, alive, ended, kill_engine, resting, states, until

DAY = "Which day comes after Wednesday?"


def dummy(**arguments: object) -> wb.TrainableModule:
    return wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, **arguments)


def job_of(m: Any) -> wb.Deployment:
    assert m.deployment is not None
    found: wb.Deployment = m.deployment
    return found


def restarts(m: Any) -> list[dict[str, Any]]:
    return [dict(e.data) for e in job_of(m).events() if e.event == "restart"]


# ---- engines that die


def test_an_engine_killed_while_it_answers_comes_up_again_at_its_port_and_the_next_call_works(home: Path) -> None:
    m = wb.TrainableModule("pocket").start()
    url, key = m.endpoint.url, Path(m.endpoint.key_file).read_text()
    stream = m.stream("Tell me about yourself", ignore_eos=True, max_tokens=4000)
    next(stream)
    kill_engine(job_of(m).id)
    until(lambda: job_of(m).state == "preparing", "its death to be seen")
    with resting(job_of(m).id):
        assert "Restarting" in repr(wb.deployments())
        with pytest.raises(StreamBroken, match="died and is being started again") as broken:
            stream.join()
    assert broken.value.partial == stream.text
    assert broken.value.log_tail
    assert "killed. This is restart 1 of 3 in a row" in broken.value.cause
    assert f"the call waits until it answers, and so does start(). What came until then, {len(stream.text):,} characters" in broken.value.fix
    assert m(DAY, temperature=0) == "Thursday"  # it waited
    assert m.endpoint.url == url
    assert Path(m.endpoint.key_file).read_text() == key
    [again] = restarts(m)
    assert (again["attempt"], again["of"], again["delay"], again["exit_code"]) == (1, 3, 1.0, -9)
    assert "listening on" in again["log_tail"]
    assert states(job_of(m).id) == ["preparing", "running", "preparing", "running"]
    assert job_of(m).restarts == 1


def test_who_reads_on_after_the_engine_has_come_back_is_told_that_it_answers(home: Path) -> None:
    m = dummy(text="one two three", delay=0.2).start()
    stream = m.stream("hi")
    next(stream)
    kill_engine(job_of(m).id)
    until(lambda: job_of(m).restarts == 1 and job_of(m).state == "running", "its return")
    with pytest.raises(StreamBroken, match=r"died and was started again(.|\n)*Ask again: it answers"):
        stream.join()
    assert m("hi") == "one two three"


def test_a_call_waits_for_a_restart_no_longer_than_allowed_and_no_longer_than_there_is_hope(home: Path) -> None:
    m = dummy(restarts=9).start()
    with resting(job_of(m).id):
        kill_engine(job_of(m).id)
        with pytest.raises(EndpointDown, match="Nobody answers"):
            open_stream(m.endpoint, ChatRequest((Message("user", "hi"),)), timeouts=Timeouts(restart=0.2)).join()
    calls = [m.stream("hi") for _ in range(20)]
    assert {stream.join().text[:12] for stream in calls} == {"reply for hi"}
    told: list[EndpointError] = []
    waiting = threading.Thread(target=lambda: told.append(caught(lambda: m("hi"))))
    kill_engine(job_of(m).id)
    waiting.start()
    until(lambda: job_of(m).state == "preparing", "its death to be seen")
    with resting(job_of(m).id):
        stopped = wb.deployment("nothing").stop()
        waiting.join(20)
        assert "is being stopped" in str(told[0])  # and not that it is being started again
    stopped.wait()
    assert "was stopped" in str(caught(lambda: m("hi")))


def caught(ask: Callable[[], object]) -> EndpointError:
    with pytest.raises(EndpointError) as error:
        ask()
    return error.value


def test_an_engine_that_dies_at_every_call_is_given_up_after_so_many_times_in_a_row(home: Path) -> None:
    m = dummy(die_after=0, restarts=2).start()
    for _ in range(3):
        m.start()  # waits until it answers
        with pytest.raises(EndpointError):
            m("hi")
    record = ended(job_of(m).id)
    assert record.state is JobState.FAILED
    assert record.failure is not None
    assert "died 3 times in a row" in record.failure.cause
    assert "as it was told to" in record.failure.log_tail
    assert [(r["attempt"], r["delay"]) for r in restarts(m)] == [(1, 1.0), (2, 2.0)]
    with pytest.raises(EndpointDown, match="3 times in a row"):
        m("hi")


def test_an_engine_that_dies_while_it_loads_is_not_started_again(home: Path) -> None:
    with pytest.raises(JobFailed, match="as it was told to"):
        dummy(die_loading=True).start()
    m = dummy(load_delay=600)
    record = jobs.submit(m._plan().spec)
    until(lambda: jobs.store().job(record.id).progress.phase == "load", "loading")
    os.kill(jobs.store().job(record.id).pid or 0, signal.SIGKILL)
    found = ended(record.id)
    assert (found.state, found.exit_code) == (JobState.FAILED, -9)
    assert jobs.store().tally(record.id, "restart")[0] == 0


def test_a_stop_during_the_pause_before_a_restart_works_at_once(home: Path) -> None:
    m = dummy(restarts=9).start()
    kill_engine(job_of(m).id)
    until(lambda: restarts(m), "the pause")
    m.stop()
    assert wb.deployments()[0].state == "cancelled"
    assert len([e for e in wb.deployments()[0].events() if e.event == "ready"]) == 1


def test_a_restart_that_is_asked_for_during_the_pause_does_not_wait_for_its_end(home: Path) -> None:
    m = dummy(restarts=9).start()
    for _ in range(3):
        kill_engine(job_of(m).id)
        until(lambda: job_of(m).state == "preparing", "the death to be seen")
        m.restart()
    assert m("hi")
    assert [r["attempt"] for r in restarts(m)] == [1, 2, 3]


def test_a_killed_supervisor_takes_its_engine_along_and_start_makes_a_new_one(home: Path) -> None:
    m = dummy().start()
    first, engine = job_of(m), job_of(m).record.pid
    os.kill(first.record.supervisor_pid or 0, signal.SIGKILL)
    until(lambda: first.state == "lost", "the loss to be seen")
    wb.deployments()
    assert engine is not None
    until(lambda: not alive(engine), "the engine's end")
    with pytest.raises(EndpointDown, match="has ended while it was in use"):
        m("hi")
    assert m.start()("hi")
    assert job_of(m) != first


# ---- ports


def taken(port: int) -> socket.socket | None:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


def test_a_port_that_somebody_takes_during_a_restart_gives_another_and_modules_follow(home: Path) -> None:
    m = dummy(restarts=3).start()
    other = wb.TrainableModule("x").attach(job_of(m))
    port = int(m.endpoint.url.split(":")[-1].split("/")[0])
    kill_engine(job_of(m).id)
    with until(lambda: taken(port), "the port"):
        until(lambda: job_of(m).state == "running" and job_of(m).url != f"http://127.0.0.1:{port}/v1", "another port")
        assert m("hi")  # without start()
        assert other("hi")
        assert any(str(port) in str(e.data.get("text")) for e in job_of(m).events() if e.event == "notice")


def test_a_port_that_was_taken_in_the_moment_of_the_start_is_tried_again_at_once(submit: Submit, tmp_path: Path) -> None:
    script = f"""
seen = {str(tmp_path / "seen")!r}
if not os.path.exists(seen):
    open(seen, "w").close()
    print("OSError: [Errno 98] Address already in use", flush=True)
    sys.exit(1)
emit('ready', url='http://127.0.0.1:1/v1', model='m')
time.sleep(600)
"""
    job = submit(script, kind="deploy", serves=True, restarts=2)
    assert jobs.wait(job.id, timeout=30, ready=True).state is JobState.RUNNING
    [again] = [e.data for e in jobs.store().events_since(job.id) if e.event == "restart"]
    assert again["delay"] == 0


@pytest.mark.parametrize("ask", [lambda place: asked.join(place, 0.0), asked.restart], ids=["join", "restart"])
def test_who_comes_in_the_moment_of_an_idle_end_finds_it_again(ask: Callable[[JobPlace], object], submit: Submit, tmp_path: Path) -> None:
    script = f"""
seen = {str(tmp_path / "seen")!r}
emit('ready', url='http://127.0.0.1:1/v1', model='m')
if not os.path.exists(seen):
    emit('result', values={{'ended': 'idle', 'reason': 'Nobody has asked.'}})
    open(seen, "w").close()
    time.sleep(1)
    sys.exit(0)
time.sleep(600)
"""
    job = submit(script, kind="deploy", serves=True)
    until((tmp_path / "seen").exists, "the decision to end")
    ask(jobs.store().place(job.id))
    until(lambda: jobs.store().tally(job.id, "restart")[0], "a fresh start")
    assert jobs.wait(job.id, timeout=30, ready=True).state is JobState.RUNNING


# ---- files


def test_a_model_folder_that_goes_away_harms_nobody_until_a_restart_which_names_it(home: Path, tmp_path: Path) -> None:
    model = tmp_path / "mine"
    shutil.copytree(wb.pocket.path(), model)
    m = wb.TrainableModule(model).start()
    shutil.rmtree(model)
    assert m(DAY, temperature=0) == "Thursday"
    kill_engine(job_of(m).id)
    record = ended(job_of(m).id)
    assert record.failure is not None
    assert "was to be started again" in record.failure.cause
    assert str(model) in record.failure.cause
    with pytest.raises(EndpointDown, match="mine"):
        m("hi")


CONVERTER = """
import sys
def main():
    with open(sys.argv[sys.argv.index('--outfile') + 1], 'wb') as f:
        for _ in range(64):
            f.write(bytes(1 << 20))
"""
SMALL_FILES = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20,) * 2)\n"
RUN = (
    "import runpy, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0].rpartition('/')[0]); runpy.run_path(sys.argv[0], run_name='__main__')"
)


def test_a_disk_that_is_full_while_a_file_is_written_is_said_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    """The conversion's runner with a converter that writes as llama.cpp's does, onto a disk that is really full (or, for those who may not
    mount one, under a limit of the system)."""
    converter, disk, events = tmp_path / "converter", tmp_path / "disk", tmp_path / "events.jsonl"
    (converter / "conversion").mkdir(parents=True)
    disk.mkdir()
    (converter / "conversion" / "__init__.py").touch()
    (converter / "conversion" / "base.py").write_text("class TextModel:\n    def get_vocab_base_pre(self, tokenizer): return 'x'\n")
    (converter / "tqdm.py").write_text("class tqdm:\n    def update(self, n=1): pass\n")
    (converter / "convert_hf_to_gguf.py").write_text(CONVERTER)
    target, spec = disk / "gguf" / "m-q8_0.gguf", tmp_path / "spec.json"
    spec.write_text(json.dumps({"model": str(tmp_path), "target": str(target), "outtype": "q8_0"}))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False).returncode == 0
    try:
        runner = str(Path(wb.__file__).parent / "runners" / "convert_gguf.py")
        command = [sys.executable, "-c", ("" if mounted else SMALL_FILES) + RUN, runner, str(spec)]
        env = {**os.environ, "PYTHONPATH": str(converter), "WORKBENCH_EVENTS": str(events)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1, done.stderr
        [error] = [e for e in map(json.loads, events.read_text().splitlines()) if e["event"] == "error"]
        assert error["type"] == "OSError"
        assert ("No space left" if mounted else "File too large") in error["message"]
        assert [p.name for p in target.parent.iterdir()] == ["origin.json"]  # no half file
        failure = wb.deploy.llama_cpp().explain("convert", 1, done.stderr)
        assert "disk full" in failure.cause
        assert "WORKBENCH_HOME" in failure.fix
        numpys = wb.deploy.llama_cpp().explain("convert", 1, "OSError: 104448 requested and 73504 written")  # as the real converter meets it
        assert "disk full" in numpys.cause
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_servers_answer_while_the_disk_of_their_log_is_full(home: Path) -> None:
    served = [dummy().start(), wb.TrainableModule("pocket").start(), wb.ServerModule(talks).start()]
    for m in served:
        log = jobs.store().place(job_of(m).id).log
        log.unlink()
        log.symlink_to("/dev/full")
        m.restart()
        assert m("hi")
        assert m.health()
        log.unlink()
        log.touch()
    with Path("/dev/full").open("w") as full:
        told = subprocess.run([sys.executable, "-c", SPEAKS], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "still here")


def talks(x: str) -> str:
    print("A long word." * 1000)
    return x


SPEAKS = """
import sys
from workbench.runners.full_disk import drop_what_does_not_fit
drop_what_does_not_fit()
print('lost', flush=True)
sys.stderr.write('still ')
sys.stderr.write('here')
"""


def test_a_home_that_cannot_be_written_is_told_with_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "workbench.db").mkdir()
    for home, said in ((tmp_path / "file" / "home", "Not a directory"), (tmp_path, "Unable to open database file")):
        monkeypatch.setenv("WORKBENCH_HOME", str(home))
        with pytest.raises(SettingsError, match=f"cannot write(.|\n)*{said}(.|\n)*WORKBENCH_HOME"):
            wb.deployments()


# ---- callers


def test_two_hundred_connections_at_once_are_all_answered(home: Path) -> None:
    m = wb.TrainableModule("pocket").start()
    request = ChatRequest((Message("user", DAY),), parameters={"temperature": 0, "max_tokens": 8})
    streams = [open_stream(m.endpoint, request) for _ in range(200)]
    assert {stream.join().text for stream in streams} == {"Thursday"}
    assert m.health()
    assert job_of(m).restarts == 0


def test_clients_that_never_read_do_not_hold_up_others_and_cost_no_memory(home: Path) -> None:
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, n_parallel=4).start()
    engine = psutil.Process(job_of(m).record.pid)
    m(DAY)
    before = engine.memory_info().rss
    host, port = m.endpoint.url.split("/")[2].split(":")
    body = {"model": m.endpoint.model, "messages": [{"role": "user", "content": "hi"}], "stream": True, "ignore_eos": True, "max_tokens": 1500}
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            deaf = http.client.HTTPConnection(host, int(port), timeout=60)
            stack.callback(deaf.close)
            deaf.connect()
            deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.request("POST", "/v1/chat/completions", json.dumps(body), {"Authorization": f"Bearer {Path(m.endpoint.key_file).read_text()}"})
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda _: m(DAY, temperature=0), range(12))) == {"Thursday"}
        assert engine.memory_info().rss - before < 200 << 20
    assert m(DAY, temperature=0) == "Thursday"


# ---- two notebooks

REPLACING = """
import sys, time
import workbench as wb
form, go = sys.argv[1:]
m = wb.TrainableModule('nothing').deploy_method(wb.deploy.dummy, text=form, load_delay=1.5, replace=True)
print('ready', flush=True)
while not __import__('os').path.exists(go): time.sleep(0.005)
m.start()
print(m.deployment.id, m('hi'), flush=True)
"""


@pytest.mark.parametrize("forms", [("red", "blue"), ("red", "red")])
def test_two_notebooks_that_replace_one_deployment_at_once_both_get_what_they_asked_for(home: Path, tmp_path: Path, forms: tuple[str, str]) -> None:
    old = dummy(text="old").start()
    go = tmp_path / "go"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", REPLACING, form, str(go)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        for form in forms
    ]
    assert [p.stdout.readline() for p in both if p.stdout is not None] == ["ready\n", "ready\n"]
    go.touch()
    said = [p.communicate(timeout=60) for p in both]
    assert [out.split()[1] for out, _ in said] == list(forms), said
    living = wb.deployments(active=True)
    assert sorted(d.record.spec.payload["arguments"]["text"] for d in living) == sorted(set(forms))
    assert {out.split()[0] for out, _ in said} == {d.id for d in living}
    with pytest.raises(EndpointDown, match="was replaced"):
        old("hi")


def test_a_replacement_that_fails_leaves_the_old_one(home: Path) -> None:
    old = dummy(text="old").start()
    with pytest.raises(JobFailed):
        dummy(die_loading=True, replace=True).start()
    assert old("hi") == "old"


def test_who_joins_while_a_replacement_comes_up_keeps_the_old_one(home: Path) -> None:
    old = dummy(text="old").start()
    new = dummy(text="new", load_delay=1.5, replace=True)
    starting = threading.Thread(target=new.start)
    starting.start()
    until(lambda: len(wb.deployments(active=True)) == 2, "the new one")
    assert dummy(text="old").start()("hi") == "old"
    starting.join()
    assert (new("hi"), old("hi")) == ("new", "old")
