"""The small model that ships: where it lies, and the rows to train and examine it with. Knows nothing of how it is served.

``python -m workbench.pocket.make`` builds it again from nothing; ``models/pocket/README.md`` is its model card.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["eval_rows", "exam_rows", "path", "train_file"]

_HERE = Path(__file__).resolve().parent


def path() -> Path:
    """The model folder: safetensors, tokenizer, chat template and ``pocket-q8_0.gguf``."""
    return _HERE / "models" / "pocket"


def train_file() -> Path:
    """A training set in alpaca rows (JSONL): the new task, mixed with what the model knows already so that it stays."""
    return _HERE / "data" / "dates_train.jsonl"


def eval_rows() -> list[dict[str, Any]]:
    """Held-out rows of the new task, ``{"input", "output"}``: dates to rewrite in ISO 8601."""
    return _rows("dates_eval.jsonl")


def exam_rows() -> list[dict[str, Any]]:
    """Held-out rows of everything the shipped model knows, ``{"skill", "input", "output"}``.

    A row with several right answers has them all under ``accept``.
    """
    return _rows("exam.jsonl")


def _rows(name: str) -> list[dict[str, Any]]:
    with (_HERE / "data" / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
