"""What an engine has to read of a model's own files to choose its arguments: configuration, chat template, adapters. Loads nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def config(folder: Path) -> dict[str, Any]:
    """A model's ``config.json``."""
    return read_json(folder / "config.json")


def architecture(folder: Path) -> str:
    """The first architecture that the configuration names."""
    return str(next(iter(config(folder).get("architectures") or ()), ""))


def chat_template(folder: Path) -> str:
    """The model's chat templates, those for tools included; empty where it has none."""
    own = [p.read_text(encoding="utf-8", errors="replace") for p in (folder / "chat_template.jinja",) if p.is_file()]
    own += [str(read_json(folder / "chat_template.json").get("chat_template") or "")]
    named = read_json(folder / "tokenizer_config.json").get("chat_template")
    own += [str(t.get("template", "")) for t in named if isinstance(t, dict)] if isinstance(named, list) else [str(named or "")]
    return "\n".join(filter(None, own))


def context_length(config: dict[str, Any]) -> int:
    """Tokens that the configuration allows for; 0 where it does not say."""
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else {}
    merged = {**config, **(text or {})}
    names = ("max_position_embeddings", "max_target_positions", "n_positions", "seq_length", "max_sequence_length")
    return next((int(merged[n]) for n in names if isinstance(merged.get(n), int)), 0)


def weights_size(folder: Path) -> int:
    """Bytes of the weights' files."""
    for pattern in ("*.safetensors", "*.bin", "*.gguf"):
        if found := list(folder.glob(pattern)):
            return sum(p.stat().st_size for p in found)
    return 0
