"""A deployment's life as a notebook sees it: idle time-outs, second ones beside it, restarts; with the dummy engine."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

import workbench as wb
from workbench.cli.app import app
from workbench.errors import ArgumentError, EndpointDown, NotStarted
from workbench.runtime.work import jobs

from ..support.cli_helpers import workbench
from ..support.job_helpers import alive, ended, until


def dummy(**arguments: object) -> wb.TrainableModule:
    return wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, **arguments)


def job_of(m: wb.TrainableModule | wb.UrlModule) -> wb.Deployment:
    assert m.deployment is not None
    return m.deployment


def test_one_that_nobody_asks_ends_as_a_success_and_says_so(home: Path) -> None:
    m = dummy(ttl=1).start()
    assert m("hi")
    record = ended(job_of(m).id)
    assert record.state == "succeeded"
    assert "asked" in record.progress.text
    assert record.failure is None
    assert "Ended just now" in repr(wb.deployments())
    with pytest.raises(EndpointDown, match="ended after 1 s without a request") as told:
        m("hi")
    assert "start() brings it back" in told.value.fix
    assert m.start()("hi")
    assert job_of(m).id != record.id


def test_the_longer_idle_time_out_counts_for_those_who_share_it(home: Path) -> None:
    m = dummy(ttl=1).start()
    first = job_of(m)
    assert dummy(ttl=2.5).start().deployment == first
    until(lambda: first.ttl == 2.5, "the longer one")
    assert dummy(ttl=1).start().deployment == first
    assert ended(first.id).progress.text == "Nobody has asked for 2.5 seconds."
    with pytest.raises(EndpointDown, match=r"after 2\.5 s"):
        m("hi")


def test_who_comes_begins_the_time_anew(home: Path) -> None:
    m = dummy(ttl=3).start()
    for _ in range(4):
        with pytest.raises(TimeoutError):
            job_of(m).wait(timeout=1)
        m.start()
    assert job_of(m).state == "running"
    assert job_of(m).restarts == 0


def test_one_who_shares_it_without_a_time_out_keeps_it_for_ever_and_through_a_restart(home: Path) -> None:
    m = dummy(ttl=1).start()
    dummy().start()
    until(lambda: job_of(m).ttl == 0, "no time-out")
    m.restart()
    with pytest.raises(TimeoutError):
        job_of(m).wait(timeout=3)
    assert m("hi")


def test_a_time_out_that_is_given_while_it_loads_counts(home: Path) -> None:
    first = jobs.submit(dummy(ttl=600, load_delay=1)._plan().spec)
    m = dummy(ttl=0, load_delay=1).start()
    assert job_of(m).id == first.id
    assert job_of(m).ttl == 0


def test_same_arguments_are_one_deployment_and_a_variant_is_a_second(home: Path) -> None:
    first, same, second = dummy().start(), dummy().start(), dummy(variant="b").start()
    assert job_of(first) == job_of(same)
    assert job_of(second) != job_of(first)
    assert job_of(second).name == "nothing-b"
    assert second.endpoint.model == first.endpoint.model
    with pytest.raises(ArgumentError, match="restarts"):
        dummy(restarts=-1)
    with pytest.raises(ArgumentError, match="ttl"):
        dummy(ttl="soon")


def test_replace_ends_the_others_of_this_model_and_nobody_elses(home: Path) -> None:
    others = [dummy(text="a").start(), dummy(variant="b").start()]
    elsewhere = wb.TrainableModule("something").deploy_method(wb.deploy.dummy).start()
    new = dummy(text="new", replace=True).start()
    assert new("hi") == "new"
    assert [m.state for m in others] == ["cancelled", "cancelled"]
    assert elsewhere("hi")
    with pytest.raises(EndpointDown, match=r"was replaced(.|\n)*gave way to nothing"):
        others[0]("hi")
    assert new.start()("hi") == "new"  # nothing to replace any more


def test_restart_is_for_all_who_use_it(home: Path) -> None:
    m, other = dummy().start(), dummy().start()
    pid = job_of(m).record.pid
    m.restart()
    assert job_of(m).record.pid != pid
    assert other("hi")
    assert job_of(other) == job_of(m)
    m.deploy_method(wb.deploy.dummy, text="changed").restart()
    assert m("hi") == "changed"
    with pytest.raises(NotStarted):
        dummy().restart()


def test_restart_brings_back_what_has_ended(home: Path) -> None:
    m = dummy(restarts=0).start()
    psutil.Process(job_of(m).record.pid).kill()
    ended(job_of(m).id)
    assert m.restart()("hi")


def test_the_terminal_shows_the_same_states(home: Path) -> None:
    def ps() -> str:
        return CliRunner().invoke(app, ["ps"], env={"COLUMNS": "200"}).output

    m = dummy(restarts=5).start()
    assert m.endpoint.url in ps()
    for _ in range(2):  # so that the pause is long enough to look
        m.start()
        psutil.Process(job_of(m).record.pid).kill()
        until(lambda: job_of(m).state == "preparing", "its death to be seen")
    shown = ps()
    assert "Restarting" in shown
    assert "(2 of 5)" in shown
    assert "answers at http" in workbench("restart", "nothing").stdout
    assert m("hi")
    replaced = workbench("deploy", "nothing", "text=new", "replace=true", "--engine", "dummy")
    assert "nothing answers" in replaced.stdout, replaced.stderr
    assert m.state == "cancelled"


def test_a_served_function_is_started_anew_in_place_like_any_other(home: Path) -> None:
    s = wb.ServerModule(str.upper, name="shout").start()
    there = wb.deployment("shout").module()
    assert s.deployment is not None
    first, url, pid = s.deployment, s.url, s.deployment.record.pid
    assert s.restart().deployment == first
    assert (s.url, first.restarts) == (url, 1)
    assert first.record.pid != pid
    assert there.restart()("a") == s("a") == "A"
    assert s.health()
    s._m = str.lower
    assert s.restart()("A") == "a"  # another function is another deployment
    assert s.deployment != first
    first.stop().wait()
    assert there.restart()("a") == "A"  # as it was
    job_of(s).stop().wait()
    assert s.restart()("A") == "a"
    with pytest.raises(NotStarted, match="not deployed"):
        wb.ServerModule(len).restart()
    with pytest.raises(NotStarted, match="Type start"):
        wb.UrlModule(url="http://127.0.0.1:9/generate").restart()


def test_one_that_answers_is_not_idle_however_long_it_takes(home: Path) -> None:
    m = dummy(ttl=1, text="x" * 80, delay=0.15).start()
    assert m.stream("hi").join().text == "x" * 80
    assert job_of(m).restarts == 0
    assert ended(job_of(m).id).state == "succeeded"


def test_stopping_all_leaves_no_process_no_port_and_no_file(home: Path) -> None:
    for module in (*(dummy(variant=f"v{n}") for n in range(3)), wb.TrainableModule("pocket"), wb.ServerModule(str.upper)):
        module.start()
    found = wb.deployments(active=True)
    roots = [pid for d in found for pid in (d.record.pid, d.record.supervisor_pid) if pid]
    pids = {p.pid for root in roots for p in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]}
    assert len(found) == 5

    def temporary() -> list[Path]:
        return [path for d in found for path in Path(tempfile.gettempdir()).glob(f"wb-{d.id}-*")]

    assert len(temporary()) == 4  # a function has the folder that its user has
    ports = [int(d.url.split(":")[2].split("/")[0]) for d in found]
    assert workbench("stop", "--all").returncode == 0
    until(lambda: not any(map(alive, pids)), "the end of all processes")
    assert temporary() == []
    for port in ports:
        with socket.socket() as s:
            assert s.connect_ex(("127.0.0.1", port)) != 0
