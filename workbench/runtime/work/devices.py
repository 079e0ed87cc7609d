"""Which GPUs the jobs of a call may use, where several calls share a machine: a context variable that the job's supervisor takes
over as ``CUDA_VISIBLE_DEVICES``. Knows no job.
"""

from __future__ import annotations

import os
from contextvars import ContextVar

assigned: ContextVar[str | None] = ContextVar("workbench_devices", default=None)


def visible() -> list[str]:
    """The GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them; empty without a GPU."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [d.strip() for d in chosen.split(",") if d.strip() not in ("", "-1")]
    from ..machine import snapshot

    return [str(i) for i in range(len(snapshot(()).gpus))]


def environment() -> dict[str, str]:
    """The variable that a job started in this context gets; nothing when it may use every GPU."""
    chosen = assigned.get()
    return {} if chosen is None else {"CUDA_VISIBLE_DEVICES": chosen}
