"""The line of code that leads to a model, as its card shows it: where something was chosen, the line that makes the same deployment.

A line without the engine and its arguments would make a second deployment beside the one on the card.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.jobs import JobRecord
from ..core.models import ModelMeta
from ..core.specs import DeploySpec
from ..modules.local.deploy_arguments import OWN

_PLAIN = (str, int, float, bool, type(None))
_LONGEST = 240  # characters: a line that a person still reads


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
        return _of_deployment(_shown(model), record, meta)
    return f"wb.TrainableModule({_shown(model)!r}).start()"


def _of_deployment(model: str, record: JobRecord, meta: ModelMeta | None) -> str:
    spec = DeploySpec.from_json(record.spec.payload)
    usual = {f.name: f.default for f in dataclasses.fields(DeploySpec)}
    own = {name: getattr(spec, o.field) for name, o in OWN.items() if o.field and getattr(spec, o.field)}
    own = {name: value for name, value in own.items() if value != usual.get(OWN[name].field)}
    given: dict[str, Any] = {**spec.arguments, **own}
    kind = f", type={spec.type!r}" if meta is not None and meta.type and meta.type != spec.type else ""
    if not given and record.spec.backend == _by_itself(meta, spec.type):
        return f"wb.TrainableModule({model!r}{kind}).start()"
    said = "".join(f", {name}={value!r}" for name, value in given.items())
    line = f"wb.TrainableModule({model!r}{kind}).deploy_method(wb.deploy.{record.spec.backend}{said}).start()"
    if len(line) <= _LONGEST and all(_is_plain(v) for v in given.values()) and all(name.isidentifier() for name in given):
        return line
    return f"wb.deployment({record.id!r}).module().start()"


def _by_itself(meta: ModelMeta | None, kind: str) -> str:
    """The engine that is taken when none is named; empty where that cannot be told."""
    from ..deploy.choose import choose
    from ..runtime.machine import snapshot

    if meta is None:
        return ""
    try:
        return choose(dataclasses.replace(meta, type=kind), snapshot()).engine
    except Exception:  # a line of code must not take the card with it
        return ""


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(v) for v in value.values())
    if isinstance(value, list | tuple):
        return all(_is_plain(v) for v in value)
    return isinstance(value, _PLAIN)


def _shown(model: str) -> str:
    """The name that everybody knows the shipped model by; others as they are."""
    from .. import pocket

    return "pocket" if Path(model) == Path(pocket.path()) else model
