"""Makes room on a GPU: ends what is ours there, and says what else holds it. Ends no process of anybody else's."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.sizes import size
from ...errors import ArgumentError
from ..machine import Gpu, Holder, snapshot
from ..work import jobs

_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Freed:
    """What came of `free_gpu`.

    Attributes
    ----------
    stopped : tuple of str
        The jobs that were ended, as ``name (id)``.
    remaining : tuple of (int, Holder)
        Who still holds memory: the GPU's index, and who; its ``pid`` tells a foreign process, its ``job_id`` a training of ours.
    free : dict of int to int
        Bytes that are free now, by GPU.
    """

    stopped: tuple[str, ...]
    remaining: tuple[tuple[int, Holder], ...]
    free: dict[int, int]

    def __repr__(self) -> str:
        lines = [f"Stopped {', '.join(self.stopped)}." if self.stopped else "Nothing of ours was to be stopped."]
        lines += [f"GPU {index}: {size(free)} are free." for index, free in self.free.items()]
        return "\n".join([*lines, *(_words(index, holder) for index, holder in self.remaining)])


def free_gpu(index: int | None = None, *, training: bool = False) -> Freed:
    """End the deployments that hold a GPU, for everybody who uses them, and say who holds it still.

    Parameters
    ----------
    index : int, optional
        The GPU, as ``wb.gpu()`` counts them; all of them when not given.
    training : bool
        End trainings there as well, after a checkpoint.

    Raises
    ------
    ArgumentError
        When there is no such GPU.
    """
    ours = {h.job_id: h for gpu in _gpus(index) for h in gpu.holders if h.job_id and (training or h.what == "deploy")}
    for job_id in ours:
        jobs.stop(job_id)
    for job_id in ours:
        jobs.wait(job_id, timeout=_WAIT_SECONDS)
    now = _gpus(index)
    remaining = [(gpu.index, holder) for gpu in now for holder in gpu.holders]
    free = {gpu.index: gpu.memory_total - gpu.memory_used for gpu in now}
    return Freed(tuple(f"{holder.name} ({job_id})" for job_id, holder in ours.items()), tuple(remaining), free)


def _gpus(index: int | None) -> list[Gpu]:
    gpus = snapshot().gpus
    found = [gpu for gpu in gpus if index is None or gpu.index == index]
    if not found:
        what = "This machine has no GPU." if not gpus else f"There is no GPU {index!r}."
        cause = "" if gpus else "No driver of NVIDIA's answers."
        raise ArgumentError(what, cause, f"There are: {', '.join(str(gpu.index) for gpu in gpus)}." if gpus else "wb.gpu() shows the machine.")
    return found


def _words(index: int, holder: Holder) -> str:
    who = f"GPU {index}: {holder.name} still holds {size(holder.memory)}"
    if holder.job_id:
        stop = f"wb.job({holder.job_id!r}).stop()"
        return f"{who}; {stop} ends it{', or free_gpu(…, training=True)' if holder.what == 'finetune' else ''}."
    kind = "a notebook's kernel" if holder.what == "notebook" else "a process that is not the workbench's"
    return f"{who}: {kind}{f', pid {holder.pid}' if holder.pid else ''}. Only its owner can end it."
