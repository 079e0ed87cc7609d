"""The stages that make GGUF files of a safetensors folder. `workbench/runners/convert_gguf.py` is what runs in the first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ..core.protocols import Stage
from .common import runner


def quantization(source: Path, target: Path, outtype: str, environment: str) -> Stage:
    """Write a GGUF file of 16 bits, which is removed then, with fewer bits a weight. `workbench/runners/quantize_gguf.py` is what runs in it."""
    spec = {"source": str(source), "target": str(target), "outtype": outtype}
    return Stage(
        "quantize",
        f"Quantizing to {outtype.upper()}",
        environment,
        (runner("quantize_gguf"), "../quantize.json"),
        files={"quantize.json": json.dumps(spec, ensure_ascii=False, indent=1)},
        stop_grace=5.0,
    )


def stage(source: Path, outtype: str, files: Mapping[str, Path]) -> Stage:
    """Convert a folder.

    Parameters
    ----------
    outtype : str
        How the model's weights are written.
    files : Mapping
        What to make: ``target``, the model; ``eyes``, the part of a vision model that sees, in 16 bits.
    """
    spec = {"model": str(source), "outtype": outtype, **{what: str(file) for what, file in files.items()}}
    return Stage(
        "convert",
        "Converting to GGUF",
        "gguf",
        (runner("convert_gguf"), "../convert.json"),
        files={"convert.json": json.dumps(spec, ensure_ascii=False, indent=1)},
        stop_grace=5.0,
    )
