"""The deployments of a home as a list, and each as a handle; with the dummy engine, whose processes are real."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

import workbench as wb
from workbench.core.jobs import JobSpec, Progress
from workbench.errors import ArgumentError, EndpointDown, JobNotFound
from workbench.runtime.deployments.health import Health
from workbench.runtime.supervision import hanging, vitals
from workbench.runtime.work import jobs

from ..support.job_helpers import until


def dummy(**arguments: object) -> wb.TrainableModule:
    return wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, **arguments)


def test_a_home_without_deployments_says_what_to_type(home: Path) -> None:
    assert "start()" in repr(wb.deployments())
    assert list(wb.deployments().to_pandas().columns[:5]) == ["id", "name", "engine", "type", "model"]
    with pytest.raises(JobNotFound, match="There is none"):
        wb.deployment("pocket")


def test_living_and_ended_deployments_are_listed_with_what_is_known(home: Path) -> None:
    first, second = dummy(ttl=600).start(), dummy(variant="b").start()
    second.stop()
    found = wb.deployments()
    assert found.names == ["nothing-b", "nothing"]
    assert [d.name for d in found] == found.names
    assert found["nothing"] == first.deployment
    assert found["nothing"].id in (found[1].id, wb.deployment(found[1].id[:4]).id)
    assert wb.deployments(active=True).names == ["nothing"]
    assert wb.deployments(active=False).names == ["nothing-b"]
    table = found.to_pandas().set_index("name")
    row = table.loc["nothing"]
    assert (row.engine, row.type, row.state, row.restarts, row.ttl) == ("dummy", "llm", "running", 0, 600.0)
    assert row.url == first.endpoint.url
    assert row.uptime >= 0
    assert row.memory > 1e6
    assert table.loc["nothing-b"].state == "cancelled"
    text, html = repr(found), found._repr_html_()
    for part in ("nothing-b", "Stopped just now", "Running for", first.endpoint.url, "ends in", "MiB"):
        assert part in text, part
        assert part in html, part
    with pytest.raises(JobNotFound, match="'nothing' is the nearest"):
        found["nothink"]
    key = Path(first.endpoint.key_file).read_text()
    assert key not in text + html + table.to_csv()


def test_a_deployment_is_attached_from_elsewhere_by_name_and_gives_a_module_of_its_kind(home: Path) -> None:
    first = dummy(text="from afar").start()
    handle = wb.deployment("nothing")
    assert (handle.engine, handle.type, handle.model, handle.url) == ("dummy", "llm", "nothing", first.endpoint.url)
    assert wb.TrainableModule("x").attach("nothing")("hi") == "from afar"
    module = handle.module()
    assert isinstance(module, wb.TrainableModule)
    assert module("hi") == "from afar"
    assert module.start().deployment == handle  # it was told the same, so it is the same
    first.stop()
    assert wb.deployment("nothing").module().start()("hi") == "from afar"  # one that ended comes back as it was


def test_a_served_function_is_a_deployment_whose_module_calls_it(home: Path) -> None:
    server = wb.ServerModule(str.upper, name="shout").start()
    handle = wb.deployment("shout")
    assert (handle.type, handle.engine) == ("function", "function")
    assert handle.health()
    assert handle.module()("quiet") == "QUIET"
    handle.restart()
    assert server("quiet") == "QUIET"


def test_a_handle_restarts_it_in_place_and_brings_back_one_that_ended(home: Path) -> None:
    m = dummy(ttl=900, variant="b", restarts=2).start()
    handle = wb.deployment("nothing-b")
    pid, url = handle.record.pid, handle.url
    assert handle.restart() == handle
    assert handle.record.pid != pid
    assert handle.url == url
    assert m("hi")
    handle.stop().wait()
    again = handle.restart()
    assert again != handle
    payload = again.record.spec.payload
    assert (again.name, payload["ttl"], payload["variant"], payload["restarts"]) == ("nothing-b", 900.0, "b", 2)
    assert wb.deployment(again.id).health()
    again.stop().wait()
    assert jobs.resume(again.id).spec.payload == payload  # as the sidebar does


def test_health_in_one_word(home: Path) -> None:
    m = dummy().start()
    assert str(m.health()) == "running"
    assert (m.health().seconds or 9) < 2
    handle = m.deployment
    assert handle is not None
    m.stop()
    assert not handle.health()
    assert handle.health().word == "ended"
    with pytest.raises(wb.errors.NotStarted):
        m.health()
    loading = dummy(load_delay=600)
    spec = loading._plan().spec
    record = jobs.submit(spec)
    until(lambda: wb.deployment(record.id).health().detail == "Loading nothing", "loading")
    assert wb.deployment(record.id).health().word == "starting"


def test_a_hung_engine_is_told_as_such_and_can_be_started_anew(home: Path) -> None:
    """Beside it one whose user asked for that at the start, and one that goes on, as after a laptop's sleep."""
    m, impatient, asleep = dummy().start(), dummy(variant="b", restart_hung=1).start(), dummy(variant="c").start()
    assert m.deployment is not None
    assert impatient.deployment is not None
    assert asleep.deployment is not None
    engine, sleeper = psutil.Process(m.deployment.record.pid), psutil.Process(asleep.deployment.record.pid)
    for process in (engine, sleeper, psutil.Process(impatient.deployment.record.pid)):
        process.suspend()
    answer = asleep.stream("hi")
    assert m.health(0.3) == Health("not answering", False, None, None, "no answer to /health in 0.3 s")
    told = until(lambda: p if (p := m.deployment.progress).phase == "hung" else None, "the supervisor to see it", 60)
    assert "Not answering since" in told.text
    assert m.state == "running"  # its process lives
    assert "Not answering since" in repr(wb.deployments())
    health = m.health(0.3)
    assert (health.word, health.since) == ("not answering", told.done)
    m.restart()
    assert not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE
    assert m("hi")
    assert m.health()
    [again] = until(lambda: [e.data for e in impatient.deployment.events() if e.event == "restart"] if impatient.deployment else [], "a restart")
    assert "had not answered for" in again["cause"]
    assert (again["attempt"], again["of"]) == (1, 3)
    assert impatient("hi")
    until(lambda: asleep.deployment and asleep.deployment.progress.phase == "hung", "the sleep to be seen")
    sleeper.resume()
    assert "reply for hi" in answer.join().text
    assert asleep("hi")
    assert asleep.deployment.restarts == 0
    with pytest.raises(ArgumentError, match="restart_hung"):
        dummy(restart_hung="soon")
    assert impatient.deployment.module().start().deployment == impatient.deployment  # told the same, it is the same


def test_what_answers_again_is_told_as_well(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hanging, "_EVERY", 0.1)
    monkeypatch.setattr(hanging, "_LIMIT", 0.2)
    m = dummy().start()
    assert m.deployment is not None
    told: list[Progress] = []
    engine = psutil.Process(m.deployment.record.pid)
    watch = hanging.HangWatch(m.endpoint.url, engine.pid, told.append)
    engine.suspend()
    until(lambda: told, "silence to be told")
    engine.resume()
    until(lambda: told[-1].phase == "ready", "the answer to be told")
    watch.end()
    assert [p.phase for p in told] == ["hung", "ready"]


def test_nobody_there_and_a_refusing_server_are_told_apart(home: Path) -> None:
    assert not vitals.feel("http://127.0.0.1:9/v1", 0.5).answered
    m = dummy().start()
    assert vitals.feel(m.endpoint.url).status == 200
    assert vitals.address("http://127.0.0.1:8000/v1") == "http://127.0.0.1:8000/health"


def test_a_stop_of_another_notebook_is_told_to_the_next_call(home: Path) -> None:
    m = dummy().start()
    wb.deployment("nothing").stop().wait()
    with pytest.raises(EndpointDown, match="was stopped"):
        m("hi")


def test_processes_with_sessions_of_their_own_end_with_a_killed_supervisor(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    support = Path(__file__).parents[1] / "support"
    monkeypatch.setenv("PYTHONPATH", str(support))
    marks = tmp_path / "pids"
    tree = f"""
worker = "import os, time; open({str(marks)!r}, 'a').write(str(os.getpid()) + chr(10)); time.sleep(600)"
for _ in range(3):
    subprocess.Popen([sys.executable, "-c", worker], start_new_session=True)
emit('ready', url='http://127.0.0.1:1/v1', model='m')
time.sleep(600)
"""
    record = jobs.submit(JobSpec("deploy", "scripted_backends:Scripted", "tree", {"script": tree, "serves": True}))
    jobs.wait(record.id, timeout=30, ready=True)
    until(lambda: marks.exists() and len(marks.read_text().split()) == 3, "three workers")
    pids = [int(p) for p in marks.read_text().split()]
    record = jobs.store().job(record.id)
    os.kill(record.supervisor_pid or 0, signal.SIGKILL)
    until(lambda: jobs.store().job(record.id).state == "lost", "the loss to be seen")
    assert wb.deployments()["tree"].state == "lost"  # whoever looks clears up
    end = time.monotonic() + 20
    while any(psutil.pid_exists(p) and psutil.Process(p).status() != psutil.STATUS_ZOMBIE for p in pids):
        assert time.monotonic() < end
        time.sleep(0.05)
