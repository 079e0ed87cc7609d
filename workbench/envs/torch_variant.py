"""Which build of torch an environment takes. Looks at the GPU and at what pip was told; installs nothing."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from dataclasses import dataclass

from ..errors import SettingsError
from . import pip_settings
from .definitions import TORCH

_DEFAULT_CUDA = 13  # the CUDA that torch's wheels on the package index are built for


@dataclass(frozen=True, slots=True)
class TorchChoice:
    """A torch requirement, the value of uv's ``--torch-backend`` (or empty), and why."""

    requirement: str
    backend: str
    why: str


def driver_cuda() -> int | None:
    """The major CUDA version that the NVIDIA driver can run, or None where there is no usable GPU."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            return int(pynvml.nvmlSystemGetCudaDriverVersion()) // 1000 if pynvml.nvmlDeviceGetCount() else None
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no library, no driver, no permission: all mean that nothing here can use CUDA through NVML
        return _driver_cuda_directly()


def _driver_cuda_directly() -> int | None:
    """The same from the driver library, for machines such as WSL and containers where NVML is missing."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        version, count = ctypes.c_int(), ctypes.c_int()
        if cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
            return None
        return None if cuda.cuDriverGetVersion(ctypes.byref(version)) else version.value // 1000
    except (OSError, AttributeError):
        return None


def choose(setting: str = "auto", *, cpu_only: bool = False) -> TorchChoice:
    """The torch for this machine.

    Parameters
    ----------
    setting : str
        ``auto``, ``cpu``, ``cu128`` and so on, or a version such as ``2.12.0`` (also ``2.12.0+cpu``).
    cpu_only : bool
        Whatever the GPU.

    Raises
    ------
    SettingsError
        When the setting is none of these.
    """
    setting = setting.strip().lower() or "auto"
    pinned = f"torch=={TORCH}"
    if setting == "cpu" or re.fullmatch(r"(cu\d{3}|rocm[\d.]+|xpu)", setting):
        return TorchChoice(pinned, setting, f"the setting torch={setting}")
    if re.fullmatch(r"\d+\.\d+[\w.+]*", setting):
        return TorchChoice(f"torch=={setting}", "", f"the setting torch={setting}")
    if setting != "auto":
        raise SettingsError(
            f"WORKBENCH_TORCH={setting!r} names no build of torch.",
            "It is auto, cpu, a CUDA such as cu128, or a version such as 2.13.0.",
            "export WORKBENCH_TORCH=auto",
        )
    if sys.platform == "darwin":
        return TorchChoice(pinned, "", "a Mac has one build")
    if pip_settings.chooses_packages(pip_settings.read()):
        return TorchChoice(pinned, "", "pip is configured with the place to take packages from")
    if cpu_only:
        return TorchChoice(pinned, "cpu", "the environment is for CPUs")
    cuda = driver_cuda()
    if cuda is None:
        return TorchChoice(pinned, "cpu", "no NVIDIA GPU was found")
    if cuda >= _DEFAULT_CUDA:
        return TorchChoice(pinned, "", f"the GPU's driver runs CUDA {cuda}")
    return TorchChoice(pinned, "auto", f"the GPU's driver runs only CUDA {cuda}")
