"""A safetensors folder with fewer bits a weight on the real llama.cpp: ggml's own blocks, kept for each quantization, whole or not at all."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import workbench as wb
from workbench import envs, pocket
from workbench.core.gguf_header import read_header
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.deploy import gguf_cache
from workbench.deploy.llama_cpp_arguments import QUANTIZED
from workbench.runners import quantize_gguf
from workbench.runtime.work import jobs

RUNNER = Path(wb.__file__).parent / "runners" / "quantize_gguf.py"
COMPARE = """
import json, sys, numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
numbers = lambda t: dequantize(t.data, t.tensor_type).astype(np.float64)
before = {t.name: numbers(t) for t in GGUFReader(sys.argv[1]).tensors}
off = {}
for t in GGUFReader(sys.argv[2]).tensors:
    was = before[t.name]
    off.setdefault(t.tensor_type.name, []).append(float(np.linalg.norm(numbers(t) - was) / np.linalg.norm(was)))
print(json.dumps({kind: max(each) for kind, each in off.items()}))
"""
RUN = """
import os, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
MOST_OFF = {"F32": 0.0, "F16": 0.001, "Q8_0": 0.01, "Q6_K": 0.03, "Q5_K": 0.05, "Q5_0": 0.06, "Q5_1": 0.06, "Q4_K": 0.1, "Q4_0": 0.12, "Q4_1": 0.1}
MOST_OFF |= {"IQ4_NL": 0.1, "IQ4_XS": 0.1, "Q3_K": 0.2, "Q2_K": 0.4}


@pytest.fixture(scope="module")
def model(module_home: Path) -> Path:
    """The shipped model as a fine-tuning leaves one."""
    return Path(shutil.copytree(pocket.path(), module_home.parent / "tuned", ignore=shutil.ignore_patterns("*.gguf")))


@pytest.fixture(scope="module")
def half(module_home: Path, model: Path) -> Path:
    """The same as a GGUF file with 16 bits, and where a deployment that was cut off has left it."""
    spec, target = module_home.parent / "convert.json", gguf_cache.unquantized(model, "q4_k_m")
    spec.write_text(json.dumps({"model": str(model), "target": str(target), "outtype": "f16"}))
    subprocess.run([str(envs.ensure("gguf")), str(RUNNER.with_name("convert_gguf.py")), str(spec)], check=True, capture_output=True)
    return Path(shutil.copy(target, module_home.parent / "half.gguf"))


def quantized(half: Path, folder: Path, outtype: str, most: int = 0) -> subprocess.CompletedProcess[str]:
    source = shutil.copy(half, folder / "source.gguf")
    spec = folder / "quantize.json"
    spec.write_text(json.dumps({"source": str(source), "target": str(folder / f"{outtype}.gguf"), "outtype": outtype}))
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))) if most else None
    command = [sys.executable, "-c", RUN, str(RUNNER), str(spec)]
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)


@pytest.mark.parametrize("outtype", ["q4_k_m", "q2_k", "q4_0", "iq4_xs"])
def test_every_quantization_is_what_another_reader_makes_of_it(half: Path, tmp_path: Path, outtype: str) -> None:
    ran = quantized(half, tmp_path, outtype)
    assert ran.returncode == 0, ran.stderr
    made = tmp_path / f"{outtype}.gguf"
    assert not (tmp_path / "source.gguf").exists()
    assert read_header(made).values["general.file_type"] == quantize_gguf.FILE_TYPES[outtype]
    assert read_header(made).size <= made.stat().st_size < half.stat().st_size / 2
    said = subprocess.run([str(envs.ensure("gguf")), "-c", COMPARE, str(half), str(made)], check=True, capture_output=True, text=True).stdout
    off = json.loads(said)
    assert {kind: value for kind, value in off.items() if value > MOST_OFF[kind]} == {}
    assert outtype.upper().removesuffix("_M") in off


def test_a_folder_is_quantized_once_says_its_sizes_and_answers(model: Path, half: Path) -> None:
    m = wb.TrainableModule(str(model)).deploy_method(wb.deploy.llama_cpp, quantization="q4_k_m").start()
    assert m("Which day comes after Wednesday?", temperature=0) == "Thursday"
    assert m.deployment is not None
    told = [e.data["text"] for e in jobs.store().events_since(m.deployment.id) if e.event == "notice"]
    assert any("Quantized to Q4_K_M: 4.9 MiB became 1.6 MiB" in text for text in told)
    made = gguf_cache.target(model, "q4_k_m")
    assert [p.name for p in made.parent.glob("*.gguf")] == ["tuned-q4_k_m.gguf"]
    m.stop()
    assert stages(model, "q4_k_m") == ["serve"]
    assert stages(model, "Q5_K_M") == ["convert", "quantize", "serve"]
    assert set(QUANTIZED) == set(quantize_gguf.FILE_TYPES)


def stages(model: Path, outtype: str) -> list[str]:
    spec = DeploySpec(str(model), arguments={"outtype": outtype})
    return [stage.name for stage in wb.deploy.llama_cpp().plan(spec.to_json(), JobPlace("job", model))]


def test_a_file_of_the_asked_quantization_beside_the_model_is_taken(tmp_path: Path) -> None:
    model = shutil.copytree(pocket.path(), tmp_path / "mine")
    engine = wb.deploy.llama_cpp()
    assert str(model / "pocket-q8_0.gguf") in engine.command(DeploySpec(str(model), arguments={"quantization": "8bit"}).to_json())
    assert str(gguf_cache.target(model, "q4_k_m")) in engine.command(DeploySpec(str(model), arguments={"quantization": "4bit"}).to_json())


def test_a_full_disk_is_said_and_leaves_no_half_file(half: Path, tmp_path: Path) -> None:
    ran = quantized(half, tmp_path, "q4_k_m", most=300_000)
    assert ran.returncode == 1
    assert {p.name for p in tmp_path.iterdir()} == {"quantize.json"} | ({"source.gguf"} if (tmp_path / "source.gguf").exists() else set())
    failure = wb.deploy.llama_cpp().explain("quantize", 1, ran.stderr)
    assert "disk full" in failure.cause
    assert "WORKBENCH_HOME" in failure.fix
