"""Deployments that cannot fit on this machine are refused at once, with the numbers; those that live, or are not known, never are."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

import workbench as wb
from workbench import pocket
from workbench.core.gguf_header import read_header
from workbench.core.jobs import Failure, JobSpec
from workbench.core.specs import DeploySpec
from workbench.errors import DoesNotFit
from workbench.runtime.deployments import fit as here
from workbench.runtime.deployments.endpoints import deployment_spec
from workbench.runtime.machine import Gpu, Holder, Machine, snapshot
from workbench.runtime.work import jobs

POCKET = str(pocket.path())
CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "num_hidden_layers": 64,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_size": 5120,
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
}
GIB = 1 << 30


def sparse(folder: Path, parameters: int) -> Path:
    """A model whose file claims many weights and takes no room on the disk."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    header = json.dumps({"w": {"dtype": "BF16", "shape": [parameters], "data_offsets": [0, parameters * 2]}}).encode()
    with (folder / "model.safetensors").open("wb") as f:
        f.write(struct.pack("<Q", len(header)) + header)
        f.truncate(8 + len(header) + parameters * 2)
    return folder


def test_a_context_beyond_all_memory_is_refused_before_anything_starts(home: Path) -> None:
    module = wb.TrainableModule(POCKET).deploy_method(wb.deploy.llama_cpp, n_ctx=10**11)
    with pytest.raises(DoesNotFit) as refused:
        module.start()
    assert "llama.cpp needs 116 TiB of the machine's memory" in refused.value.what
    assert "1.2 KiB each" in refused.value.cause
    assert refused.value.fix.startswith("deploy_method(…, n_ctx=")
    assert jobs.store().jobs() == []
    fits = int(refused.value.fix.split("n_ctx=")[1].split(")")[0])
    found = here.fit_of(DeploySpec(POCKET, arguments={"n_ctx": fits // 2}), "llama_cpp")
    assert found is not None
    assert found.fits


def test_weights_that_no_memory_holds_are_refused(home: Path, tmp_path: Path) -> None:
    model = sparse(tmp_path / "huge", 10**12)
    with pytest.raises(DoesNotFit, match=r"Weights 1.8 TiB"):
        wb.TrainableModule(str(model), type="llm").deploy_method(wb.deploy.transformers).start()
    assert jobs.store().jobs() == []


def test_whoever_wants_to_may_try(home: Path) -> None:
    module = wb.TrainableModule(POCKET).deploy_method(wb.deploy.llama_cpp, n_ctx=10**11, check_fit=False)
    plan = module.start(dry_run=True)
    assert plan.fit is not None
    assert not plan.fit.fits
    assert "does not fit; n_ctx=" in str(plan)
    assert module._plan().start == {"check_fit": False}


def test_a_deployment_that_lives_is_joined_whatever_is_free(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = deployment_spec(DeploySpec(POCKET), "llama_cpp")
    monkeypatch.setattr(here, "snapshot", lambda: replace(snapshot(()), memory_used=snapshot(()).memory_total))
    with pytest.raises(DoesNotFit):
        here.ensure_fits(spec)
    job = jobs.submit(spec)
    try:
        here.ensure_fits(spec)
    finally:
        jobs.stop(job.id, save=False)
        jobs.wait(job.id, timeout=30)


@pytest.mark.parametrize(
    "spec",
    [
        JobSpec("deploy", "dummy", "d", DeploySpec("nowhere").to_json()),
        JobSpec("deploy", "function", "f", {"model": "f"}),
        JobSpec("finetune", "llamafactory", "t", {"base_model": POCKET}),
        JobSpec("deploy", "vllm", "x", DeploySpec("/nowhere/at/all").to_json()),
    ],
)
def test_what_is_not_known_is_not_refused(home: Path, spec: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    calculated: list[object] = []
    monkeypatch.setattr(here, "fit", lambda *args: calculated.append(args))
    here.ensure_fits(spec)
    assert calculated == []


def machine(holders: tuple[Holder, ...] = (), used: int = 4 * GIB) -> Machine:
    gpu = Gpu(0, "a GPU", 0.1, used, 24 * GIB, holders=holders)
    return Machine(0.0, 8, 0.1, (), 0.1, 4 * GIB, 64 * GIB, 0, (), (gpu,))


def test_a_gpu_is_told_with_who_holds_it(home: Path, tmp_path: Path) -> None:
    model = sparse(tmp_path / "qwen", 8 * 10**9)
    seen = machine((Holder("tone", "finetune", 9 * GIB, job_id="k1"),), 10 * GIB)
    spec = DeploySpec(str(model), arguments={"max_model_len": 8192})
    found = here.fit_of(spec, "vllm", seen)
    assert found is not None
    error = here.refusal(found, "qwen", "vllm", seen)
    assert error.what.startswith("qwen does not fit: vLLM needs")
    assert "of GPU 0, and 14 GiB are free" in error.what
    assert "tone (finetune) holds 9 GiB" in error.cause
    assert "gpu_memory_utilization=0.58, quantization='fp8'" in error.fix


def test_a_build_without_gpus_is_measured_by_the_machines_memory(tmp_path: Path) -> None:
    spec = replace(DeploySpec(str(sparse(tmp_path / "qwen", 10**9))), device="cpu")
    assert [d.name for d in here.devices(spec, machine())] == ["memory"]
    assert [d.name for d in here.devices(DeploySpec("x"), machine())] == ["GPU 0", "memory"]


def test_a_container_has_no_more_than_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / name for name in ("max", "current", "stat")]
    monkeypatch.setattr(here, "_CGROUP", tuple(files))
    assert here._bounded(64 * GIB, 60 * GIB) == (64 * GIB, 60 * GIB)
    for file, text in zip(files, (str(8 * GIB), str(5 * GIB), f"anon 1\ninactive_file {2 * GIB}\nactive_file {GIB}\n"), strict=True):
        file.write_text(text)
    assert here._bounded(64 * GIB, 60 * GIB) == (8 * GIB, 6 * GIB)
    files[0].write_text("max\n")
    assert here._bounded(64 * GIB, 60 * GIB) == (64 * GIB, 60 * GIB)


def test_after_the_memory_ran_out_the_argument_is_named(home: Path) -> None:
    spec = deployment_spec(DeploySpec(POCKET, arguments={"n_ctx": 1_000_000}), "llama_cpp")
    killed = Failure("llama.cpp was killed.", "Probably the machine's memory ran out: stop other jobs, or serve a smaller model.")
    assert "n_ctx=" in here.after_out_of_memory(killed, spec, "").fix
    other = Failure("The port was taken.", "Try again.")
    assert here.after_out_of_memory(other, spec, "couldn't bind") == other
    said = "ValueError: To serve at least one request (4.00 GiB KV cache is needed). Based on this, the estimated maximum model length is 12288."
    vllm = replace(spec, backend="vllm")
    assert "max_model_len=12288" in here.after_out_of_memory(Failure("x"), vllm, said).fix
    refused = said.replace("4.00", "0.10")
    cached = deployment_spec(DeploySpec(POCKET, arguments={"kv_cache_memory_bytes": "1M", "max_model_len": 2048}), "vllm")
    assert "(…, kv_cache_memory_bytes='128M'), or max_model_len=12288: so" in here.after_out_of_memory(Failure("x"), cached, refused).fix
    only = here.after_out_of_memory(Failure("x"), cached, "(0.10 GiB KV cache is needed, which is larger than the available").fix
    assert only == "Give deploy_method(…, kv_cache_memory_bytes='128M')."
    gone = replace(spec, payload=DeploySpec("/gone").to_json())
    assert here.after_out_of_memory(killed, gone, "") == killed


def test_short_arrays_of_a_gguf_are_kept(tmp_path: Path) -> None:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    def array(key: str, kind: int, code: str, values: list[int]) -> bytes:
        return text(key) + struct.pack("<IIQ", 9, kind, len(values)) + struct.pack(f"<{len(values)}{code}", *values)

    body = array("a.heads", 4, "I", [0, 8, 8]) + array("a.long", 5, "i", list(range(5000))) + text("a.name") + struct.pack("<I", 8) + text("x")
    file = tmp_path / "m.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 3) + body)
    header = read_header(file)
    assert header.arrays == {"a.heads": (0, 8, 8)}
    assert header.values == {"a.heads": 3, "a.long": 5000, "a.name": "x"}
