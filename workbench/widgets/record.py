"""A job's record and events as the JSON values that the monitor's page draws. Reads nothing but what it is given."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..core.jobs import STOP_AND_SAVE, EventRow, JobRecord, JobState

_METHODS = {"lora": "LoRA", "qlora": "QLoRA", "dora": "DoRA", "full": "full", "freeze": "freeze"}
_TRAINING = {JobState.RUNNING, JobState.STOPPING}


class Facts:
    """What the events of a job tell beside its record."""

    def __init__(self) -> None:
        self.device = ""
        self.memory_total: int | None = None
        self.checkpoint: int | None = None
        self.notices: list[dict[str, Any]] = []

    def take(self, events: Iterable[EventRow]) -> None:
        """Learn from new events."""
        for event in events:
            data = event.data
            if event.event == "begin":
                self.device = _device(str(data.get("device") or ""))
                self.memory_total = _memory_total(self.device)
            elif event.event == "checkpoint":
                self.checkpoint = int(data.get("step") or 0)
            elif event.event == "notice" and data.get("level") == "warning":  # the rest is in the log and in job.events()
                self.notices.append({"id": event.seq, "level": str(data.get("level", "info")), "text": str(data.get("text", ""))})


def view(record: JobRecord, facts: Facts) -> dict[str, Any]:
    """What the page shows of a job; the TypeScript twin of this is ``JobView``."""
    payload = record.spec.payload
    arguments: Mapping[str, Any] = payload.get("arguments") or {}
    progress, failure = record.progress, record.failure
    paused = record.state is JobState.RUNNING and progress.phase == "paused"
    endpoint = record.endpoint or {}
    model = str(record.result.get("model") or "")
    return {
        "id": record.id,
        "name": record.name,
        "kind": record.kind,
        "backend": record.spec.backend,
        "state": str(JobState.STOPPING if record.state.active and record.cancel_requested else record.state),
        "paused": paused,
        "started_at": record.started_at or record.created_at,
        "ended_at": record.ended_at,
        "now": time.time(),
        "progress": {
            "phase": progress.phase,
            "text": progress.text,
            "done": progress.done,
            "total": progress.total,
            "unit": progress.unit,
            "eta": progress.eta,
        },
        "step": record.step,
        "max_steps": record.max_steps,
        "epochs": _number(arguments.get("num_train_epochs")),
        "failure": {"cause": failure.cause, "fix": failure.fix, "log_tail": failure.log_tail} if failure else None,
        "checkpoint": facts.checkpoint,
        "base": Path(str(payload.get("base_model") or payload.get("model") or "")).name,
        "method": _method(arguments) if record.kind == "finetune" else record.spec.backend,
        "device": facts.device,
        "data": _data(payload),
        "config": _config(record, arguments),
        "notices": facts.notices[-8:],
        "memory_total": facts.memory_total,
        "target": str(payload.get("target_path") or ""),
        "endpoint": str(endpoint.get("url", "")),
        "code": f"m = wb.TrainableModule({model!r}).start()" if model else "",
        "actions": _actions(record, paused, facts.checkpoint),
    }


def _device(name: str) -> str:
    if name.startswith("cuda"):
        return f"GPU {name.partition(':')[2] or 0}"
    return name.upper() if name in ("cpu", "mps") else name


def _method(arguments: Mapping[str, Any]) -> str:
    kind = str(arguments.get("finetuning_type", "lora"))
    rank = arguments.get("lora_rank")
    return " ".join(filter(None, [_METHODS.get(kind, kind), f"r {rank}" if rank and "lora" in kind else ""]))


def _data(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    train, valid = payload.get("train"), payload.get("valid")
    if not isinstance(train, Mapping):
        return None
    name = str(train.get("name") or Path(str(train["path"])).name)
    return {"name": name, "rows": train["rows"], "eval_rows": valid["rows"] if isinstance(valid, Mapping) else 0}


def _config(record: JobRecord, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    payload = record.spec.payload
    places = [
        ("base_model", payload.get("base_model") or payload.get("model")),
        ("target_path", payload.get("target_path")),
        ("backend", record.spec.backend),
    ]
    rows = [{"name": name, "value": str(value), "set": False} for name, value in places if value]
    return rows + [{"name": name, "value": _text(value), "set": True} for name, value in arguments.items()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _actions(record: JobRecord, paused: bool, checkpoint: int | None) -> list[str]:
    if record.state.active:
        if record.cancel_requested:
            return ["cancel"] if record.cancel_requested == STOP_AND_SAVE and record.kind == "finetune" else []
        if record.kind != "finetune":
            return ["stop" if record.state is JobState.RUNNING else "cancel"]
        if record.state not in _TRAINING or record.step is None:
            return ["cancel"]
        return ["stop", "save", "unpause" if paused else "pause"]
    if record.kind != "finetune" or record.state is JobState.SUCCEEDED:
        return []
    return ["continue" if checkpoint is not None else "again"]


def _memory_total(device: str) -> int | None:
    if device.startswith("GPU"):
        from ..runtime import nvml

        index = int(device.split()[1])
        return next((card.memory_total for card in nvml.read().gpus if card.index == index), None)
    import psutil

    return int(psutil.virtual_memory().total)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
