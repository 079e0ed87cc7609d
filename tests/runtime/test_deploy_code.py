"""The line of code of a deployment: run elsewhere it is the same deployment, with all that this was told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.core.specs import DeploySpec
from workbench.modules.local.deploy_arguments import OWN
from workbench.runtime.deployments.deploy_code import ITSELF, line_of

POCKET = str(wb.pocket.path())


def planned(module: wb.TrainableModule) -> JobSpec:
    return module._planned("show").spec


def record(spec: JobSpec) -> JobRecord:
    return JobRecord("abc12345", spec, JobState.RUNNING, created_at=1.0)


@pytest.fixture
def adapter(tmp_path: Path) -> str:
    folder = tmp_path / "legal"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "r": 8, "target_modules": ["q_proj"], "base_model_name_or_path": POCKET})
    )
    (folder / "adapter_model.safetensors").write_bytes(b"\2\0\0\0\0\0\0\0{}")
    return str(folder)


@pytest.mark.parametrize(
    ("engine", "kind", "arguments"),
    [
        ("llama_cpp", None, {"n_ctx": 512, "chat_template": "chatml", "defaults": {"temperature": 0.2, "max_tokens": 64}, "variant": "short"}),
        ("llama_cpp", "embed", {"ttl": 60, "restarts": 0, "port": 18123}),
        ("vllm", None, {"max_model_len": 1024, "enable_lora": True, "adapters": ["legal"], "variant": "b"}),
        ("vllm", None, {"hf_overrides": {"rope_parameters": {"factor": 2.0}}, "dtype": "float32"}),
        ("sentence_transformers", "embed", {"batch_size": 8, "prompts": {"query": "q: "}}),
        ("transformers", None, {}),
    ],
)
def test_the_line_makes_the_same_deployment(home: Path, adapter: str, engine: str, kind: str | None, arguments: dict[str, Any]) -> None:
    given = {**arguments, **({"adapters": {"legal": adapter}} if "adapters" in arguments else {})}
    spec = planned(wb.TrainableModule("pocket", type=kind).deploy_method(getattr(wb.deploy, engine), **given))
    for own_type in ("llm", ""):
        line = line_of(record(spec), own_type)
        assert "templates/" not in line
        assert line.endswith(".start()")
        again = planned(eval(line.removesuffix(".start()"), {"wb": wb}))
        assert (again.share_key, again.backend, again.payload) == (spec.share_key, spec.backend, spec.payload)


def test_what_is_too_long_or_secret_is_joined_by_its_id(home: Path) -> None:
    by_id = "wb.deployment('abc12345').module().start()"
    for arguments in ({"stop": "x" * 300}, {"hf_token": "secret"}, {"it": b"bytes"}, {"not-a-name": 1}):
        assert line_of(record(JobSpec("deploy", "vllm", "m", DeploySpec(POCKET, arguments=arguments).to_json()))) == by_id
    assert line_of(record(JobSpec("deploy", "function", "f", {"model": "f"}))) == "wb.UrlModule(url='abc12345')"


def test_every_argument_of_ours_stands_in_the_line_under_its_own_name() -> None:
    assert {own.field for own in OWN.values() if own.field} == set(DeploySpec.__dataclass_fields__) - ITSELF
    assert all(own.field in ("", name) for name, own in OWN.items())


def test_another_kernel_joins_by_the_line(home: Path) -> None:
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, n_ctx=512, chat_template="chatml", defaults={"temperature": 0}, variant="x")
    m.start()
    try:
        job = m.deployment
        assert job is not None
        code = f"import workbench as wb\nm = {line_of(job.record, 'llm')}\nprint(m.deployment.id, m('Which day comes after Sunday?'))"
        said = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), capture_output=True, text=True, check=True).stdout
        assert said.split()[0] == job.id
        assert len(wb.deployments(active=True)) == 1
    finally:
        m.stop()


def test_a_deployment_of_another_version_is_named_by_its_job() -> None:
    later = JobSpec("deploy", "vllm", "m", {"model": "/m", "type": "llm", "what_comes_next": 1})
    assert line_of(record(later)) == "wb.deployment('abc12345').module().start()"
