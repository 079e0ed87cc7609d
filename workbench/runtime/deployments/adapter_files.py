"""LoRA adapters for a running llama.cpp: PEFT's folder becomes the GGUF file that it reads, once, here and now.

Blocks for as long as the converter takes, some seconds; its environment is built when it is not there.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from ...core.endpoints import Endpoint
from ...deploy import llama_cpp_adapters
from ...deploy.common import runner
from ...envs import ensure
from ...errors import ArgumentError
from ..supervision.stage_env import without_keys
from ..work import jobs


def gguf_of(endpoint: Endpoint, name: str, place: str) -> Path:
    """An adapter's GGUF file, for a deployment of ours.

    Raises
    ------
    ArgumentError, ModelNotFound
        When it is no adapter, or the converter cannot write it.
    """
    model = Path(str(jobs.store().job(endpoint.job_id).spec.payload["model"]))
    llama_cpp_adapters.check_one(name, place, model)
    if text := llama_cpp_adapters.conversion({name: place}, model):
        _convert(name, text)
    return llama_cpp_adapters.files({name: place}, model)[name]


def _convert(name: str, text: str) -> None:
    python = ensure("gguf")
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "adapters.json"
        spec.write_text(text, encoding="utf-8")
        env = {k: v for k, v in without_keys(os.environ).items() if not k.startswith("WORKBENCH_EVENTS")}
        ran = subprocess.run([str(python), runner("convert_lora"), str(spec)], cwd=folder, env=env, capture_output=True, text=True, check=False)
    if ran.returncode == 0:
        return
    told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith('{"event": "error"')]
    cause = str(told[-1]["message"]) if told else ran.stderr[-1000:]
    raise ArgumentError(
        f"The adapter {name!r} cannot be converted for llama.cpp.", cause, "Serve with wb.deploy.vllm, or merge it into its base model."
    )
