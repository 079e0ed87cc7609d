"""Asks the kernel for the registers that matrix instructions (AMX) of newer Intel processors compute in. Standard library only.

Linux gives them to processes that ask (https://docs.kernel.org/arch/x86/xstate.html). Libraries do so before they multiply matrices; vLLM's
attention for CPUs takes them for granted, and ends with an illegal instruction when it computes before anything else has asked: for a prompt
of one token as the first request.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import sys

_ARCH_PRCTL = 158
_ARCH_REQ_XCOMP_PERM = 0x1023
_XFEATURE_XTILEDATA = 18


def ask() -> bool:
    """Whether this process, and the threads it will start, may use them now. Without such a processor nothing happens."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    with contextlib.suppress(OSError, AttributeError):
        refused: int = ctypes.CDLL(None).syscall(_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XFEATURE_XTILEDATA)
        return refused == 0
    return False
