"""Which GGUF file of a folder is the model. Reads names only."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import ArgumentError

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


def find_gguf(path: Path) -> Path | None:
    """The GGUF to load: the file itself, or the one of a folder (of a split one, its first part); None when there is none.

    Raises
    ------
    ArgumentError
        When a folder holds several models.
    """
    if path.is_file():
        return path if path.suffix == ".gguf" else None
    files = sorted(p for p in path.glob("*.gguf") if not p.name.startswith("mmproj"))
    models = [p for p in files if not (part := _PART.search(p.name)) or part[1] == "00001"]
    if len(models) > 1:
        names = ", ".join(p.name for p in models[:6])
        raise ArgumentError(f"{path} holds {len(models)} GGUF models.", f"They are {names}.", f"Name the file, such as {models[0]}.")
    return models[0] if models else None
