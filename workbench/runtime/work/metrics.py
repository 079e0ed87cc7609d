"""Measured rows as a table: a training's with one row per step, a deployment's with one per look at it. Does not read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...core.jobs import MetricRow

if TYPE_CHECKING:
    from pandas import DataFrame

_FIRST = ("step", "epoch", "loss", "eval_loss", "learning_rate", "grad_norm")
_LOAD = ("time", "running", "waiting", "requests", "tokens_per_second", "prompt_tokens_per_second", "cache_usage")


def as_frame(rows: Iterable[MetricRow]) -> DataFrame:
    """One row per step: a step's training values and those of its evaluation come in rows of their own and are joined."""
    import pandas as pd

    steps: dict[int, dict[str, float | None]] = {}
    for row in rows:
        values = steps.setdefault(row.step, {"step": row.step, "epoch": row.epoch, "time": row.time})
        values.update(row.values)
    frame = pd.DataFrame([steps[step] for step in sorted(steps)], columns=None if steps else [*_FIRST, "time"])
    others = sorted(set(frame.columns) - {*_FIRST, "time"})
    frame = frame.reindex(columns=[*_FIRST, *others, "time"])
    frame["step"] = frame["step"].astype("int64")
    frame["time"] = pd.to_datetime(frame["time"].astype("float64"), unit="s", utc=True)
    return frame


def as_load_frame(rows: Iterable[MetricRow]) -> DataFrame:
    """One row per time at which a deployment's load had changed, oldest first; columns that its engine does not tell are NaN."""
    import pandas as pd

    frame = pd.DataFrame([{"time": row.time, **row.values} for row in rows], columns=None)
    others = sorted(set(frame.columns) - set(_LOAD))
    frame = frame.reindex(columns=[*_LOAD, *others]).astype("float64")
    frame["time"] = pd.to_datetime(frame["time"], unit="s", utc=True)
    return frame
