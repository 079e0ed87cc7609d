"""What a stage's process finds in its environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.core.protocols import JobPlace
from workbench.runtime.supervision import detach
from workbench.runtime.supervision.stage_env import KEY_VARIABLES, stage_environment, threads, without_keys

PLACE = JobPlace("k1", Path("/jobs/k1"))
PYTHON = Path("/envs/x/bin/python")


def test_the_kernels_own_variables_stay_behind_and_the_users_are_passed_on() -> None:
    base = {"PYTHONPATH": "/nb", "VIRTUAL_ENV": "/v", "JPY_SESSION_NAME": "a.ipynb", "MPLBACKEND": "inline", "HF_HOME": "/hf", "PATH": "/bin"}
    env = stage_environment(base, PLACE, PYTHON, {})
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "JPY_SESSION_NAME", "MPLBACKEND"} & set(env)
    assert env["HF_HOME"] == "/hf"
    assert env["PATH"] == "/envs/x/bin:/bin"


def test_the_runners_files_are_named_and_a_job_inside_a_job_has_its_own() -> None:
    outer = stage_environment({}, JobPlace("outer", Path("/jobs/outer")), PYTHON, {})
    env = stage_environment(outer, PLACE, PYTHON, {})
    assert env["WORKBENCH_JOB_ID"] == "k1"
    assert {env[f"WORKBENCH_{n}"] for n in ("EVENTS", "CONTROL", "KEY_FILE")} == {"/jobs/k1/events.jsonl", "/jobs/k1/control.jsonl", "/jobs/k1/key"}


def test_threads_are_bounded_unless_the_user_or_the_stage_says_how_many() -> None:
    assert stage_environment({}, PLACE, PYTHON, {})["OMP_NUM_THREADS"] == str(threads())
    assert stage_environment({"OMP_NUM_THREADS": "7"}, PLACE, PYTHON, {})["OMP_NUM_THREADS"] == "7"
    assert stage_environment({"OMP_NUM_THREADS": "7"}, PLACE, PYTHON, {"OMP_NUM_THREADS": "3"})["OMP_NUM_THREADS"] == "3"


def test_vendors_keys_stay_behind_as_the_client_named_them_or_by_the_vendors_files() -> None:
    told = {KEY_VARIABLES: '["MY_VENDOR_KEY"]', "MY_VENDOR_KEY": "a", "HF_TOKEN": "b"}
    assert stage_environment(without_keys(told), PLACE, PYTHON, {}).keys() & {*told, "OPENAI_API_KEY"} == {"HF_TOKEN"}
    assert without_keys({"OPENAI_API_KEY": "a", "HF_TOKEN": "b"}) == {"HF_TOKEN": "b"}


def test_a_supervisor_is_told_which_variables_hold_keys_but_no_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAZYLLM_SENSENOVA_SECRET_KEY", "s3cret")
    env = detach._environment(home, {})
    names = json.loads(env[KEY_VARIABLES])
    assert "LAZYLLM_SENSENOVA_SECRET_KEY" in names
    assert "s3cret" not in env[KEY_VARIABLES]
    assert "LAZYLLM_SENSENOVA_SECRET_KEY" not in without_keys(env)


def test_a_supervisor_starts_without_what_only_a_client_needs() -> None:
    heavy = "pydantic", "pandas", "numpy", "httpx", "asyncio", "workbench.settings", "workbench.providers.catalog", "workbench.envs.build"
    own = "workbench.runtime.supervision.supervisor, workbench.deploy.llama_cpp_server, workbench.envs.choice"
    code = f"import sys, {own}; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
