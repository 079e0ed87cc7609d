"""Asks our servers for pictures and sound around tiny models of many families, in one process of their environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

_RUN = Path(__file__).parent / "families" / "run.py"


def family_answers(environment: str, what: str, questions: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Kind → what came; ``questions`` are those of ``families/run.py``."""
    from workbench import envs

    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(envs.ensure(environment)), str(_RUN), what]
    made = subprocess.run(command, input=json.dumps(questions), env=env, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-6000:]
    found = json.loads(made.stdout.splitlines()[-1])
    return {question["kind"]: answer for question, answer in zip(questions, found, strict=True)}


def said(answer: dict[str, Any]) -> str:
    """The words of an answer that is a refusal."""
    assert answer["status"] == 400, answer
    return str(answer["json"]["error"]["message"])
