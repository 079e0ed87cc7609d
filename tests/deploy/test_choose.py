"""Which engine serves what, and the sentence that says why; the table of architectures is the converter's."""

from __future__ import annotations

import ast
import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import workbench
from workbench import deploy, pocket, registry
from workbench.core.models import ModelMeta
from workbench.deploy import vllm_architectures, vllm_parsers
from workbench.deploy.choose import check_pairing
from workbench.deploy.gguf_architectures import CONVERTIBLE, ENCODERS, SEEING
from workbench.errors import ArgumentError
from workbench.runtime.inspecting.models import inspect


@dataclass(frozen=True)
class Machine:
    gpus: tuple[str, ...] = ()


QWEN = ModelMeta("/m", "m", "safetensors", "Qwen3ForCausalLM")


BERT = replace(QWEN, type="embed", architecture="BertModel", told_by="modules.json")
XLMR = replace(
    QWEN, type="rerank", architecture="XLMRobertaForSequenceClassification", told_by="the architecture XLMRobertaForSequenceClassification"
)
CLIP = replace(QWEN, type="cross_modal_embed", architecture="CLIPModel")
WHISPER = replace(QWEN, type="stt", architecture="WhisperForConditionalGeneration")
VITS = replace(QWEN, type="tts", architecture="VitsModel")
SD = replace(QWEN, type="sd", architecture="StableDiffusionPipeline")
ONE = Machine(("H100",))


@pytest.mark.parametrize(
    ("model", "machine", "engine", "says"),
    [
        (QWEN, None, "llama_cpp", "can convert Qwen3ForCausalLM"),
        (QWEN, ONE, "vllm", "1 GPU "),
        (QWEN, Machine(("a", "b")), "vllm", "2 GPUs"),
        (replace(QWEN, gguf="/m/a.gguf"), Machine(), "llama_cpp", "comes with a GGUF"),
        (replace(QWEN, format="gguf", architecture="qwen3"), ONE, "llama_cpp", "is a GGUF file"),
        (replace(QWEN, architecture="NobodyKnowsForCausalLM"), None, "transformers", "NobodyKnowsForCausalLM"),
        (replace(QWEN, type="vlm", architecture="LlavaForConditionalGeneration"), None, "transformers", "Llava"),
        (replace(QWEN, quantization="awq 4 bit"), None, "vllm", "awq 4 bit"),
        (replace(QWEN, quantization="gptq 4 bit"), None, "llama_cpp", "can convert"),
        (BERT, None, "sentence_transformers", "there is no GPU"),
        (BERT, ONE, "vllm", "it serves BertModel as an embedding model"),
        (replace(BERT, architecture="DebertaV2Model"), ONE, "sentence_transformers", "vLLM does not serve DebertaV2Model"),
        (replace(BERT, architecture="Qwen3ForCausalLM"), ONE, "vllm", "Qwen3ForCausalLM"),
        (replace(BERT, format="gguf", architecture="bert"), ONE, "llama_cpp", "is a GGUF file"),
        (XLMR, None, "sentence_transformers", "there is no GPU"),
        (XLMR, ONE, "vllm", "as a reranker"),
        (replace(XLMR, format="gguf", architecture="bert"), None, "llama_cpp", "is a GGUF file"),
        (CLIP, None, "sentence_transformers", "there is no GPU"),
        (CLIP, ONE, "sentence_transformers", "vLLM does not serve CLIPModel"),
        (WHISPER, ONE, "vllm", "WhisperForConditionalGeneration"),
        (VITS, None, "speech", "models that speak"),
        (SD, ONE, "diffusers", "make pictures"),
        (replace(SD, type="image_editing"), None, "diffusers", "make pictures"),
    ],
)
def test_the_engine_and_the_reason(model: ModelMeta, machine: Machine | None, engine: str, says: str) -> None:
    choice = deploy.choose(model, machine)
    assert choice.engine == engine
    assert says in str(choice)
    assert str(choice).endswith(".")


def test_speech_that_nobody_has_to_hear_on_a_gpu() -> None:
    assert deploy.choose(WHISPER).engine in ("speech", "transformers")
    assert "sensevoice" not in registry.names("deploy") or deploy.choose(replace(WHISPER, architecture="SenseVoiceSmall")).engine == "sensevoice"


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (replace(BERT, type="classify", told_by="the architecture BertForTokenClassification"), "ServerModule"),
        (replace(SD, type="text2video"), "ServerModule"),
        (replace(SD, format="gguf"), "wb.deploy.diffusers could serve its safetensors"),
        (replace(QWEN, type="weather"), "Write type="),
    ],
)
def test_what_nobody_serves_says_what_would_help(model: ModelMeta, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        deploy.choose(model, ONE)


@pytest.mark.parametrize(
    ("model", "type", "engine", "says"),
    [
        (BERT, "llm", "", "is an embedding model, not a chat model"),
        (BERT, "", "transformers", r"wb.deploy.sentence_transformers"),
        (QWEN, "", "sentence_transformers", r"wb.deploy.llama_cpp"),
        (WHISPER, "", "sentence_transformers", "does not serve models of type 'stt'"),
        (SD, "", "llama_cpp", r"wb.deploy.diffusers"),
        (replace(QWEN, also=("embed",), told_by="the architecture Qwen3ForCausalLM"), "rerank", "", "type='llm' or type='embed'"),
    ],
)
def test_pairings_that_cannot_be_are_refused(model: ModelMeta, type: str, engine: str, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        check_pairing(model, type, engine)


def test_pairings_that_can_be() -> None:
    check_pairing(replace(QWEN, also=("embed",), told_by="its name, m"), "embed", "sentence_transformers")
    check_pairing(BERT, "", "infinity")
    check_pairing(QWEN, "vlm")  # nothing told the type: the user knows better


def test_the_table_of_vllm_is_vllms(home: Path) -> None:
    """Where vLLM's environment is built already: it takes minutes, and this is no reason to."""
    from workbench.envs import build
    from workbench.envs.definitions import DEFINITIONS

    folders = [folder for name in ("vllm", "vllm-cpu") if name in DEFINITIONS and (folder := build.ready(DEFINITIONS[name]))]
    for folder in folders:
        source = next(folder.glob("lib/python*/site-packages/vllm/model_executor/models/registry.py")).read_text()
        assert all(f'"{name}":' in source for name in {*vllm_architectures.EMBEDS, *vllm_architectures.RANKS, *vllm_architectures.HEARS})


def test_the_parsers_of_tool_calls_and_thinking_are_vllms(home: Path) -> None:
    from workbench.envs import build
    from workbench.envs.definitions import DEFINITIONS

    for folder in filter(None, (build.ready(DEFINITIONS[name]) for name in ("vllm", "vllm-cpu"))):
        root = next(folder.glob("lib/python*/site-packages/vllm"))
        calls = {vllm_parsers._OTHER_TOOLS.get(row.parser, row.parser) for row in vllm_parsers.TOOLS}
        assert calls <= registered(root / "tool_parsers" / "__init__.py")
        assert {row.parser for row in vllm_parsers.REASONING} <= registered(root / "reasoning" / "__init__.py")


def registered(file: Path) -> set[str]:
    """The names in vLLM's table of parsers, read without importing it."""
    tables = [node.value for node in ast.parse(file.read_text()).body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)]
    return {key.value for table in tables for key in table.keys if isinstance(key, ast.Constant)}


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

    code = "import json; from conversion import TEXT_MODEL_MAP as t, MMPROJ_MODEL_MAP as e; print(json.dumps([list(t), list(e)]))"
    out = subprocess.run([str(envs.ensure("gguf")), "-c", code], capture_output=True, text=True, check=True).stdout
    texts, eyes = (set(names) for names in json.loads(out.splitlines()[-1]))
    assert texts >= CONVERTIBLE | ENCODERS
    assert eyes >= SEEING
    assert {"Qwen3ForCausalLM", "LlamaForCausalLM", "MistralForCausalLM", "Gemma3ForCausalLM", "Phi3ForCausalLM"} <= CONVERTIBLE
