"""The dummy engine: its echo, and the ways it can be told to misbehave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.core.endpoints import Endpoint, Timeouts
from workbench.core.messages import ChatRequest, as_messages
from workbench.core.specs import DeploySpec
from workbench.errors import ArgumentError, EndpointTimeout, StreamBroken
from workbench.runtime.answering.client import open_stream
from workbench.runtime.deployments import endpoints
from workbench.runtime.work import jobs

from ..support.guarded import assert_guarded


def start(**arguments: Any) -> Endpoint:
    record = endpoints.deployment_for(DeploySpec("no-model", arguments=arguments), "dummy")
    return endpoints.wait_ready(record.id, 30)


def ask(text: str, **parameters: Any) -> ChatRequest:
    return ChatRequest(as_messages(text), parameters=parameters)


def test_it_echoes_what_was_said_and_the_parameters(home: Path) -> None:
    endpoint = start(delay=0.001)
    default = open_stream(endpoint, ask("hi"))
    assert len(list(default)) > 5
    assert default.text == "reply for hi, and parameters is {'do_sample': False, 'temperature': 0.1}"
    given = open_stream(endpoint, ask("hi", temperature=0.7, top_p=1)).join().text
    assert given == "reply for hi, and parameters is {'do_sample': False, 'temperature': 0.7, 'top_p': 1}"
    assert_guarded(endpoint, pid=jobs.store().job(endpoint.job_id).pid)


def test_a_server_that_dies_in_the_middle_is_told_with_its_last_words(home: Path) -> None:
    endpoint = start(text="one two three four", die_after=2)
    stream = open_stream(endpoint, ask("hi"))
    with pytest.raises(StreamBroken, match="as it was told to") as caught:
        stream.join()
    assert caught.value.partial == "one two "
    assert jobs.wait(endpoint.job_id, 10).exit_code == 3


def test_a_server_that_stalls_is_left_in_time(home: Path) -> None:
    endpoint = start(text="one two three", stall_after=1)
    with pytest.raises(EndpointTimeout) as caught:
        open_stream(endpoint, ask("hi"), timeouts=Timeouts(gap=0.3)).join()
    assert caught.value.partial == "one "


def test_unknown_arguments_are_refused(home: Path) -> None:
    with pytest.raises(ArgumentError, match="delay"):
        start(dealy=1)
