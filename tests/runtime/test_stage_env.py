"""What a stage's process finds in its environment."""

from __future__ import annotations

from pathlib import Path

from workbench.core.protocols import JobPlace
from workbench.runtime.stage_env import stage_environment, threads

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
