"""The line on a model's card makes the deployment that the card shows, and no second one beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as wb
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
