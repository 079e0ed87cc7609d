"""The machine with real processes; the GPUs through a stand-in of NVML's Python module, because there is none here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psutil
import pynvml
import pytest

from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.runtime import machine, nvml

GIB = 1024**3


def record(job_id: str, pid: int, name: str = "a-run", kind: str = "finetune") -> JobRecord:
    return JobRecord(job_id, JobSpec(kind, "none", name, {}), JobState.RUNNING, time.time(), supervisor_pid=pid)


@pytest.fixture
def busy_tree() -> Iterator[subprocess.Popen[bytes]]:
    """A process that names the job ``abc12345``, with a child that keeps a core busy and holds 100 MB."""
    child = "import sys; held = bytearray(100_000_000); print('up', flush=True)\nwhile True: pass"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", script, "abc12345"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    for p in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        p.kill()
    process.wait()


def test_a_job_holds_the_memory_and_the_share_of_its_whole_tree(busy_tree: subprocess.Popen[bytes]) -> None:
    job = record("abc12345", busy_tree.pid)
    machine.snapshot([job])
    time.sleep(0.5)
    seen = machine.snapshot([job])
    holder = next(h for h in seen.holders if h.job_id == "abc12345")
    assert holder.name == "a-run"
    assert holder.what == "finetune"
    assert 100_000_000 < holder.memory < 400_000_000
    assert holder.use is not None
    assert 0.1 / seen.cores < holder.use <= 1.3 / seen.cores
    assert holder.since is not None
    assert abs(holder.since - time.time()) < 60
    assert seen.holders[-1].what == "system"
    assert sum(h.memory for h in seen.holders) == pytest.approx(seen.memory_used, rel=0.2)
    json.dumps(seen.to_json())


def test_a_pid_of_another_machine_is_nobody_here(busy_tree: subprocess.Popen[bytes]) -> None:
    seen = machine.snapshot([record("zzz99999", busy_tree.pid), record("gone0000", 4_000_000)])
    assert not [h for h in seen.holders if h.job_id]


def test_a_kernel_is_called_by_its_notebook(tmp_path: Path) -> None:
    connection = tmp_path / "kernel-0123abcd-4567.json"
    env = {**os.environ, "JPY_SESSION_NAME": "notes/analysis.ipynb"}
    process = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); input()", "-f", str(connection)], stdin=-1, stdout=-1, env=env)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        seen = machine.snapshot([])
        assert [h.name for h in seen.holders if h.pid == process.pid] == ["analysis.ipynb"]
        assert [h.what for h in seen.holders if h.pid == process.pid] == ["notebook"]
    finally:
        process.kill()
        process.wait()


def test_looks_close_together_give_the_same_shares() -> None:
    machine.snapshot([])
    time.sleep(0.25)
    first = machine.snapshot([])
    assert machine.snapshot([]).per_core == first.per_core
    assert len(first.per_core) == first.cores
    assert all(0 <= share <= 1 for share in first.per_core)


class ScriptedNvml(ModuleType):
    """Answers as `pynvml` does, with two GPUs; the second is a card that says only what it must."""

    def __init__(self, pid: int) -> None:
        super().__init__("pynvml")
        self._pid = pid
        self.inits = 0
        for name in ("NVML_TEMPERATURE_GPU", "NVML_TEMPERATURE_THRESHOLD_SLOWDOWN"):
            setattr(self, name, getattr(pynvml, name))

    def nvmlInit(self) -> None:
        self.inits += 1

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:
        return b"NVIDIA H100" if handle else "NVIDIA H100"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(total=80 * GIB, used=(56 if handle == 0 else 12) * GIB, free=0)

    def _refuse(self, handle: int) -> None:
        if handle == 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        self._refuse(handle)
        return SimpleNamespace(gpu=94, memory=61)

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        self._refuse(handle)
        return 512_300

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: int) -> int:
        self._refuse(handle)
        return 700_000

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        self._refuse(handle)
        return 64

    def nvmlDeviceGetTemperatureThreshold(self, handle: int, which: int) -> int:
        self._refuse(handle)
        return 87

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        held = [(self._pid, 31 * GIB), (self._pid, 30 * GIB)] if handle == 0 else [(4_000_001, None)]
        return [SimpleNamespace(pid=pid, usedGpuMemory=memory) for pid, memory in held]

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: int) -> list[Any]:
        self._refuse(handle)
        return []

    def nvmlDeviceGetProcessUtilization(self, handle: int, since: int) -> list[Any]:
        self._refuse(handle)
        return [SimpleNamespace(pid=self._pid, timeStamp=since + i, smUtil=use) for i, use in ((2, 78), (1, 5))]

    def nvmlSystemGetDriverVersion(self) -> str:
        return "560.35"

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        return 12_060


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, busy_tree: subprocess.Popen[bytes]) -> ScriptedNvml:
    child = psutil.Process(busy_tree.pid).children(recursive=True)[0].pid
    stand_in = ScriptedNvml(child)
    for name in vars(ScriptedNvml):
        assert not name.startswith("nvml") or hasattr(pynvml, name), f"pynvml has no {name}"
    monkeypatch.setitem(sys.modules, "pynvml", stand_in)
    monkeypatch.setattr(nvml, "_ready", False)
    monkeypatch.setattr(nvml, "_missing_since", None)
    return stand_in


def test_a_gpu_is_told_with_its_holders_in_our_words(driver: ScriptedNvml, busy_tree: subprocess.Popen[bytes]) -> None:
    seen = machine.snapshot([record("abc12345", busy_tree.pid, "support-tone-r3")])
    first, second = seen.gpus
    assert (seen.driver, seen.cuda) == ("560.35", "12.6")
    assert (first.name, first.use, first.memory_traffic, first.power, first.power_limit) == ("NVIDIA H100", 0.94, 0.61, 512.3, 700.0)
    assert (first.temperature, first.temperature_limit, first.memory_used) == (64, 87, 56 * GIB)
    [holder] = first.holders
    assert (holder.name, holder.what, holder.job_id, holder.memory, holder.use) == ("support-tone-r3", "finetune", "abc12345", 31 * GIB, 0.78)
    assert (second.use, second.power, second.temperature) == (None, None, None)
    [other] = second.holders
    assert (other.name, other.what, other.memory, other.use) == ("process 4000001", "outside", 0, None)
    machine.snapshot([])
    assert driver.inits == 1


def test_without_a_driver_there_are_no_gpus_and_it_is_not_asked_for_every_time(driver: ScriptedNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        driver.inits += 1
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(driver, "nvmlInit", refuse)
    assert nvml.read() == nvml.Cards()
    assert nvml.read() == nvml.Cards()
    assert driver.inits == 1
