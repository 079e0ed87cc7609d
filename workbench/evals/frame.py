"""Tables of an evaluation: its own rows, and the training that led to it. Loads pandas when it makes one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..errors import JobNotFound
from ..runtime.work import jobs
from ..runtime.work.metrics import as_frame

if TYPE_CHECKING:
    import pandas as pd

    from .result import EvalResult
    from .values import EvalOutput, EvalRow


def frame_of(result: EvalResult) -> pd.DataFrame:
    """One line a row and model; see `EvalResult.to_pandas`."""
    import pandas as pd

    def line(row: EvalRow, model: str, o: EvalOutput) -> list[Any]:
        asked = [row.index, row.input, row.expected, model, o.value, o.error, o.skipped]
        cost = [o.latency, o.first_token, o.usage.prompt_tokens, o.usage.completion_tokens]
        return [*asked, *(o.scores.get(s) for s in result.scorers), *cost, o.cost, o.judge_usage.total_tokens]

    columns = ["row", "input", "expected", "model", "output", "error", "skipped", *result.scorers]
    columns += ["latency", "first_token", "prompt_tokens", "completion_tokens", "cost", "judge_tokens"]
    lines = [line(row, model, o) for row in result.rows for model, o in zip(result.models, row.outputs, strict=False)]
    frame = pd.DataFrame(lines, columns=columns)
    numbers = [*result.scorers, "latency", "first_token", "cost"]
    frame[numbers] = frame[numbers].astype(float)
    unknown = [c for c, there in (("cost", frame["cost"].notna().any()), ("judge_tokens", frame["judge_tokens"].any())) if not there]
    return frame.drop(columns=unknown)


def training_of(result: EvalResult) -> pd.DataFrame | None:
    """What the fine-tuning of the last model measured, where its job is still there."""
    job = result.facts.get("models", {}).get(result.models[-1], {}).get("job") if result.models else None
    if not job:
        return None
    with contextlib.suppress(JobNotFound):
        return as_frame(jobs.all_metrics(job))
    return None
