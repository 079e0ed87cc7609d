"""The line of code that leads to a deployment: run in any notebook, it joins the one that is there, and makes the same one where it has ended.

A line without the engine, its arguments or our own would make a second deployment beside it. Knows no module; reads no file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.jobs import JobRecord
from ...core.specs import DeploySpec
from ..inspecting import template_checks

ITSELF = frozenset({"model", "type", "served_name", "arguments", "device"})
"""Fields of `DeploySpec` that are no arguments of ``deploy_method`` under their own names."""
_USUAL: Mapping[str, Any] = {
    f.name: f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default for f in dataclasses.fields(DeploySpec)
}
_PLAIN = (str, int, float, bool, type(None))
_LONGEST = 240  # characters: a line that a person still reads
_SECRET = re.compile(r"key|token$|password|secret|credential", re.IGNORECASE)


def line_of(record: JobRecord, own_type: str = "", own_engine: str = "", model: str = "") -> str:
    """A line of Python, for `import workbench as wb`.

    Parameters
    ----------
    record : JobRecord
        Of a deployment.
    own_type, own_engine : str
        The type and the engine that are taken when none is named, where that is known: those need not be said.
    model : str
        What the module was made of; what the record says when empty.
    """
    if record.spec.backend == "function":
        return f"wb.UrlModule(url={record.id!r})"
    by_itself = f"wb.deployment({record.id!r}).module().start()"
    try:
        spec = DeploySpec.from_json(record.spec.payload)
    except (TypeError, ValueError):  # of another version of the workbench
        return by_itself
    own = {name: value for name, usual in _USUAL.items() if name not in ITSELF and (value := getattr(spec, name)) != usual}
    if spec.chat_template:
        own["chat_template"] = template_checks.said(spec.chat_template)
    given: dict[str, Any] = {**spec.arguments, **own}
    kind = f", type={spec.type!r}" if spec.type != (own_type or "llm") else ""
    made = f"wb.TrainableModule({shown(model or spec.model)!r}{kind})"
    if not given and record.spec.backend == own_engine:
        return f"{made}.start()"
    said = "".join(f", {name}={value!r}" for name, value in given.items())
    line = f"{made}.deploy_method(wb.deploy.{record.spec.backend}{said}).start()"
    hidden = any(_SECRET.search(name) for name in given)
    if len(line) <= _LONGEST and not hidden and _is_plain(given) and all(name.isidentifier() for name in given):
        return line
    return by_itself


def shown(model: str) -> str:
    """The name that everybody knows the shipped model by; others as they are."""
    from ... import pocket

    return "pocket" if Path(model) == Path(pocket.path()) else model


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(v) for v in value.values())
    if isinstance(value, list | tuple):
        return all(_is_plain(v) for v in value)
    return isinstance(value, _PLAIN)
