"""What the engines' backends share: their runners' place, arguments that are checked, and words for ends that look alike."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..core.jobs import Failure
from ..core.specs import DeploySpec
from ..errors import ArgumentError, ModelNotFound, unknown_argument
from . import library_failures

_RUNNERS = Path(__file__).resolve().parent.parent / "runners"
_DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded|File too large|\d+ requested and \d+ written")  # the last: numpy
_DAMAGED = re.compile(  # what safetensors and torch say of files that are cut off
    r"SafetensorError|deserializing header|header ?too (?:large|small)|not fully covered|PytorchStreamReader failed|invalid load key|unexpected EOF",
    re.I,
)
_ERROR = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception)): (.+)$", re.M)


def runner(name: str) -> str:
    """The path of a runner's file."""
    return str(_RUNNERS / f"{name}.py")


def check_spec(where: str, payload: Mapping[str, Any], known: Collection[str], types: Collection[str] = ("llm",)) -> DeploySpec:
    """The spec, when it can be served at all.

    Raises
    ------
    ArgumentError
        For an argument that the engine does not know, a type it does not serve, or an impossible port.
    ModelNotFound
        When nothing is at the model's path.
    """
    spec = DeploySpec.from_json(payload)
    for name in spec.arguments:
        if name not in known:
            raise unknown_argument(where, name, known)
    if spec.type not in types:
        raise ArgumentError(f"{where} does not serve models of type {spec.type!r}.", f"It serves: {', '.join(types)}.", "Choose another engine.")
    if not 0 <= int(spec.port) <= 65535:
        raise ArgumentError(f"Port {spec.port} is impossible.", "", "Give a port from 1024 to 65535, or 0 for any free one.")
    if not Path(spec.model).exists():
        raise ModelNotFound(f"There is no model at {spec.model}.", "", "Give an existing folder or GGUF file.")
    return spec


def served_name(spec: DeploySpec) -> str:
    """The name callers use."""
    return spec.served_name or Path(spec.model).stem


def spec_file(spec: DeploySpec, **more: Any) -> str:
    """What a runner reads."""
    d = {"model": spec.model, "served_name": served_name(spec), "port": spec.port, "ttl": spec.ttl, **more}
    return json.dumps(d, ensure_ascii=False, indent=1)


def disk_is_full(what: str, log_tail: str) -> Failure | None:
    """The failure of a process that could not write a file; None where that is not what happened."""
    found = _DISK_FULL.search(log_tail)
    if found is None:
        return None
    fix = "Make room on the disk that holds the workbench's home, or set WORKBENCH_HOME to a folder on another one."
    return Failure(f"{what} found the disk full: {found[0]}.", fix, log_tail)


def explain_end(engine: str, exit_code: int | None, log_tail: str) -> Failure:
    """Why an engine ended, from the usual signs."""
    said = _ERROR.findall(log_tail)
    cause = f"{said[-1][0]}: {said[-1][1]}" if said else ""
    if cause and _DAMAGED.search(cause):
        fix = "Fetch or copy the model again: a file of its weights is shorter or other than it should be."
        return Failure(f"A file of the model's weights is damaged. {cause}", fix, log_tail)
    if exit_code in (-9, 137) and not cause:
        return Failure(f"{engine} was killed.", "Probably the machine's memory ran out: stop other jobs, or serve a smaller model.", log_tail)
    if re.search(r"out of memory|cannot allocate|failed to allocate|MemoryError", log_tail, re.I):
        fix = "Stop other jobs, serve a smaller model, or give it a shorter context."
        return Failure(f"{engine} did not get enough memory. {cause}".strip(), fix, log_tail)
    if full := disk_is_full(engine, log_tail):
        return full
    if known := library_failures.explain(log_tail):
        return Failure(*known, log_tail)
    how = "" if exit_code is None else f" (exit code {exit_code})"
    return Failure(cause or f"{engine} ended by itself{how}.", "The log says more; start() tries again.", log_tail)
