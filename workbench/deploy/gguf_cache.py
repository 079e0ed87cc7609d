"""Where converted models are kept, and which models can be converted. Converts nothing itself.

A conversion is kept under the workbench's home and never in the user's folder. Its place is told by the content of the
source (names, sizes and times of its files), so a model that was trained again is converted again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from ..errors import ArgumentError
from . import model_files
from .gguf_architectures import CONVERTIBLE, ENCODERS, SEEING, SEEING_WITH

_SUFFIXES = {".safetensors", ".bin", ".json", ".model", ".jinja", ".txt"}
_ORIGIN = "origin.json"
SENTENCES = "Serve it with sentence-transformers: deploy_method(workbench.deploy.sentence_transformers)."
TRANSFORMERS = "Serve it with transformers: deploy_method(workbench.deploy.transformers)."


def target(model: Path, outtype: str) -> Path:
    """The file that a conversion of this model as it is now has, or will have."""
    return _root() / _stamp(model) / f"{model.name}-{outtype}.gguf"


def unquantized(model: Path, outtype: str) -> Path:
    """The file of 16 bits that a quantization is made of, and removed with its end."""
    return target(model, "").with_name(f"{model.name}-f16-for-{outtype}.gguf")


def eyes_target(model: Path) -> Path:
    """The file with the eyes of a vision model, as a conversion makes it."""
    return target(model, "").with_name(f"mmproj-{model.name}-f16.gguf")


def adapter_target(adapter: Path, base: Path) -> Path:
    """The file that the conversion of a LoRA adapter has, or will have."""
    return _root() / "adapters" / _stamp(adapter, str(base)) / f"{adapter.name}.gguf"


def can_see(model: Path) -> bool:
    """Whether llama.cpp's converter can write the part of a model that sees."""
    config = model_files.config(model)
    architecture = next(iter(config.get("architectures") or ()), "")
    sight = config.get("vision_config")
    kind = str(sight.get("model_type") or "") if isinstance(sight, dict) else ""
    return architecture in SEEING and kind in SEEING_WITH.get(architecture, {kind})


def forget_stale() -> None:
    """Remove conversions whose source is gone or has changed."""
    for folder in [*_root().iterdir(), *(_root() / "adapters").glob("*")]:
        try:
            told = json.loads((folder / _ORIGIN).read_text(encoding="utf-8"))
            source, more = Path(told["model"]), [told["base"]] if "base" in told else []
        except (OSError, ValueError, KeyError):
            continue  # one that is being written now
        if not source.is_dir() or _stamp(source, *more) != folder.name:
            shutil.rmtree(folder, ignore_errors=True)


def check_convertible(model: Path) -> None:
    """Refuse a folder that llama.cpp's converter cannot read.

    Raises
    ------
    ArgumentError
    """
    config = model_files.config(model)
    architecture = next(iter(config.get("architectures") or ()), "")
    if (model / "adapter_config.json").exists() and not config:
        raise ArgumentError(f"{model} is a LoRA adapter, not a model.", "", "Merge it into its base model first.")
    if not config:
        raise ArgumentError(f"{model} is no model folder.", "It has neither a GGUF file nor a config.json.", "Give the folder with the weights.")
    inner = config.get("text_config")
    speech = next(iter(inner.get("architectures") or ()), "") if isinstance(inner, dict) else ""
    if not {architecture, speech} & (CONVERTIBLE | ENCODERS):
        fix = SENTENCES if architecture.endswith(("ForSequenceClassification", "Model", "ForMaskedLM")) else TRANSFORMERS
        raise ArgumentError(f"llama.cpp cannot serve {architecture or 'this architecture'}.", "Its converter does not know it.", fix)
    if not any(p.suffix in (".safetensors", ".bin") for p in model.iterdir()):
        raise ArgumentError(f"{model} has no weights.", "There is no .safetensors file in it.", "Download or train the model again.")


def _stamp(folder: Path, *more: str) -> str:
    return hashlib.sha256(json.dumps([str(folder.resolve()), _contents(folder), *more]).encode()).hexdigest()[:16]


def _root() -> Path:
    from ..settings import settings  # most models need no conversion, and a supervisor starts faster without pydantic

    return settings().folder("cache", "gguf")


def _contents(model: Path) -> list[tuple[str, int, int]]:
    files = sorted(p for p in model.iterdir() if p.suffix in _SUFFIXES and p.is_file())
    return [(p.name, (s := p.stat()).st_size, s.st_mtime_ns) for p in files]
