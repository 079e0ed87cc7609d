"""The list of environments that people see, and the doctor that looks into them. Builds nothing."""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.sizes import size
from . import build, interpreters
from .definitions import DEFINITIONS, Definition, definition
from .uv_process import find_uv

if TYPE_CHECKING:
    import pandas as pd

STUBS = Path(__file__).resolve().parent.parent / "runners" / "stubs"


@dataclass(frozen=True, slots=True)
class EnvInfo:
    """One environment: ``state`` is ``ready``, ``in current`` (the notebook's interpreter has it), ``missing``, ``outdated`` or ``broken``.

    ``size`` is in bytes; ``packages`` maps name to version.
    """

    name: str
    purpose: str
    state: str
    python: str = ""
    size: int = 0
    packages: dict[str, str] = field(default_factory=dict)
    built_at: float | None = None
    torch: str = ""
    folder: str = ""


class EnvList(list[EnvInfo]):
    """Environments; alone in a cell it shows as a table."""

    def to_pandas(self) -> pd.DataFrame:
        """One row per environment: name, state, size (bytes), built_at, python, packages (count), purpose."""
        import pandas as pd

        rows = [
            {
                "name": e.name,
                "state": e.state,
                "size": e.size,
                "built_at": pd.Timestamp(e.built_at, unit="s") if e.built_at else pd.NaT,
                "python": e.python,
                "packages": len(e.packages),
                "purpose": e.purpose,
            }
            for e in self
        ]
        return pd.DataFrame(rows, columns=["name", "state", "size", "built_at", "python", "packages", "purpose"])

    def _cells(self) -> list[tuple[str, ...]]:
        return [(e.name, e.state, size(e.size) if e.size else "", main_versions(e), e.purpose) for e in self]

    def __repr__(self) -> str:
        head = ("name", "state", "size", "main packages", "for")
        rows = [head, *self._cells()]
        widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows)

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{h}</th>" for h in ("name", "state", "size", "main packages", "for"))
        body = "".join("<tr>" + "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in r) + "</tr>" for r in self._cells())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def main_versions(info: EnvInfo) -> str:
    """The packages that the environment is about, with their versions."""
    wanted = [n.lower() for n in (DEFINITIONS[info.name].needs or {})]
    return ", ".join(f"{n} {v}" for n, v in info.packages.items() if n.lower() in wanted)


def listing() -> EnvList:
    """All environments, built or not; folders that no definition asks for any more come as ``outdated`` or ``broken``."""
    found = EnvList()
    for d in DEFINITIONS.values():
        found.extend(_entries(d))
    return found


def _entries(d: Definition) -> list[EnvInfo]:
    if not d.buildable:
        return [EnvInfo(d.name, d.purpose, "ready", sys.executable, folder=sys.prefix)]
    infos = []
    good = build.ready(d)
    if good is None and interpreters.current_has(d):
        infos.append(EnvInfo(d.name, d.purpose, "in current", sys.executable, packages=interpreters.versions_here(list(d.needs or {}))))
    for folder in build.folders(d):
        marker: dict[str, Any] | None = build.marker_of(folder)
        state = "broken" if marker is None else "ready" if folder == good else "outdated"
        marker = marker or {}
        infos.append(
            EnvInfo(
                d.name,
                d.purpose,
                state,
                str(build.python_of(folder)),
                marker.get("size", 0),
                marker.get("packages", {}),
                marker.get("built_at"),
                marker.get("torch", ""),
                str(folder),
            )
        )
    if not any(i.state in ("ready", "in current") for i in infos):
        infos.insert(0, EnvInfo(d.name, d.purpose, "missing"))
    return infos


@dataclass(frozen=True, slots=True)
class Checkup:
    """What the doctor found in one environment."""

    name: str
    python: str
    versions: dict[str, str]
    problems: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        versions = ", ".join(f"{k} {v}" for k, v in self.versions.items())
        head = f"{self.name}: {'in order' if not self.problems else 'has problems'} ({self.python}) {versions}"
        return "\n".join([head, *(f"  - {p}" for p in self.problems)])


class DoctorReport(list[Checkup]):
    """All checkups; prints as text, one paragraph for each environment."""

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not any(c.problems for c in self)

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "No environment is built yet; workbench env create NAME builds one."


_IMPORT = """
import importlib, json, sys
sys.path.append(sys.argv[2])
versions, problems = {}, []
for name in json.loads(sys.argv[1]):
    try:
        module = importlib.import_module(name)
        versions[name] = str(getattr(module, "__version__", ""))
    except BaseException as e:
        problems.append(f"import {name}: {type(e).__name__}: {e}".splitlines()[0][:300])
torch = sys.modules.get("torch")
if torch is not None:
    versions["cuda"] = str(torch.version.cuda or "no") + (" (usable)" if torch.cuda.is_available() else "")
print("\\n" + json.dumps([versions, problems]))
"""


def examine(name: str = "") -> DoctorReport:
    """Import what matters in each usable environment (or in the named one), in its own interpreter, and check its packages."""
    wanted = [definition(name)] if name else list(DEFINITIONS.values())
    report = DoctorReport()
    for d in wanted:
        for info in _entries(d):
            if info.state in ("ready", "in current") and d.buildable:
                report.append(_examine(d, info))
            elif info.state == "broken" or (name and info.state == "missing"):
                fix = f"workbench env create {d.name}"
                word = "is not built" if info.state == "missing" else f"has the rest of a broken build in {info.folder}"
                report.append(Checkup(d.name, info.python, {}, (f"It {word}: {fix}",), 0.0))
    return report


def _examine(d: Definition, info: EnvInfo) -> Checkup:
    started = time.monotonic()
    versions: dict[str, str] = {}
    try:
        env = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        env.pop("PYTHONPATH", None)
        command = [info.python, "-c", _IMPORT, json.dumps(d.modules), str(STUBS)]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env)
        last = answer.stdout.strip().splitlines()[-1:]
        if last:
            versions, problems = json.loads(last[0])
        else:
            problems = [f"python ended with {answer.returncode}: {answer.stderr.strip()[-300:]}"]
    except (OSError, subprocess.SubprocessError, ValueError) as e:
        problems = [f"python does not run: {e}"]
    if info.state == "ready":
        problems += _conflicts(d, info)
        from .torch_variant import driver_cuda

        if d.torch and versions.get("cuda", "").startswith("no") and driver_cuda() is not None:
            problems.append(f"There is a GPU, but this torch was built without CUDA: workbench env create {d.name} --rebuild")
    return Checkup(d.name, info.python, versions, tuple(problems), round(time.monotonic() - started, 1))


def _conflicts(d: Definition, info: EnvInfo) -> list[str]:
    """What `uv pip check` finds, without the packages that were left out on purpose."""
    answer = subprocess.run([find_uv(), "--color", "never", "pip", "check", "--python", info.python], capture_output=True, text=True, timeout=120)
    lines = [line for line in answer.stderr.splitlines() if line.startswith("The package")]
    return [line for line in lines if not any(f"`{x}" in line.partition("requires")[2] for x in d.excludes)]
