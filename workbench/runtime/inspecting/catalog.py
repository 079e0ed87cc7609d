"""The models that are on this machine already: the one that ships, those fine-tuned here, those in the user's folders,
those downloaded. Reads headers only; downloads nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...core.kinds import call_of
from ...errors import ModelNotFound
from ...settings import settings
from .models import PIPELINE, SOURCES, inspect, resolve
from .type_signs import FILES

_DEPTH = 5  # a hub's cache keeps a model at models--org--name/snapshots/<revision>
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt")


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model on this machine.

    Attributes
    ----------
    name : str
        What ``TrainableModule`` takes.
    path : str
        The folder, or the GGUF file.
    origin : str
        ``shipped``, ``finetuned``, ``folder`` or ``downloaded``.
    size_bytes : int
        Of its weights.
    changed_at : float
        When its weights were written, seconds since the epoch.
    type : str
        What kind of model it is, such as ``llm``.
    """

    name: str
    path: str
    origin: str
    size_bytes: int
    changed_at: float
    type: str = "llm"

    def to_json(self) -> dict[str, Any]:
        """As it is sent; ``call`` is a call of one that does not chat, as one types it."""
        return {**asdict(self), "call": call_of(self.type)}


def models() -> list[LocalModel]:
    """All of them: the shipped one first, then by origin, the newest first. A path is listed once."""
    found: dict[Path, LocalModel] = {}
    for origin, root, path in _places():
        model = _model(origin, root, path)
        if model is not None:
            found.setdefault(path.resolve(), model)
    order = ("shipped", "finetuned", "folder", "downloaded")
    return _newest_by_target(sorted(found.values(), key=lambda m: (order.index(m.origin), -m.changed_at)))


def _newest_by_target(ordered: list[LocalModel]) -> list[LocalModel]:
    """A target's newest model goes by the target's name, which is what that name resolves to."""
    named: set[str] = set()
    result = []
    for model in ordered:
        target = model.name.split("/")[0]
        if model.origin == "finetuned" and target not in named:
            named.add(target)
            model = replace(model, name=target)
        result.append(model)
    return result


def _places() -> Iterator[tuple[str, Path, Path]]:
    pocket = resolve("pocket", download=False)
    yield "shipped", pocket, pocket
    now = settings()
    roots = [("finetuned", now.target_root), *(("folder", Path(p).expanduser()) for p in now.model_path.split(os.pathsep) if p)]
    for origin, root in [*roots, ("downloaded", now.models_dir)]:
        for path in _model_paths(root):
            yield origin, root, path


def _model_paths(root: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Folders that hold a configuration and weights or describe a pipeline, and GGUF files that lie alone."""
    try:
        entries = sorted(os.scandir(root), key=lambda e: e.name)
    except OSError:
        return
    names = {e.name for e in entries}
    if PIPELINE in names or names & FILES.keys() or ("config.json" in names and any(name.endswith(_WEIGHTS) for name in names)):
        yield root
        return
    for entry in entries:
        if entry.name.startswith((".", "checkpoint-")):
            continue
        if entry.name.endswith(".gguf"):
            yield Path(entry.path)
        elif depth and entry.is_dir():
            yield from _model_paths(Path(entry.path), depth - 1)


def _model(origin: str, root: Path, path: Path) -> LocalModel | None:
    try:
        inside = path.rglob("*") if (path / PIPELINE).is_file() else path.glob("*")
        files = [path] if path.is_file() else [f for f in inside if f.name.endswith(_WEIGHTS)]
        stats = [f.stat() for f in files]
    except OSError:  # removed while we looked
        return None
    changed = max((s.st_mtime for s in stats), default=0.0)
    return LocalModel(_name(origin, root, path), str(path), origin, sum(s.st_size for s in stats), changed, _type(str(path), changed))


@lru_cache(maxsize=1024)
def _type(path: str, changed: float) -> str:
    """The type of a model as long as its weights stay what they are; empty for one that cannot be read."""
    try:
        return inspect(path).type
    except ModelNotFound:
        return ""


def _name(origin: str, root: Path, path: Path) -> str:
    if origin == "shipped":
        return "pocket"
    parts = path.relative_to(root).parts
    if len(parts) > 1 and parts[0] in SOURCES:
        parts = parts[1:]
    if parts and parts[0].startswith("models--"):
        return parts[0].removeprefix("models--").replace("--", "/")
    return "/".join(parts) or path.name
