"""The part of a vision model that sees, for llama.cpp a GGUF file of its own (``mmproj``): beside the model, named, or made with it."""

from __future__ import annotations

from pathlib import Path

from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import gguf_cache
from .gguf_files import find_mmproj
from .llama_cpp_values import file_of


def of(spec: DeploySpec) -> str:
    """The absolute path of the file with a model's eyes, which a conversion may have to make first; empty where there is none."""
    given = str(spec.arguments.get("mmproj") or "")
    if given:
        return str(file_of(given, _folder(spec)))
    found = find_mmproj(_folder(spec)) if spec.type == "vlm" else None
    return str(found or to_convert(spec) or "")


def to_convert(spec: DeploySpec) -> Path | None:
    """The file that a conversion makes of a safetensors folder with eyes; None where nothing needs to be or can be made."""
    model = Path(spec.model)
    if spec.type != "vlm" or spec.arguments.get("mmproj") or not model.is_dir() or find_mmproj(model) is not None:
        return None
    weights = any(p.suffix in (".safetensors", ".bin") for p in model.iterdir())
    return gguf_cache.eyes_target(model) if weights and gguf_cache.can_see(model) else None


def check(spec: DeploySpec) -> None:
    """Refuse eyes that are not there, and a vision model without any. Raises `ArgumentError`."""
    eyes = of(spec)
    if eyes and not Path(eyes).is_file() and to_convert(spec) is None:
        raise ArgumentError(f"There is no mmproj file {eyes}.", "", "Give mmproj= the path of the GGUF file with the model's eyes.")
    if spec.type == "vlm" and not eyes:
        cause = (
            "The part that sees is a file of its own, mmproj-….gguf; none lies beside the model, and llama.cpp's converter writes none of this kind."
        )
        fix = "Give mmproj=…, serve it with wb.deploy.transformers or wb.deploy.vllm, or write type='llm' to serve what it says of texts."
        raise ArgumentError(f"deploy.llama_cpp cannot show pictures to {Path(spec.model).name}.", cause, fix)


def _folder(spec: DeploySpec) -> Path:
    return Path(spec.model) if Path(spec.model).is_dir() else Path(spec.model).parent
