"""What NVIDIA's driver says about its GPUs, through NVML (``nvidia-ml-py``). Where there is no driver there are no GPUs.

Everything but the memory may be missing on a card: the driver then refuses that one question, and the value is None.
https://docs.nvidia.com/deploy/nvml-api/
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_RETRY = 60.0  # seconds until a driver that was not there is looked for again
_lock = threading.Lock()
_missing_since: float | None = None
_ready = False
_seen: dict[int, int] = {}  # GPU → NVML's time stamp of the newest sample of its processes


@dataclass(frozen=True, slots=True)
class CardProcess:
    """A process that holds memory of a GPU. ``use`` is its share of the GPU, None when there is no new sample."""

    pid: int
    memory: int
    use: float | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU; units as in `workbench.runtime.machine.Gpu`."""

    index: int
    name: str
    use: float | None
    memory_used: int
    memory_total: int
    memory_traffic: float | None
    power: float | None
    power_limit: float | None
    temperature: float | None
    temperature_limit: float | None
    processes: tuple[CardProcess, ...]


@dataclass(frozen=True, slots=True)
class Cards:
    """All GPUs, with the driver's and CUDA's versions as people write them."""

    gpus: tuple[Card, ...] = ()
    driver: str = ""
    cuda: str = ""


def read() -> Cards:
    """All GPUs now; empty without a driver."""
    global _missing_since, _ready
    with _lock:
        if _missing_since is not None and time.monotonic() - _missing_since < _RETRY:
            return Cards()
        try:
            import pynvml

            if not _ready:
                pynvml.nvmlInit()
                _ready = True
            cards = tuple(_card(pynvml, i) for i in range(pynvml.nvmlDeviceGetCount()))
            cuda = _ask(pynvml.nvmlSystemGetCudaDriverVersion_v2)
            return Cards(cards, _text(_ask(pynvml.nvmlSystemGetDriverVersion)), f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else "")
        except Exception:  # no library, no driver, no permission, or the driver went away: all mean that there is none to see
            _missing_since, _ready = time.monotonic(), False
            return Cards()


def _card(nvml: Any, index: int) -> Card:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    rates = _ask(nvml.nvmlDeviceGetUtilizationRates, handle)
    return Card(
        index=index,
        name=_text(_ask(nvml.nvmlDeviceGetName, handle)),
        use=rates.gpu / 100 if rates else None,
        memory_used=int(memory.used),
        memory_total=int(memory.total),
        memory_traffic=rates.memory / 100 if rates else None,
        power=_scaled(_ask(nvml.nvmlDeviceGetPowerUsage, handle), 1000),
        power_limit=_scaled(_ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle), 1000),
        temperature=_scaled(_ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU), 1),
        temperature_limit=_scaled(_ask(nvml.nvmlDeviceGetTemperatureThreshold, handle, nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN), 1),
        processes=tuple(_processes(nvml, index, handle)),
    )


def _processes(nvml: Any, index: int, handle: Any) -> list[CardProcess]:
    memory: dict[int, int] = {}
    for ask in (nvml.nvmlDeviceGetComputeRunningProcesses, nvml.nvmlDeviceGetGraphicsRunningProcesses):
        for p in _ask(ask, handle) or ():
            memory[int(p.pid)] = max(memory.get(int(p.pid), 0), int(p.usedGpuMemory or 0))
    use: dict[int, tuple[int, float]] = {}
    for s in _ask(nvml.nvmlDeviceGetProcessUtilization, handle, _seen.get(index, 0)) or ():
        newest, _ = use.get(int(s.pid), (0, 0.0))
        if s.timeStamp >= newest:
            use[int(s.pid)] = (int(s.timeStamp), s.smUtil / 100)
        _seen[index] = max(_seen.get(index, 0), int(s.timeStamp))
    return [CardProcess(pid, held, use[pid][1] if pid in use else None) for pid, held in memory.items()]


def _ask(question: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return question(*arguments)
    except Exception:  # NVMLError_NotSupported and its like: this card does not say
        return None


def _scaled(value: float | None, by: int) -> float | None:
    return None if value is None else value / by


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
