"""Which engine serves what, and the sentence that says why; the table of architectures is the converter's."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import workbench
from workbench import deploy, pocket
from workbench.core.models import ModelMeta
from workbench.deploy.gguf_architectures import CONVERTIBLE
from workbench.errors import ArgumentError
from workbench.runtime.models import inspect


@dataclass(frozen=True)
class Machine:
    gpus: tuple[str, ...] = ()


QWEN = ModelMeta("/m", "m", "safetensors", "Qwen3ForCausalLM")


@pytest.mark.parametrize(
    ("model", "machine", "engine", "says"),
    [
        (QWEN, None, "llama_cpp", "can convert Qwen3ForCausalLM"),
        (QWEN, Machine(("H100",)), "vllm", "1 GPU "),
        (QWEN, Machine(("a", "b")), "vllm", "2 GPUs"),
        (replace(QWEN, gguf="/m/a.gguf"), Machine(), "llama_cpp", "comes with a GGUF"),
        (replace(QWEN, format="gguf", architecture="qwen3"), Machine(("H100",)), "llama_cpp", "is a GGUF file"),
        (replace(QWEN, architecture="NobodyKnowsForCausalLM"), None, "transformers", "NobodyKnowsForCausalLM"),
        (replace(QWEN, type="vlm", architecture="LlavaForConditionalGeneration"), None, "transformers", "Llava"),
    ],
)
def test_the_engine_and_the_reason(model: ModelMeta, machine: Machine | None, engine: str, says: str) -> None:
    choice = deploy.choose(model, machine)
    assert choice.engine == engine
    assert says in str(choice)
    assert str(choice).endswith(".")


def test_there_must_be_something_to_serve() -> None:
    with pytest.raises(ArgumentError, match="no weights"):
        deploy.choose(replace(QWEN, format=""))
    with pytest.raises(ArgumentError, match="LoRA adapter"):
        deploy.choose(replace(QWEN, format="", adapter_of="base"))


def test_the_shipped_model_needs_no_environment() -> None:
    assert deploy.choose(inspect(pocket.path())).engine == "llama_cpp"


def test_the_engines_are_attributes_and_unknown_ones_are_not() -> None:
    assert deploy.auto.name == "auto"
    assert {deploy.llama_cpp.name, deploy.transformers.name, deploy.vllm.name, deploy.dummy.name} <= set(dir(workbench.deploy))
    with pytest.raises(AttributeError, match="llama_cpp"):
        _ = deploy.lama_cpp


def test_the_table_of_architectures_is_the_converters(home: Path) -> None:
    from workbench import envs

    code = "import json; from conversion import TEXT_MODEL_MAP; print(json.dumps(list(TEXT_MODEL_MAP)))"
    out = subprocess.run([str(envs.ensure("gguf")), "-c", code], capture_output=True, text=True, check=True).stdout
    known = set(json.loads(out.splitlines()[-1]))
    assert known >= CONVERTIBLE
    assert {"Qwen3ForCausalLM", "LlamaForCausalLM", "MistralForCausalLM", "Gemma3ForCausalLM", "Phi3ForCausalLM"} <= CONVERTIBLE
