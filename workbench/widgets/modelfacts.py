"""What a card tells of a deployment beside its numbers: why it is as it is, how it was asked for, and whether it would fit. Draws nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from ..core.jobs import JobRecord, JobState
from ..core.models import ModelMeta
from ..errors import WorkbenchError

_KEPT = re.compile(r"-[0-9a-f]{16}$")  # what sets the kept files of templates apart
_PLAIN = {"ready", "finished", "stopped", ""}  # phases that say no more than the state


def reason_of(record: JobRecord | None) -> str:
    """Why a deployment is in its state, where that is not plain: it hangs, nobody asked, another took its place."""
    if record is None or record.state in (JobState.QUEUED, JobState.PREPARING, JobState.FAILED, JobState.LOST):
        return ""  # those have steps or a failure
    phase, text = record.progress.phase, record.progress.text
    return text if phase not in _PLAIN or text.startswith("Replaced") else ""


def details_of(record: JobRecord | None, meta: ModelMeta | None) -> dict[str, Any]:
    """How it was asked for.

    Returns
    -------
    dict
        ``ttl`` (seconds without a request after which it ends, 0 is never), ``restarts`` (how often its engine was started again),
        ``context`` (tokens that were asked for, 0 is the engine's choice), ``quantization``, ``template`` (its name) and ``adapters`` (how many).
    """
    payload: Mapping[str, Any] = record.spec.payload if record is not None else {}
    arguments: Mapping[str, Any] = payload.get("arguments") or {}
    quantization = arguments.get("quantization") or (meta.details.get("quantization") if meta is not None else "") or ""
    return {
        "ttl": float(payload.get("ttl") or 0.0),
        "restarts": _restarts(record),
        "context": _context(record.spec.backend, arguments) if record is not None else 0,
        "quantization": str(quantization),
        "template": _KEPT.sub("", Path(str(payload.get("chat_template") or "")).stem),
        "adapters": len(payload.get("adapters") or ()),
    }


def of_files(path: str) -> ModelMeta | None:
    """What a model's files tell; None where nothing is there."""
    from ..runtime.inspecting.inspection import inspect

    try:
        return inspect(path)
    except (WorkbenchError, OSError):
        return None


def fit_of(module: Any) -> dict[str, Any] | None:
    """Whether what a module would deploy fits now; None where nobody can tell."""
    start = getattr(module, "start", None)
    if not callable(start) or "dry_run" not in signature(start).parameters:
        return None
    try:
        found = start(dry_run=True).fit
    except (WorkbenchError, OSError):
        return None
    if found is None:
        return None
    return {"fits": found.fits, "need": found.need, "free": found.free, "device": found.device, "fix": found.fix}


def _restarts(record: JobRecord | None) -> int:
    if record is None or not record.state.active:
        return 0
    from ..runtime.work import jobs

    return jobs.store().tally(record.id, "restart")[0]


def _context(engine: str, arguments: Mapping[str, Any]) -> int:
    """The length that was asked for, under the engine's own name."""
    from ..deploy.fit_engines import ENGINES

    memory = ENGINES.get(engine)
    asked = arguments.get(memory.length) if memory is not None and memory.length and not memory.lengths else None
    return int(asked) if isinstance(asked, int | float | str) and str(asked).isdigit() else 0
