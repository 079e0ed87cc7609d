"""Builds one environment with uv, with progress, once however many jobs ask for it. Does not know what runs in it.

An environment is a folder ``<name>-<digest>-<n>`` whose last written file is the marker. A folder without a marker is
the rest of a build that broke off: it is never used, and the next build removes it. A changed definition has another
digest and so another folder, and whatever still runs in the old one is not disturbed.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..core.jobs import Progress
from ..errors import EnvironmentFailed
from ..settings import settings
from . import alias_wheel, torch_variant
from .definitions import Definition
from .uv_process import UvFailed, explain, run_uv

OnProgress = Callable[[Progress], None]
MARKER = "workbench-env.json"


def digest_of(definition: Definition) -> str:
    """What decides whether a built environment is still the wanted one: pins, the torch setting and Python's version."""
    torch = settings().torch if definition.torch and not definition.cpu_only else ""
    return definition.digest(torch, f"{sys.version_info[0]}.{sys.version_info[1]}")


def python_of(folder: Path) -> Path:
    """The interpreter of a built environment."""
    return folder / "bin" / "python"


def marker_of(folder: Path) -> dict[str, Any] | None:
    """What the marker says, or None for a folder that is no finished environment."""
    try:
        value = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) and python_of(folder).exists() else None


def folders(definition: Definition) -> list[Path]:
    """Every folder of that environment, finished or not."""
    form = re.compile(re.escape(definition.name) + r"-[0-9a-f]+-[0-9a-f]+")  # one name may begin like another
    return sorted(p for p in settings().envs_dir.glob(f"{definition.name}-*-*") if form.fullmatch(p.name) and p.is_dir())


def ready(definition: Definition) -> Path | None:
    """The folder of the finished environment that fits today's definition, or None."""
    digest = digest_of(definition)
    for folder in folders(definition):
        marker = marker_of(folder)
        if marker and marker.get("digest") == digest:
            return folder
    return None


def lock_of(definition: Definition) -> FileLock:
    """Held while the environment is built or removed."""
    folder = settings().envs_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return FileLock(folder / f".{definition.name}.lock")


def build(definition: Definition, on_progress: OnProgress) -> Path:
    """The folder of the finished environment, built when it is not there.

    ``on_progress`` is called at least twice a second; an exception that it raises ends the build and leaves nothing behind.

    Raises
    ------
    EnvironmentFailed
        With uv's last lines, the likely cause and what to do.
    """
    lock, since = lock_of(definition), time.monotonic()
    while True:
        try:
            with lock.acquire(timeout=0.4):
                return ready(definition) or _build(definition, on_progress)
        except Timeout:
            waited = int(time.monotonic() - since)
            on_progress(Progress("environment", f"Another job is building the environment {definition.name}; waiting for it ({waited} s)"))


def _build(definition: Definition, on_progress: OnProgress) -> Path:
    for leftover in folders(definition):
        if marker_of(leftover) is None:
            shutil.rmtree(leftover, ignore_errors=True)
    folder = settings().envs_dir / f"{definition.name}-{digest_of(definition)}-{secrets.token_hex(2)}"
    started = time.monotonic()
    torch = _torch(definition)
    try:
        on_progress(Progress("environment", f"Making the environment {definition.name}" + (f" (torch: {torch.why})" if torch else "")))
        run_uv(["venv", "--python", sys.executable, str(folder)], definition.name, on_progress)
        arguments = ["pip", "install", "--python", str(python_of(folder)), "--compile-bytecode"]
        if definition.excludes:
            (excludes := folder / "excludes.txt").write_text("\n".join(definition.excludes) + "\n", encoding="utf-8")
            arguments += ["--excludes", str(excludes)]
        arguments += ["--torch-backend", torch.backend] if torch and torch.backend else []
        arguments += [torch.requirement] if torch else []
        arguments += [str(alias_wheel.make(name, behind, folder / "aliases")) for name, behind in definition.aliases.items()]
        run_uv([*arguments, *definition.requirements], definition.name, on_progress)
        for module in definition.at_start:
            _import_at_start(module, next(folder.glob("lib/python*/site-packages")))
        marker = {
            "name": definition.name,
            "digest": digest_of(definition),
            "requirements": [*([torch.requirement] if torch else []), *definition.requirements],
            "torch": f"{torch.backend or 'plain'}: {torch.why}" if torch else "",
            "python": sys.version.split()[0],
            "packages": packages_in(folder),
            "size": size_of(folder),
            "built_at": time.time(),
            "seconds": round(time.monotonic() - started, 1),
        }
        _write(folder / MARKER, json.dumps(marker, indent=1))
    except BaseException as e:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(e, UvFailed):
            raise explain(definition.name, e.lines, settings().envs_dir) from None
        if isinstance(e, OSError):
            raise explain(definition.name, [str(e)], settings().envs_dir) from e
        raise
    on_progress(Progress("environment", f"The environment {definition.name} is ready ({marker['seconds']} s)"))
    return folder


def _import_at_start(module: str, packages: Path) -> None:
    """https://docs.python.org/3/library/site.html"""
    name = f"workbench_{module}"
    shutil.copyfile(Path(__file__).with_name(f"{module}.py"), packages / f"{name}.py")
    (packages / f"{name}.pth").write_text(f"import {name}\n", encoding="utf-8")


def _torch(definition: Definition) -> torch_variant.TorchChoice | None:
    if not definition.torch:
        return None
    if definition.cpu_only:
        return torch_variant.choose("cpu" if settings().torch == "cpu" else "auto", cpu_only=True)
    return torch_variant.choose(settings().torch)


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def packages_in(folder: Path) -> dict[str, str]:
    """Name → version of everything installed there."""
    places = [str(p) for p in folder.glob("lib/python*/site-packages")]
    return {d.name: d.version for d in sorted(metadata.distributions(path=places), key=lambda d: d.name.lower())}


def size_of(folder: Path) -> int:
    """Bytes of all files; one that is hard-linked into several environments counts in each."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except OSError:
                continue
    return total


def remove_folder(folder: Path) -> int:
    """Delete one environment's folder and return how many bytes it held. The marker goes first, so that nobody starts in it.

    Raises
    ------
    EnvironmentFailed
        When processes still run in it.
    """
    import psutil

    users = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if command and command[0].startswith(f"{folder}{os.sep}"):
            users.append(process.info["pid"])
    if users:
        raise EnvironmentFailed(
            f"The environment in {folder.name} is in use by process {', '.join(map(str, users))}.",
            "A job is running in it.",
            "Stop the job first (workbench ps, workbench stop ID).",
        )
    size = size_of(folder)
    (folder / MARKER).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return size
