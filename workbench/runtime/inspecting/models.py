"""Where a model is, by the name people give it. Knows folders, settings and hubs; reads nothing but names.

`inspect` tells what a model is, from `workbench.runtime.inspecting.inspection`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from ...core.jobs import Progress
from ...errors import ArgumentError, ModelNotFound, nearest
from ...settings import settings
from . import hub_names
from .inspection import display_name, inspect

__all__ = ["display_name", "inspect", "is_model", "local_models", "resolve"]

SOURCES = ("huggingface", "modelscope")
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
PIPELINE = "model_index.json"  # diffusers' description of a folder whose parts lie in folders of their own
_WEIGHTS = (".safetensors", ".gguf", ".bin", ".pt")


def resolve(
    name: str | os.PathLike[str], *, source: str | None = None, download: bool = True, on_progress: Callable[[Progress], None] | None = None
) -> Path:
    """The folder or file of a model on this machine, downloaded when it must be.

    Looked for in this order: ``pocket``, the model that ships; a path; a folder of that name under ``WORKBENCH_MODEL_PATH``,
    among the downloaded and among the fine-tuned models; the hub.

    Parameters
    ----------
    name : str or path
        ``pocket``, a path, a folder's name, or a hub's ``organisation/name``; the organisations of well-known families may be left out.
    source : str, optional
        ``huggingface`` or ``modelscope``; the setting ``WORKBENCH_MODEL_SOURCE`` when not given.
    download : bool
        Whether a hub may be asked.
    on_progress : callable, optional
        Gets a `Progress` in bytes while downloading.

    Raises
    ------
    ModelNotFound
        The message names the settings that would find it.
    """
    text = os.fspath(name).strip()
    if not text:
        raise ModelNotFound("No model was named.", "", "Give a path, a hub name, or 'pocket' for the model that ships.")
    chosen = source or settings().model_source
    if chosen not in SOURCES:
        raise ArgumentError(f"There is no model source {chosen!r}.", "", f"Choose one of: {', '.join(SOURCES)}.")
    if text == "pocket":
        from ... import pocket

        return pocket.path()
    if _is_path(text):
        path = Path(text).expanduser().absolute()
        if not path.exists():
            raise ModelNotFound(f"There is no model at {path}.", "The path does not exist.", _path_fix(path))
        return path
    known = hub_names.full(text, chosen)
    found = _find_here(text, chosen) or (_find_here(known, chosen) if known != text else None)
    if found:
        return found
    if download and _HUB_NAME.fullmatch(text):
        from .hub import fetch

        try:
            return fetch(known, chosen, on_progress)
        except ModelNotFound as e:
            if not Path(text).is_dir():
                raise
            raise ModelNotFound(e.what, e.cause, f"There is a folder of that name here: write {f'./{text}'!r} for it. {e.fix}") from None
    raise not_found(text)


def local_models() -> dict[str, Path]:
    """Models on this machine by the names that `resolve` knows them by: the shipped one, the roots', the downloaded, the fine-tuned."""
    from ... import pocket

    found = {"pocket": pocket.path()}
    for root in _roots():
        for path in sorted(root.glob("*")) if root.is_dir() else ():
            for candidate in (path, *sorted(path.glob("*"))) if path.is_dir() else (path,):
                if is_model(candidate):
                    found.setdefault(candidate.relative_to(root).as_posix(), candidate)
    return found


def is_model(path: Path) -> bool:
    """Whether a folder holds weights, or a pipeline whose parts do, or a file is a GGUF."""
    if path.is_file():
        return path.suffix == ".gguf"
    return path.is_dir() and any(p.suffix in _WEIGHTS or p.name == PIPELINE for p in path.iterdir())


def not_found(name: str, cause: str = "") -> ModelNotFound:
    """The error for a name that nothing is known by."""
    near = nearest(name, local_models())
    looked = ", ".join(str(r) for r in _roots())
    return ModelNotFound(
        f"No model is called {name!r}.",
        cause or (f"{near!r} is the nearest one here." if near else f"Looked in {looked}."),
        "Give an absolute path, or set WORKBENCH_MODEL_PATH to the folder that holds it; to download, give organisation/name, "
        "with WORKBENCH_MODEL_SOURCE=huggingface or modelscope and, behind a mirror, HF_ENDPOINT.",
    )


def _find_here(name: str, source: str) -> Path | None:
    for root in _roots():
        for path in (root / name, root / source / name):
            if path.exists() and (path.is_file() or is_model(path)):
                return path.absolute()
    return _finetuned(settings().target_root / name)


def _finetuned(folder: Path) -> Path | None:
    """The newest model under a target's folder, where every run has a folder of its own."""
    if not folder.is_dir():
        return None
    models = [p.parent for p in folder.glob("**/config.json") if is_model(p.parent) and not p.parent.name.startswith("checkpoint-")]
    return max(models, key=lambda p: (p / "config.json").stat().st_mtime).absolute() if models else None


def _roots() -> list[Path]:
    s = settings()
    roots = [Path(r).expanduser().absolute() for r in s.model_path.split(os.pathsep) if r.strip()]
    return [*roots, s.models_dir, s.target_root]


def _is_path(text: str) -> bool:
    return text.startswith(("/", "./", "../", "~", ".\\")) or text in (".", "..") or (os.sep in text and Path(text).exists())


def _path_fix(path: Path) -> str:
    there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = nearest(path.name, there)
    return f"Did you mean {path.parent / near}?" if near else "Check the path."
