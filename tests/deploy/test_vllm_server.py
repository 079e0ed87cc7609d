"""vLLM's command and arguments. `test_vllm_real` runs it."""

from __future__ import annotations

import pytest

from workbench import deploy, pocket
from workbench.core.specs import DeploySpec
from workbench.deploy.command_line import flags
from workbench.deploy.vllm_arguments import ARGUMENTS
from workbench.errors import ArgumentError


def test_arguments_become_flags() -> None:
    given = {
        "tensor_parallel_size": 2,
        "enable-prefix-caching": True,
        "enable_chunked_prefill": False,
        "quantization": None,
        "hf_overrides": {"a": 1},
        "lora_modules": ["a=/x", {"name": "b"}],
    }
    joined = '--tensor-parallel-size 2 --enable-prefix-caching --no-enable-chunked-prefill --hf-overrides {"a":1} --lora-modules a=/x {"name":"b"}'
    assert " ".join(flags(given)).replace(": ", ":") == joined
    assert flags({"a": False}, negative="") == []


def test_what_the_workbench_sets_itself_is_no_argument() -> None:
    assert {"max_model_len", "gpu_memory_utilization", "tool_call_parser", "enable_lora", "dtype"} <= ARGUMENTS
    assert ARGUMENTS.isdisjoint({"host", "port", "api_key", "model", "served_model_name", "ssl_keyfile", "uds"})
    for name, near in (("max_modellen", "max_model_len"), ("api_key", "")):
        with pytest.raises(ArgumentError, match=near or "does not know"):
            deploy.vllm().check(DeploySpec(str(pocket.path()), arguments={name: 1}).to_json())
    deploy.vllm().check(DeploySpec(str(pocket.path()), arguments={"max-model-len": 1, "--dtype": "auto"}).to_json())
