"""Runs uv: its lines become progress, its failures become causes. Does not know which environment is being built."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..core.jobs import Progress
from ..errors import EnvironmentFailed
from . import pip_settings

_UNITS = {"B": 1 / 2**20, "KiB": 1 / 2**10, "MiB": 1.0, "GiB": 2.0**10}
_ANNOUNCED = re.compile(r"^\s*Downloading (\S+) \(([\d.]+)\s*(B|KiB|MiB|GiB)\)")
_ARRIVED = re.compile(r"^\s*Downloaded (\S+)")
_BUILDING = re.compile(r"^\s*Building (\S+)")
_COUNTED = re.compile(r"^(Resolved|Prepared|Installed) (\d+) packages?")
_BEAT = 0.4  # seconds between calls of on_progress while uv says nothing


class UvFailed(Exception):
    """uv ended with an error; ``lines`` are its last ones."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def find_uv() -> str:
    """uv's own path: the wheel beside us, else the one on ``PATH``."""
    try:
        from uv import find_uv_bin

        return os.fspath(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if not found:
        raise EnvironmentFailed("uv is not installed.", "It builds the environments of trainers and engines.", "pip install uv")
    return found


class _Told:
    """What uv has said so far, as one `Progress`."""

    def __init__(self, name: str) -> None:
        self.name, self.text, self.since = name, "Asking the package index", time.monotonic()
        self.sizes: dict[str, float] = {}
        self.arrived: set[str] = set()
        self.packages = ""

    def hear(self, line: str) -> bool:
        """Whether the line changed what there is to tell."""
        if m := _ANNOUNCED.match(line):
            self.sizes[m[1]] = float(m[2]) * _UNITS[m[3]]
        elif m := _ARRIVED.match(line):
            self.arrived.add(m[1])
        elif m := _BUILDING.match(line):
            self.text = f"Building {m[1]}"
        elif m := _COUNTED.match(line):
            self.packages = f"{m[2]} packages"
            self.text = {"Resolved": "Fetching", "Prepared": "Installing", "Installed": "Compiling"}[m[1]] + f" {self.packages}"
        else:
            return False
        if waiting := [n for n in self.sizes if n not in self.arrived]:
            largest = max(waiting, key=lambda n: self.sizes[n])
            more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
            self.text = f"Downloading {largest} ({self.sizes[largest]:.0f} MiB){more}"
        self.since = time.monotonic()
        return True

    def progress(self) -> Progress:
        quiet = int(time.monotonic() - self.since)
        text = f"{self.name}: {self.text}" + (f" ({quiet} s)" if quiet >= 2 else "")
        if not self.sizes:
            return Progress("environment", text)
        done = sum(self.sizes.get(n, 0.0) for n in self.arrived)
        return Progress("environment", text, round(done, 1), round(sum(self.sizes.values()), 1), "MiB")


def run_uv(arguments: list[str], name: str, on_progress: Callable[[Progress], None]) -> list[str]:
    """Run uv to its end and return its lines. ``on_progress`` hears of it at least twice a second and may end it by raising."""
    own = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME")
    env = {k: v for k, v in os.environ.items() if k not in own} | pip_settings.uv_variables()
    process = subprocess.Popen(
        [find_uv(), "--color", "never", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=env,
    )
    lines: list[str] = []
    heard: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    assert process.stdout is not None
    reader = threading.Thread(target=_pump, args=(process.stdout, heard), daemon=True)
    reader.start()
    told = _Told(name)
    try:
        while True:
            try:
                line = heard.get(timeout=_BEAT)
            except queue.Empty:
                on_progress(told.progress())
                continue
            if line is None:
                break
            lines.append(pip_settings.redact(line.rstrip()))
            if told.hear(line):
                on_progress(told.progress())
        if process.wait():
            raise UvFailed(lines[-15:])
        return lines
    finally:
        _end(process)
        reader.join(timeout=2)


def _pump(stream: object, heard: queue.SimpleQueue[str | None]) -> None:
    for line in stream:  # type: ignore[attr-defined]  # a text pipe
        heard.put(line)
    heard.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    """End uv and whatever it started to build a package."""
    if process.poll() is not None:
        return
    import psutil

    try:
        tree = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        tree = []
    for member in tree:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"No space left on device|os error 28|Disk quota exceeded",
        "The disk is full.",
        "Free some space (workbench env remove NAME, or `uv cache clean`), or set WORKBENCH_ENV_DIR to a folder on a larger disk.",
    ),
    (
        r"Permission denied|Read-only file system|os error (13|30)",
        "A folder cannot be written to.",
        "Set WORKBENCH_ENV_DIR to a folder of yours.",
    ),
    (
        r"no wheels? with a matching|requires? Python|Requires-Python|current Python version|no matching Python",
        "A package has no build for this version of Python.",
        "Use Python 3.11 or 3.12, or name an interpreter that has the backend with python=….",
    ),
    (
        r"No solution found|unsatisfiable",
        "The package index does not have the versions that work together.",
        "Check that pip's index or mirror is complete (pip config list); WORKBENCH_TORCH=cpu, cu128 or a version chooses another torch.",
    ),
    (
        r"dns error|Failed to fetch|error sending request|client error|timed out|tls handshake|invalid peer certificate|Could not connect",
        "The package index cannot be reached.",
        "Check the network; a mirror, proxy or certificate set for pip (pip config list) counts here too. What was downloaded is kept.",
    ),
    (
        r"Failed to build|build backend|compil(er|ation)",
        "A package had to be compiled and could not be.",
        "Install a C compiler, or name an interpreter that has the backend with python=….",
    ),
)


def explain(name: str, lines: list[str], where: Path) -> EnvironmentFailed:
    """The error for a build that failed, from uv's last lines."""
    text = "\n".join(lines)
    cause, fix = "uv ended with an error.", "Read uv's lines above; then try again."
    for pattern, why, what_to_do in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            cause, fix = why, what_to_do
            break
    shown = "\n".join(f"  {line}" for line in lines if line.strip())
    return EnvironmentFailed(f"The environment {name!r} could not be built in {where}.", f"{cause}\n{shown}" if shown else cause, fix)
