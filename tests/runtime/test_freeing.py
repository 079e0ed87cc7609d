"""Making room on a GPU: real deployments and foreign processes, and a stand-in of NVML's Python module, because there is no GPU here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psutil
import pynvml
import pytest

import workbench as wb
from workbench.errors import ArgumentError
from workbench.runtime import nvml

GIB = 1 << 30


class ScriptedNvml(ModuleType):
    """Answers as `pynvml` does: one GPU of 80 GiB, and those of ``held`` that live."""

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.held: dict[int, int] = {}
        for name in ("NVML_TEMPERATURE_GPU", "NVML_TEMPERATURE_THRESHOLD_SLOWDOWN"):
            setattr(self, name, getattr(pynvml, name))

    def _living(self) -> dict[int, int]:
        return {pid: held for pid, held in self.held.items() if psutil.pid_exists(pid)}

    def nvmlInit(self) -> None:
        pass

    def nvmlDeviceGetCount(self) -> int:
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:
        return "NVIDIA H100"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(total=80 * GIB, used=sum(self._living().values()), free=0)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=held) for pid, held in self._living().items()]

    def _refuse(self, *arguments: Any) -> Any:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    nvmlDeviceGetUtilizationRates = nvmlDeviceGetPowerUsage = nvmlDeviceGetEnforcedPowerLimit = _refuse
    nvmlDeviceGetTemperature = nvmlDeviceGetTemperatureThreshold = nvmlDeviceGetGraphicsRunningProcesses = _refuse
    nvmlDeviceGetProcessUtilization = nvmlSystemGetDriverVersion = nvmlSystemGetCudaDriverVersion_v2 = _refuse


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> ScriptedNvml:
    stand_in = ScriptedNvml()
    for name in vars(ScriptedNvml):
        assert not name.startswith("nvml") or hasattr(pynvml, name), f"pynvml has no {name}"
    monkeypatch.setitem(sys.modules, "pynvml", stand_in)
    monkeypatch.setattr(nvml, "_ready", False)
    monkeypatch.setattr(nvml, "_missing_since", None)
    return stand_in


@pytest.fixture
def stranger() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process.pid
    process.kill()
    process.wait()


def test_ours_are_stopped_and_a_foreign_process_is_named(home: Path, driver: ScriptedNvml, stranger: int) -> None:
    m = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).start()
    assert m.deployment is not None
    driver.held = {m.deployment.record.pid or 0: 30 * GIB, stranger: 10 * GIB}
    [row] = wb.deployments().to_pandas().itertuples()
    assert row.gpus == {0: 30 * GIB}
    assert "GPU 0: 30 GiB" in repr(wb.deployments())
    freed = wb.free_gpu(0)
    assert freed.stopped == (f"nothing ({m.deployment.id})",)
    assert m.state == "cancelled"
    assert freed.free == {0: 70 * GIB}
    assert [(index, holder.pid, holder.job_id) for index, holder in freed.remaining] == [(0, stranger, "")]
    assert f"pid {stranger}" in repr(freed)
    assert psutil.pid_exists(stranger)
    assert wb.free_gpu().stopped == ()


def test_a_gpu_that_is_not_there_is_refused(home: Path, driver: ScriptedNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentError, match="no GPU 3"):
        wb.free_gpu(3)
    monkeypatch.setattr(nvml, "read", nvml.Cards)
    with pytest.raises(ArgumentError, match="has no GPU"):
        wb.free_gpu(0)
