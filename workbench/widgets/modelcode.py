"""The line of code that leads to a model, as its card shows it: where something was chosen, the line that makes the same deployment."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..core.jobs import JobRecord
from ..core.models import ModelMeta
from ..runtime.deployments.deploy_code import line_of, shown


def code_of(module: Any, record: JobRecord | None, meta: ModelMeta | None) -> str:
    """A line of Python.

    Parameters
    ----------
    module : TrainableModule
    record : JobRecord or None
        Its deployment.
    meta : ModelMeta or None
        What the model's files tell.
    """
    model = str(getattr(module, "finetuned_model_path", "") or getattr(module, "base_model", "") or module.name)
    if record is not None and record.kind == "deploy" and record.spec.payload.get("model"):
        return line_of(record, meta.type if meta is not None else "", _by_itself(record, meta), model)
    return f"wb.TrainableModule({shown(model)!r}).start()"


def _by_itself(record: JobRecord, meta: ModelMeta | None) -> str:
    """The engine that is taken when none is named; empty where that cannot be told."""
    from ..deploy.choose import choose
    from ..runtime.machine import snapshot

    if meta is None:
        return ""
    try:
        return choose(dataclasses.replace(meta, type=str(record.spec.payload.get("type") or "llm")), snapshot()).engine
    except Exception:  # a line of code must not take the card with it
        return ""
