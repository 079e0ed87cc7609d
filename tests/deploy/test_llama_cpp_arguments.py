"""llama.cpp's arguments under everybody's names, which of several GGUF files is served, its own command line, and its ends in words."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench import envs, pocket
from workbench.core.specs import DeploySpec
from workbench.deploy import llama_cpp
from workbench.deploy.gguf_files import find_gguf, find_mmproj, quantization_of
from workbench.deploy.llama_cpp_arguments import ALIASES, ARGUMENTS, ELSEWHERE, OPPOSITES, SLOTS
from workbench.deploy.llama_cpp_ends import explained
from workbench.errors import ArgumentError, JobFailed, ModelNotFound

GGUF = next(pocket.path().glob("*.gguf"))


@pytest.fixture
def several(tmp_path: Path) -> Path:
    for name in ("tiny-Q4_K_M.gguf", "tiny-q8_0.gguf", "mmproj-tiny-F32.gguf", "mmproj-tiny-f16.gguf"):
        shutil.copy(GGUF, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "settled"),
    [
        ({"ctx_size": 512, "ngl": 3, "threads": 2, "parallel": 1}, {"n_ctx": 512, "n_gpu_layers": 3, "n_threads": 2, "n_parallel": 1}),
        ({"ctx-size": 512, "--flash-attn": "on"}, {"n_ctx": 512, "flash_attn_type": "on"}),
        ({"num_ctx": 512, "num_gpu": 9}, {"n_ctx": 512, "n_gpu_layers": 9}),
        ({"max_model_len": 512}, {"n_ctx": 512 * SLOTS}),
        ({"max_model_len": 512, "np": 2}, {"n_ctx": 1024, "n_parallel": 2}),
        ({"temperature": 0.1, "repeat_penalty": 1.1}, {"temp": 0.1, "penalty_repeat": 1.1}),
        ({"quantization": "Q4_K_M"}, {"outtype": "q4_k_m"}),
        ({"quantize": "q4_k_m"}, {"outtype": "q4_k_m"}),
        ({"quantization": "4bit"}, {"outtype": "q4_k_m"}),
        ({"quantization": "IQ2_XXS"}, {"gguf": "IQ2_XXS"}),
        ({"quantization": "8bit"}, {"outtype": "q8_0"}),
    ],
)
def test_everybodys_names_are_taken(given: dict[str, Any], settled: dict[str, Any]) -> None:
    assert llama_cpp.settle(given) == settled


def test_names_that_nobody_knows_and_names_for_the_same_are_refused() -> None:
    with pytest.raises(ArgumentError, match="'ctx_size' is the nearest"):
        llama_cpp.settle({"ctx_sise": 1})
    with pytest.raises(ArgumentError, match="same argument"):
        llama_cpp.settle({"n_ctx": 1, "ctx_size": 2})
    with pytest.raises(ArgumentError, match="max_model_len"):
        llama_cpp.settle({"n_ctx": 1, "max_model_len": 2})
    assert {*ALIASES.values(), *OPPOSITES.values()} <= set(ARGUMENTS)
    assert not set(ALIASES) & set(ARGUMENTS)
    assert not set(ELSEWHERE) & {*ALIASES, *OPPOSITES, *ARGUMENTS}


def test_of_several_files_one_is_chosen_by_name_or_quantization(several: Path) -> None:
    with pytest.raises(ArgumentError, match=r"(?s)holds 2 GGUF models.*gguf='Q4_K_M'"):
        find_gguf(several)
    for wanted, name in (("q4_k_m", "tiny-Q4_K_M"), ("Q8_0", "tiny-q8_0"), ("tiny-q8_0.gguf", "tiny-q8_0"), ("q4", "tiny-Q4_K_M")):
        found = find_gguf(several, wanted)
        assert found is not None
        assert found.stem == name
    with pytest.raises(ArgumentError, match=r"(?s)no GGUF models 'q5'.*Choose one of"):
        find_gguf(several, "q5")
    with pytest.raises(ArgumentError, match="several GGUF models 'tiny'"):
        find_gguf(several, "tiny")
    eyes = find_mmproj(several)
    assert eyes is not None
    assert eyes.name == "mmproj-tiny-f16.gguf"


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("model.IQ2_XXS.gguf", "IQ2_XXS"),
        ("m-UD-Q2_K_XL.gguf", "UD-Q2_K_XL"),
        ("m-BF16-00001-of-00002.gguf", "BF16"),
        ("ggml-model-f16.gguf", "F16"),
        ("Qwen3-8B.gguf", ""),
        ("Qwen2.gguf", ""),
    ],
)
def test_the_quantization_is_read_from_the_name(name: str, quantization: str) -> None:
    assert quantization_of(Path(name)) == quantization


def test_the_command_line_is_llama_servers(several: Path) -> None:
    arguments = {"gguf": "q8_0", "ctx_size": 512, "n_gpu_layers": 3, "cache_prompt": False}
    spec = DeploySpec(str(several), arguments=arguments, defaults={"temperature": 0, "enable_thinking": False})
    line = llama_cpp().command(spec.to_json())
    assert line[:3] == ["llama-server", "--model", str(several / "tiny-q8_0.gguf")]
    said = " ".join(line)
    for part in (
        "--port {port} --api-key {key}",
        "--ctx-size 512",
        "--gpu-layers 3",
        "--no-cache-prompt",
        "--temp 0",
        '--chat-template-kwargs {"enable_thinking": false}',
    ):
        assert part in said


def test_what_llama_cpp_cannot_do_is_refused_with_the_way_out(several: Path, tmp_path: Path) -> None:
    engine = llama_cpp()

    def refused(match: str, **fields: Any) -> None:
        with pytest.raises(ArgumentError, match=f"(?s){match}"):
            engine.check(DeploySpec(str(several / "tiny-q8_0.gguf"), **fields).to_json())

    adapter = tmp_path / "adapter"
    adapter.mkdir()
    refused("is a folder.*adapters=", arguments={"lora_adapters": str(adapter)})
    refused("no such GGUF file", arguments={"lora": ["/nowhere/a.gguf"]})
    refused("cannot convert to 'iq1_s'.*q4_k_m", arguments={"outtype": "IQ1_S"})
    refused("no mmproj file", arguments={"mmproj": "/nowhere/mmproj.gguf"})
    refused("no draft model", arguments={"md": "/nowhere/draft.gguf"})
    engine.check(DeploySpec(str(several / "tiny-q8_0.gguf"), type="vlm").to_json())
    for eyes in several.glob("mmproj*"):
        eyes.unlink()
    refused("cannot show pictures.*type='llm'", type="vlm")


def test_the_eyes_of_a_vision_model_go_along(several: Path) -> None:
    spec = DeploySpec(str(several / "tiny-q8_0.gguf"), type="vlm")
    assert str(several / "mmproj-tiny-f16.gguf") in llama_cpp().command(spec.to_json())
    named = DeploySpec(str(several / "tiny-q8_0.gguf"), arguments={"mmproj": "mmproj-tiny-F32.gguf"})
    assert str(several / "mmproj-tiny-F32.gguf") in llama_cpp().command(named.to_json())


@pytest.mark.parametrize(
    ("log", "cause", "fix"),
    [
        ("load: error: tensor 'blk.2.ffn_up.weight' data is not within the file bounds, model is corrupted", "ends too early", "Download"),
        ("gguf_init: this GGUF file is version 9 but this software only supports up to version 3", "version 9.*up to 3", "pip install -U"),
        ("error loading model: unknown model architecture: 'qwenz'", "architecture 'qwenz'", "deploy.transformers"),
        ("gguf_init_from_reader: invalid magic characters: 'XXXX', expected 'GGUF'", "begins with 'XXXX'", "ends in .gguf"),
        ("failed to load lora adapter 'a.gguf'\nfailed to create context with model 'm.gguf'", "adapter does not fit", "trained on it"),
        ("init: failed to initialize the context: failed to allocate buffer for kv cache", "memory for the context", "n_ctx="),
        ("ggml_backend: unable to allocate CUDA0 buffer", "memory for the model", "n_gpu_layers="),
        ("init: chat template parsing error: std::exception", "chat template", "chatml"),
        ("error: llama_init_from_model: quantized V cache requires flash_attn to be enabled", "flash attention", "cache_type_v"),
        ("couldn't bind HTTP server socket", "port was taken", "start"),
    ],
)
def test_ends_are_told_in_words(log: str, cause: str, fix: str) -> None:
    found = explained(log)
    assert found is not None
    assert re.search(cause, found.cause)
    assert fix in found.fix


def test_an_end_without_a_sign_is_left_to_others() -> None:
    assert explained("Segmentation fault") is None


def test_a_damaged_file_and_a_younger_one_are_told_by_the_engine_itself(home: Path, tmp_path: Path) -> None:
    whole = GGUF.read_bytes()
    key = b"general.architecture" + struct.pack("<IQ", 8, 5)
    odd = tmp_path / "odd.gguf"
    odd.write_bytes(whole.replace(key + b"qwen3", key + b"qwenz"))
    with pytest.raises(JobFailed, match=r"(?s)architecture 'qwenz'.*pip install -U xllamacpp"):
        wb.TrainableModule(odd, type="llm").deploy_method(wb.deploy.llama_cpp, restarts=0, check_fit=False).start()
    young = tmp_path / "young.gguf"
    young.write_bytes(whole[:4] + struct.pack("<I", 9) + whole[8:])
    with pytest.raises((JobFailed, ModelNotFound), match="version 9"):
        wb.TrainableModule(young, type="llm").deploy_method(wb.deploy.llama_cpp, restarts=0, check_fit=False).start()


MAKE_ADAPTER = """
import sys, numpy, gguf
w = gguf.GGUFWriter(sys.argv[1], "qwen3")
w.add_type("adapter"); w.add_string("adapter.type", "lora"); w.add_float32("adapter.lora.alpha", 8.0)
draw = numpy.random.default_rng(0)
for i in range(5):
    for part, shape in (("a", (8, 256)), ("b", (256, 8))):
        w.add_tensor(f"blk.{i}.attn_q.weight.lora_{part}", draw.normal(0, float(sys.argv[2]), shape).astype("float32"))
w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
"""


def test_a_lora_adapter_as_a_gguf_file_changes_every_answer(home: Path, tmp_path: Path) -> None:
    python = envs.ensure("gguf")
    said = []
    for name, strength in (("still.gguf", "0"), ("loud.gguf", "1")):
        subprocess.run([str(python), "-c", MAKE_ADAPTER, str(tmp_path / name), strength], check=True)
        m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, lora_adapters=str(tmp_path / name)).start()
        said.append(m("Hello!", max_tokens=4))
    assert said[0].startswith("Hello! I am")
    assert not said[1].startswith("Hello")
    with pytest.raises(JobFailed, match="adapter does not fit this model"):
        wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, lora_adapters=str(GGUF), restarts=0).start()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"n_ctx": 2048 * SLOTS}, ""),
        ({"n_ctx": 2048 * SLOTS + 1}, f"n_ctx={2048 * SLOTS} does the same for {SLOTS} conversations at once"),
        ({"n_ctx": 8192, "n_parallel": 1}, "made for 2,048 tokens. n_ctx=2048 does the same."),
        ({"n_ctx": 8192, "n_parallel": 1, "rope_freq_scale": 0.25}, ""),
        ({}, ""),
    ],
)
def test_a_context_that_nobody_can_use_is_told(arguments: dict[str, Any], told: str) -> None:
    said = llama_cpp().advice(DeploySpec(str(pocket.path()), arguments=arguments).to_json())
    assert told in said
    assert bool(said) == bool(told)
