"""The line on a model's card makes the deployment that the card shows, and no second one beside it."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench import registry
from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.core.specs import DeploySpec
from workbench.runtime.inspecting.inspection import inspect
from workbench.widgets.modelcard import ModelCard
from workbench.widgets.modelcode import code_of

POCKET = str(wb.pocket.path())


def record(engine: str, **fields: Any) -> JobRecord:
    spec = JobSpec("deploy", engine, name="pocket", payload=DeploySpec(POCKET, **fields).to_json())
    return JobRecord("abc12345", spec, JobState.RUNNING, created_at=1.0)


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (record("llama_cpp"), "wb.TrainableModule('pocket').start()"),
        (record("transformers"), "wb.TrainableModule('pocket').deploy_method(wb.deploy.transformers).start()"),
        (
            record("vllm", arguments={"max_model_len": 1024}, ttl=60.0, restarts=3),
            "wb.TrainableModule('pocket').deploy_method(wb.deploy.vllm, max_model_len=1024, ttl=60.0).start()",
        ),
        (record("sentence_transformers", type="embed"), "wb.TrainableModule('pocket', type='embed').start()"),
        (record("vllm", defaults={"stop": ["x" * 300]}), "wb.deployment('abc12345').module().start()"),
    ],
)
def test_the_line_makes_the_same_deployment(home: Path, made: JobRecord, line: str) -> None:
    assert code_of(wb.TrainableModule("pocket"), made, inspect(POCKET)) == line


def test_what_is_not_deployed_has_the_plain_line(home: Path) -> None:
    assert code_of(wb.TrainableModule("org/name"), None, None) == "wb.TrainableModule('org/name').start()"


def test_the_line_of_a_real_card_joins_its_deployment(home: Path) -> None:
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, n_ctx=512).start()
    try:
        line = ModelCard(m)._view()["code"]
        assert line == "wb.TrainableModule('pocket').deploy_method(wb.deploy.llama_cpp, n_ctx=512).start()"
        assert eval(line, {"wb": wb}).deployment == m.deployment
    finally:
        m.stop()


def test_a_page_calls_engines_as_their_classes_do() -> None:
    text = (Path(__file__).parents[2] / "js/common/engines.ts").read_text(encoding="utf-8")
    said = dict(re.findall(r"^  (\w+): '([^']+)'", text, re.M))
    assert said == {name: registry.get("deploy", name).title for name in said}
    assert {"vllm", "llama_cpp", "sentence_transformers"} <= set(said)


def test_the_line_of_a_model_in_another_type_than_its_files_say_names_the_type(home: Path) -> None:
    m = wb.TrainableModule("pocket", type="embed").deploy_method(wb.deploy.llama_cpp).start()
    try:
        line = ModelCard(m)._view()["code"]
        assert "type='embed'" in line
        assert eval(line, {"wb": wb}).deployment == m.deployment
    finally:
        m.stop()


def test_a_card_does_not_wait_for_a_server_that_hangs(home: Path) -> None:
    m = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).start()
    assert m.deployment is not None
    pid = m.deployment.record.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        card = ModelCard(m)
        done: list[str] = []
        asking = threading.Thread(target=lambda: done.append(card._view()["state"]), daemon=True)
        asking.start()
        asking.join(3)
        assert done == ["running"]
        meta = m.meta  # asks the server, and gives up
        assert meta is not None
        assert meta.served is not None
        assert meta.served.context_length == 0
    finally:
        os.kill(pid, signal.SIGCONT)
        m.stop()
