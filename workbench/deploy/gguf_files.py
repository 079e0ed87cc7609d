"""Which GGUF files of a folder are the model and its eyes. Reads names only.

Names follow https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#gguf-naming-convention, by which a file ends in its quantization.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..core.sizes import size
from ..errors import ArgumentError, nearest

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_QUANTIZATION = re.compile(r"(?:^|[-._])((?:UD-)?(?:I?Q\d\w*|B?F16|F32|TQ\d_\d|MXFP4\w*))$", re.IGNORECASE)


def models_in(folder: Path) -> list[Path]:
    """The models in a folder, of a split one its first part."""
    files = sorted(p for p in folder.glob("*.gguf") if not p.name.startswith("mmproj"))
    return [p for p in files if not (part := _PART.search(p.name)) or part[1] == "00001"]


def quantization_of(file: Path) -> str:
    """The quantization in a file's name, such as ``Q4_K_M``; empty where there is none."""
    found = _QUANTIZATION.search(_PART.sub(".gguf", file.name).removesuffix(".gguf"))
    return found[1].upper() if found else ""


def is_quantization(text: str) -> bool:
    """Whether a text is the name of a quantization as GGUF files have it."""
    return bool(_QUANTIZATION.fullmatch(text))


def find_gguf(path: Path, wanted: str = "") -> Path | None:
    """The GGUF to load: the file itself, or the one of a folder (of a split one, its first part); None when there is none.

    Parameters
    ----------
    wanted : str
        Which of several: a file's name, or its quantization, such as ``Q4_K_M``.

    Raises
    ------
    ArgumentError
        When a folder holds several models and none is named, or not the named one.
    """
    if path.is_file():
        return path if path.suffix == ".gguf" else None
    models = models_in(path)
    if wanted:
        return _named(path, models, wanted)
    if len(models) > 1:
        what = f"{path} holds {len(models)} GGUF models."
        one = quantization_of(models[0]) or models[0].name
        raise ArgumentError(what, f"They are {_list(models)}.", f"Name one: deploy_method(…, gguf={one!r}), or the file itself.")
    return models[0] if models else None


def _named(path: Path, models: list[Path], wanted: str) -> Path:
    said = wanted.removesuffix(".gguf").lower()
    exact = [p for p in models if p.stem.lower() == said] or [p for p in models if quantization_of(p).lower() == said]
    found = exact or [p for p in models if said in p.stem.lower()]
    if len(found) == 1:
        return found[0]
    if not models:
        raise ArgumentError(f"{path} holds no GGUF file.", f"gguf={wanted!r} names one of several.", "Leave it out: the model is then converted.")
    near = nearest(said, [quantization_of(p).lower() for p in models] + [p.stem.lower() for p in models])
    cause = f"{near!r} is the nearest." if near and not found else f"They are {_list(found or models)}."
    raise ArgumentError(f"{path} holds {'several' if found else 'no'} GGUF models {wanted!r}.", cause, f"Choose one of: {_list(models)}.")


def find_mmproj(folder: Path) -> Path | None:
    """The file with a vision model's eyes (``mmproj…``) beside the model; of several the first with 16 bits, else the first."""
    files = sorted(folder.glob("mmproj*.gguf"))
    return next((f for f in files if "16" in quantization_of(f)), files[0] if files else None)


def _list(files: list[Path]) -> str:
    more = f" and {len(files) - 6} more" if len(files) > 6 else ""
    return ", ".join(f"{p.name} ({size(p.stat().st_size)})" if p.stat().st_size > 1e8 else p.name for p in files[:6]) + more
