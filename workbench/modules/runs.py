"""Where fine-tuned models go: a folder per run, numbered, never written over. Knows folders, not trainers.

The first run of the target ``mine`` is ``mine``, the next ``mine-2``, ``mine-3``, …; a relative target lies under the
setting ``train_target_root``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from ..settings import settings

MARK = "workbench-run.json"  # what makes a folder ours; it also keeps two processes from taking the same one


def target_folder(target_path: str, base_model: str) -> Path:
    """The folder of a target's first run."""
    name = target_path or f"{Path(base_model).name}-finetuned"
    path = Path(name).expanduser()
    return path if path.is_absolute() else settings().target_root.absolute() / path


def runs(target: Path) -> list[Path]:
    """The folders of a target's runs, oldest first."""
    if not target.parent.is_dir():
        return []
    pattern = re.compile(re.escape(target.name) + r"(?:-(\d+))?")
    found = [(int(m[1] or 1), p) for p in target.parent.iterdir() if (m := pattern.fullmatch(p.name)) and p.is_dir()]
    return [p for _, p in sorted(found)]


def usable(run: Path) -> bool:
    """Whether a run's folder holds a whole model: a configuration and weights, the last things that an export writes."""
    return (run / "config.json").is_file() and any(run.glob("*.safetensors"))


def next_run(target: Path) -> Path:
    """The folder that `reserve` would take now."""
    return next(path for path in _names(target) if _free(path))


def reserve(target: Path, base_model: str) -> Path:
    """Take a folder for a new run.

    Returns
    -------
    Path
        A folder that held nothing, and that nobody else takes any more.
    """
    for path in _names(target):
        if not _free(path):
            continue
        path.mkdir(parents=True, exist_ok=True)
        try:
            with (path / MARK).open("x", encoding="utf-8") as file:
                json.dump({"base_model": base_model, "created": time.time()}, file)
            return path
        except FileExistsError:
            continue
    raise AssertionError("unreachable: there is always a next number")


def release(run: Path) -> None:
    """Give back a folder that nothing was written to."""
    (run / MARK).unlink(missing_ok=True)
    if not any(run.iterdir()):
        run.rmdir()


def _names(target: Path) -> Iterator[Path]:
    yield target
    for n in count(2):
        yield target.with_name(f"{target.name}-{n}")


def _free(path: Path) -> bool:
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))
