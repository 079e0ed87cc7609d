"""One trial as a row: what was tried, how far it is, what came of it; and its file, so that an interrupted grid goes on on
another day. Knows neither modules nor how trials are run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from ...settings import settings

TrialState = Literal["waiting", "training", "starting", "evaluating", "finished", "failed", "interrupted"]
_ENDED = ("finished", "failed", "interrupted")


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial.

    Attributes
    ----------
    number : int
        Its place in the grid, from 1.
    key : str
        Equal for the same module with the same values, in every process.
    options : Mapping
        The values that were tried, by option, as they are shown: numbers and text as they are, other things by their names.
    state : str
        waiting, training, starting, evaluating, finished, failed or interrupted.
    metrics : Mapping of str to float
        What the fine-tuning ended with: ``loss``, ``eval_loss``.
    scores : Mapping of str to float
        What the evaluation came to, by scorer; ``latency`` in seconds.
    smaller : tuple of str
        Those of them of which less is better.
    jobs : tuple of str
        The fine-tuning jobs, in the order of the modules that were trained.
    target : str
        The fine-tuned model; where it is to go while it is not there.
    seconds : float or None
        How long it took, all attempts together.
    error : str
        Why it failed; of a finished one, how many rows of its evaluation have no answer, and why.
    progress : str
        What it is doing now.
    evaluated : str
        Digest of the evaluation sets that `scores` belong to.
    """

    number: int
    key: str
    options: Mapping[str, Any]
    state: TrialState = "waiting"
    metrics: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    smaller: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    target: str = ""
    seconds: float | None = None
    error: str = ""
    progress: str = ""
    evaluated: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it in this run of the grid."""
        return self.state in _ENDED

    @property
    def measured(self) -> dict[str, float]:
        """Scores and metrics together."""
        return {**self.scores, **self.metrics}


class TrialStore:
    """The rows of the grids of one name, a file each under ``<home>/trials/<name>``; a key's last word is what counts."""

    def __init__(self, name: str) -> None:
        self.folder = settings().folder("trials", re.sub(r"[^\w.-]+", "_", name).strip("._") or "trials")

    def write(self, row: TrialRow) -> None:
        """Keep a row; the file is whole at every moment."""
        path = self.folder / f"{row.key}.json"
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(asdict(row), ensure_ascii=False, default=str), encoding="utf-8")
        draft.replace(path)

    def read(self, key: str) -> TrialRow | None:
        """The row of that key, or None when there is none that can be read."""
        return _read(self.folder / f"{key}.json")


def _read(path: Path) -> TrialRow | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in fields(TrialRow)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items() if k in known}
        row = TrialRow(**values)
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return row
