"""Whether a model's weights are all there: every file as long as its own header says, every part that an index names. Loads nothing.

Formats: https://huggingface.co/docs/safetensors/index#format and https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import json
import struct
from functools import lru_cache
from pathlib import Path

from ...core.gguf_header import read_header
from ...errors import ModelNotFound

_LONGEST_HEADER = 100 << 20
_AGAIN = "Download or write it again; what is there cannot be loaded."


def check_whole(model: Path) -> None:
    """Refuse a model whose weights were cut off or are missing in part.

    Parameters
    ----------
    model : Path
        A folder, whose folders are looked into as well, or a GGUF file.

    Raises
    ------
    ModelNotFound
        Naming the file, how long it is and how long it should be.
    """
    if model.is_file():
        files = [model] if model.suffix == ".gguf" else []
    else:
        files = sorted(p for pattern in ("*.safetensors", "*/*.safetensors", "*.gguf") for p in model.glob(pattern) if p.is_file())
        for index in model.glob("*.safetensors.index.json"):
            _check_index(index)
    for file in files:
        found = file.stat()
        wanted = _wanted(file, found.st_size, found.st_mtime_ns)
        if found.st_size < wanted:
            missing = wanted - found.st_size
            raise ModelNotFound(
                f"{file} was cut off.", f"It has {found.st_size:,} bytes, and its header tells of {wanted:,}: {missing:,} are missing.", _AGAIN
            )


def _check_index(index: Path) -> None:
    try:
        named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return  # no index of ours to judge
    missing = sorted(str(name) for name in named if not (index.parent / str(name)).is_file())
    if missing and not any((index.parent / str(name)).is_file() for name in named - set(missing)) and any(index.parent.glob("*.gguf")):
        return  # a folder that keeps only its GGUF
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ModelNotFound(f"{index.parent} lacks weights.", f"{index.name} names {', '.join(missing[:3])}{more}, which is not there.", _AGAIN)


@lru_cache(maxsize=512)
def _wanted(file: Path, size: int, changed: int) -> int:
    """How many bytes a file has to have at least; 0 where it does not tell."""
    if file.suffix == ".gguf":
        return read_header(file).size
    try:
        with file.open("rb") as f:
            first = f.read(8)
            length = struct.unpack("<Q", first)[0]
            if length > _LONGEST_HEADER:
                return 0  # no safetensors file at all
            text = f.read(length)
            if len(text) < length:
                return int(8 + length + 1)
            header = json.loads(text)
        return int(8 + length + max((t["data_offsets"][1] for name, t in header.items() if name != "__metadata__"), default=0))
    except struct.error:
        return 8
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as e:
        raise ModelNotFound(f"{file} is not a usable safetensors file.", f"Its header is damaged ({type(e).__name__}: {e}).", _AGAIN) from None
