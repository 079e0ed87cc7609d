"""Where fine-tuned models lie: a folder per run, numbered by the trainer (``mine``, ``mine-2``, …), never written over. Knows
folders, not trainers; a relative target lies under the setting ``train_target_root``.
"""

from __future__ import annotations

import re
from pathlib import Path

from ...settings import settings


def target_folder(target_path: str, base_model: str) -> Path:
    """The folder of a target's first run."""
    path = Path(target_path or f"{Path(base_model).name or 'model'}-finetuned").expanduser()
    return path if path.is_absolute() else settings().target_root.absolute() / path


def runs(target: Path) -> list[Path]:
    """The folders of a target's runs, oldest first."""
    if not target.parent.is_dir():
        return []
    pattern = re.compile(re.escape(target.name) + r"(?:-(\d+))?")
    found = [(int(m[1] or 1), p) for p in target.parent.iterdir() if (m := pattern.fullmatch(p.name)) and p.is_dir()]
    return [p for _, p in sorted(found)]


def usable(run: Path) -> bool:
    """Whether a run's folder holds a whole model: a configuration and weights."""
    return (run / "config.json").is_file() and any(run.glob("*.safetensors"))
