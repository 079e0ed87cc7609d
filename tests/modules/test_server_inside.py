"""Models and servers inside a served function: started once, called where they run, counted here. The dummy engine and real servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import ArgumentError, EndpointDown
from workbench.modules.sessions import session
from workbench.runtime.work import jobs

from ..support.job_helpers import until


@pytest.fixture
def model(home: Path) -> wb.TrainableModule:
    return wb.TrainableModule("echo").deploy_method(wb.deploy.dummy, delay=0.02).prompt(None)


def test_a_model_inside_is_started_once_and_called_where_it_runs(model: wb.TrainableModule) -> None:
    server = wb.ServerModule(model, post=lambda x, ori: f"post2({x})").start()
    assert server.submodules == [model]
    assert server("hi").startswith("post2(reply for hi, and")
    assert len(wb.jobs(kind="deploy", active=True)) == 2
    server.evalset(["1", "2", "3"])
    server.eval()
    assert [row.outputs[0].value[:17] for row in server.eval_result.rows] == [f"post2(reply for {i}" for i in "123"]
    first = server.endpoint.job_id
    assert server.start().endpoint.job_id == first  # what was asked meanwhile changes nothing


def test_a_model_that_a_function_only_mentions_is_started_too(model: wb.TrainableModule) -> None:
    server = wb.ServerModule(lambda text: model(text).upper(), name="loud").start()
    assert server("hi").startswith("REPLY FOR HI")


def test_a_models_text_streams_through_and_is_aborted_with_its_reader(model: wb.TrainableModule) -> None:
    server = wb.ServerModule(model, stream=True, name="talks").start()
    helper = wb.StreamCallHelper(server)
    pieces = [str(p) for p in helper("hello")]
    assert len(pieces) > 5
    assert "".join(pieces) == helper.result
    loud = model.share(stream=True)
    inner = wb.ServerModule(lambda text: f"[{loud(text)}]", name="inner").start()
    outer = wb.StreamCallHelper(inner)
    said = [str(p) for p in outer("hello")]
    assert len(said) > 5
    assert outer.result == f"[{''.join(said)}]"
    with server.stream("x" * 2000) as feed:
        next(feed)
    until(lambda: "went away" in jobs.log_tail(model.endpoint.job_id), "the end of the answer")


def test_the_tokens_of_models_inside_are_counted_here(model: wb.TrainableModule) -> None:
    loud = wb.ServerModule(lambda text: [model(text), model(text)], name="twice").start()

    class Outer(wb.ModuleBase):
        def forward(self, text: str) -> Any:
            return loud(text)

    outer = Outer()
    outer("hello")
    taken = loud.usage
    assert taken.total_tokens > 0
    assert outer.usage == loud.last_usage == taken
    loud.stream("hello").join()
    assert loud.usage == taken + taken
    assert model.usage.total_tokens == 0  # this object here was not asked


def test_a_model_that_is_gone_is_the_models_matter_and_start_deploys_it_again(model: wb.TrainableModule) -> None:
    server = wb.ServerModule(lambda text: model(text), name="asks").start()
    model.stop()
    with pytest.raises(EndpointDown) as caught:
        server("hello")
    assert "asks" not in caught.value.what
    assert any("Raised in the server asks" in note for note in caught.value.__notes__)
    assert server.status == "running"
    assert server.start()("hello").startswith("reply for hello")  # which deploys the model again


def test_a_server_inside_a_server_is_called_where_it_runs(home: Path) -> None:
    inner = wb.ServerModule(lambda x: x + 1, name="inner").start()
    outer = wb.ServerModule(lambda x: inner(x) * 10, name="outer").start()
    assert outer(1) == 20


def test_the_session_travels(home: Path) -> None:
    class Who(wb.ModuleBase):
        def forward(self) -> str | None:
            from workbench.modules.sessions import current

            talk = current.get()
            return talk.id if talk is not None else None

    server = wb.ServerModule(Who()).start()
    assert server() is None
    with session("阿里 & co"):
        assert server() == "阿里 & co"


def test_a_key_given_as_an_argument_is_not_written_into_a_file(home: Path) -> None:
    from workbench.core.endpoints import Endpoint
    from workbench.runtime.secrets.keys import hold

    far = wb.TrainableModule("far")
    far._serving.attach(Endpoint("https://example.invalid/v1", "far", source="openai", key_ref=hold("sk-only-in-memory")))
    with pytest.raises(ArgumentError, match="cannot be carried") as caught:
        wb.ServerModule(lambda text: far(text), name="far").start()
    assert "sk-only-in-memory" not in str(caught.value)
    assert not [p for p in home.rglob("*") if p.is_file() and b"sk-only-in-memory" in p.read_bytes()]
