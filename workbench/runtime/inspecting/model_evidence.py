"""What a model's folder tells of its type, gathered from its small files for `workbench.runtime.inspecting.model_type` to weigh. Opens no weights."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .model_type import Evidence

_HEAD = 1 << 16  # bytes of a README in which its front matter lies


def gather(folder: Path, name: str, files: Iterable[Path]) -> Evidence:
    """The evidence of a folder; ``files`` are those that lie in it."""
    tag, library, tags = _readme(folder / "README.md")
    modules = read(folder / "modules.json")
    return Evidence(
        name=name,
        config=mapping(folder / "config.json"),
        index=mapping(folder / "model_index.json"),
        sentence=mapping(folder / "config_sentence_transformers.json"),
        transformer=mapping(folder / "sentence_bert_config.json"),
        modules=[str(m.get("type") or "") for m in modules if isinstance(m, dict)] if isinstance(modules, list) else None,
        tag=tag,
        library=library,
        tags=tags,
        task=str(mapping(folder / "configuration.json").get("task") or ""),
        files=frozenset(p.name for p in files),
    )


def _readme(path: Path) -> tuple[str, str, tuple[str, ...]]:
    """``pipeline_tag``, ``library_name`` and ``tags`` of a README's front matter, read as far as its lines are plain."""
    try:
        with path.open(encoding="utf-8", errors="replace") as f:
            lines = f.read(_HEAD).splitlines()
    except OSError:
        return "", "", ()
    if not lines or lines[0].strip() != "---":
        return "", "", ()
    values: dict[str, str] = {}
    tags: list[str] = []
    key = ""
    for line in lines[1:]:
        text = line.strip()
        if text == "---":
            return values.get("pipeline_tag", ""), values.get("library_name", ""), tuple(tags)
        if text.startswith("- ") and key == "tags":
            tags.append(text[2:].strip("'\" "))
        elif line[:1].strip() and ":" in line:
            key, _, value = text.partition(":")
            values[key] = value.strip().strip("'\"")
            if key == "tags" and value.strip().startswith("["):
                tags += [t.strip("'\" ") for t in value.strip().strip("[]").split(",")]
    return "", "", ()  # it has no end


def read(path: Path) -> Any:
    """A JSON file's value; None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def mapping(path: Path) -> dict[str, Any]:
    """The same, where it is an object; else an empty one."""
    value = read(path)
    return value if isinstance(value, dict) else {}
