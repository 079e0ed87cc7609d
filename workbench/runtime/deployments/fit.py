"""Whether a deployment fits this machine, before it is started: looks at the files and at what is free, `workbench.deploy.fit` calculates.

Starts nothing. A deployment that already lives is never checked: it has its memory.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import registry
from ...core import kv_cache
from ...core.gguf_header import read_header
from ...core.jobs import Failure, JobSpec, JobState
from ...core.models import ModelMeta
from ...core.sizes import size
from ...core.specs import DeploySpec
from ...deploy.fit import Device, Fit, fit, larger_cache, tighter
from ...errors import DoesNotFit, ModelNotFound
from ..inspecting.inspection import inspect
from ..machine import Holder, Machine, snapshot

_MEMORY = "memory"
_OUT = re.compile(
    r"out of memory|memory ran out|cannot allocate|failed to allocate|unable to allocate|MemoryError|bad_alloc"
    r"|KV cache is needed|No available memory",
    re.I,
)
_NEEDED = re.compile(r"\(([\d.]+) GiB KV cache is needed")
_SAID = re.compile(r"estimated maximum model length is (\d+)")
_CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory.stat"))


def fit_of(spec: DeploySpec, engine: str, machine: Machine | None = None) -> Fit | None:
    """What a deployment would take of this machine now.

    Parameters
    ----------
    spec : DeploySpec
        With the model's path.
    engine : str
        A name in the registry group ``deploy``.
    machine : Machine, optional
        A snapshot; one is taken when not given.

    Returns
    -------
    Fit or None
        None where too little is known: no files, an engine of a plugin, a form of model that tells no sizes.
    """
    meta = _described(spec, engine)
    if meta is None:
        return None
    return fit(meta, engine, _arguments(spec, engine), devices(spec, machine or snapshot()))


def ensure_fits(spec: JobSpec) -> None:
    """Refuse a deployment that would not fit, unless it is there already.

    Raises
    ------
    DoesNotFit
        With the numbers, who holds the memory, and the one argument that would make it fit.
    """
    if spec.kind != "deploy" or "model" not in spec.payload or spec.backend == "function" or _lives(spec):
        return
    deploy = DeploySpec.from_json(spec.payload)
    machine = snapshot()
    found = fit_of(deploy, spec.backend, machine)
    if found is not None and not found.fits:
        raise refusal(found, spec.name, spec.backend, machine)


def refusal(found: Fit, name: str, engine: str, machine: Machine) -> DoesNotFit:
    """The error for a deployment that does not fit."""
    title = str(getattr(registry.get("deploy", engine), "title", "") or engine)
    where = "the machine's memory" if found.device == _MEMORY else found.device
    what = f"{name} does not fit: {title} needs {size(found.need)} of {where}, and {size(found.free)} are free."
    if not found.device.startswith("GPU") and found.device != _MEMORY:
        what = f"{name} does not fit: a cache for {found.tokens:,} tokens takes {size(found.need)}, and {where} gives it {size(found.free)}."
    parts = found.parts
    held = _held(found.device, machine)
    cause = parts[0].upper() + parts[1:] + (f"; {held}" if held else "") + "."
    helps = f"deploy_method(…, {found.fix}) fits" if found.fix else "Free memory (wb.gpu() shows who holds it) or take a smaller model"
    return DoesNotFit(what, cause, f"{helps}; check_fit=False tries all the same.")


def after_out_of_memory(failure: Failure, spec: JobSpec, log: str) -> Failure:
    """A failure whose fix names the argument to change, where the engine ran out of memory; as it is otherwise."""
    if spec.kind != "deploy" or "model" not in spec.payload or not _OUT.search(f"{failure.cause}\n{failure.fix}\n{log}"):
        return failure
    deploy = DeploySpec.from_json(spec.payload)
    said, needed = _SAID.search(log), _NEEDED.search(log)
    longest = f"max_model_len={said[1]}" if said and int(said[1]) > 0 and spec.backend == "vllm" else ""
    told = replace(failure, fix=f"Give deploy_method(…, {longest}): so much has room, as vLLM says.") if longest else failure
    with contextlib.suppress(Exception):  # the failure itself is worth more than its ornament
        meta, arguments, here = _described(deploy, spec.backend), _arguments(deploy, spec.backend), devices(deploy, snapshot())
        if meta is None:
            return told
        least = int((float(needed[1]) + 0.005) * (1 << 30)) if needed else 0  # vLLM tells hundredths
        if needed and (cache := larger_cache(meta, spec.backend, arguments, here, least)):
            or_shorter = f", or {longest}: so much has room, as vLLM says" if longest else ""
            return replace(failure, fix=f"Give deploy_method(…, {cache}){or_shorter}.")
        if not longest and (change := tighter(meta, spec.backend, arguments, here)):
            return replace(failure, fix=f"Give deploy_method(…, {change}), or stop what else holds memory (wb.gpu() shows it).")
    return told


def devices(spec: DeploySpec, machine: Machine) -> list[Device]:
    """The GPUs that a deployment may use, and the machine's memory."""
    from ..work.devices import visible

    allowed = visible()
    gpus = [
        Device(f"GPU {g.index}", g.memory_total, max(0, g.memory_total - g.memory_used), True)
        for g in machine.gpus
        if not allowed or str(g.index) in allowed or any(not a.isdigit() for a in allowed)
    ]
    total, free = _bounded(machine.memory_total, max(0, machine.memory_total - machine.memory_used))
    return [*(gpus if getattr(spec, "device", "") != "cpu" else ()), Device(_MEMORY, total, free)]


def _bounded(total: int, free: int) -> tuple[int, int]:
    """The machine's memory, or what a container is given of it where that is less."""
    try:
        most, used = int(_CGROUP[0].read_text()), int(_CGROUP[1].read_text())
        stat = dict(line.split() for line in _CGROUP[2].read_text().splitlines())
    except (OSError, ValueError):
        return total, free
    kept = int(stat.get("inactive_file", 0)) + int(stat.get("active_file", 0))  # what was read from files is given back when it is needed
    return min(total, most), min(free, max(0, most - used + kept))


def _arguments(spec: DeploySpec, engine: str) -> dict[str, Any]:
    settle = getattr(registry.get("deploy", engine), "settle", None)
    return dict(settle(spec.arguments) if settle is not None else spec.arguments)


def _described(spec: DeploySpec, engine: str) -> ModelMeta | None:
    """What the files tell that an engine would load."""
    place = Path(spec.model)
    try:
        meta = inspect(place)
        if engine == "llama_cpp" and meta.gguf:
            meta = meta if meta.format == "gguf" else inspect(meta.gguf)
        facts = _facts(Path(meta.gguf) if meta.format == "gguf" else place)
    except (ModelNotFound, OSError):
        return None
    kind = spec.type if spec.type in ("llm", "vlm") or meta.type not in ("llm", "vlm") else meta.type
    return replace(meta, type=kind, details={**meta.details, **facts})


def _facts(place: Path) -> dict[str, Any]:
    if place.is_file():
        header = read_header(place)
        shape = kv_cache.of_gguf(header.values, header.arrays)
        return {"cache": shape.to_json()} if shape is not None else {}
    try:
        config = json.loads((place / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(config, Mapping):
        return {}
    shape = kv_cache.of_config(config)
    facts: dict[str, Any] = {"tied": bool(config.get("tie_word_embeddings", True))}
    return {**facts, "cache": shape.to_json()} if shape is not None else facts


def _held(device: str, machine: Machine) -> str:
    """Who holds the most of a device."""
    people: tuple[Holder, ...] = machine.holders
    if device.startswith("GPU"):
        people = next((g.holders for g in machine.gpus if device == f"GPU {g.index}"), ())
    most = [h for h in people if h.what != "system" and h.memory > 500e6][:2]
    return ", ".join(f"{h.name} ({h.what}) holds {size(h.memory)}" for h in most)


def _lives(spec: JobSpec) -> bool:
    from ..work.jobs import store

    if not spec.share_key:
        return False
    alive = store().jobs(kind="deploy", active=True, limit=10_000)
    return any(r.spec.share_key == spec.share_key and r.state is not JobState.STOPPING for r in alive)
