"""``m.defaults``: the generation parameters that count when a call gives none, and where each comes from. Reads; sets nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ...deploy import default_parameters

Origin = Literal["model", "deployment", "face"]


@dataclass(frozen=True, slots=True)
class Default:
    """One parameter: its value, who says so, and what it hides.

    Attributes
    ----------
    value : object
    origin : str
        ``model`` (its ``generation_config.json``, as the engine reads it), ``deployment`` (``deploy_method(…, defaults=…)``) or ``face``
        (``set_default_parameters``).
    hides : tuple of (str, object)
        Where another value stands that does not count, and that value.
    """

    value: Any
    origin: Origin
    hides: tuple[tuple[str, Any], ...] = ()


class Defaults(Mapping[str, Any]):
    """The parameters by name, as a mapping of their values; ``origins`` tells where each comes from."""

    def __init__(self, layers: Mapping[Origin, Mapping[str, Any]]) -> None:
        found: dict[str, Default] = {}
        for origin, values in layers.items():  # the later one counts
            for name, value in values.items():
                before = found.get(name)
                hides = () if before is None else (*before.hides, (before.origin, before.value))
                found[name] = Default(value, origin, hides)
        self._found = found

    @property
    def origins(self) -> Mapping[str, str]:
        """``model``, ``deployment`` or ``face`` by name."""
        return MappingProxyType({name: d.origin for name, d in self._found.items()})

    @property
    def details(self) -> Mapping[str, Default]:
        """Everything that is known of each."""
        return MappingProxyType(self._found)

    def __getitem__(self, name: str) -> Any:
        return self._found[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        if not self._found:
            return "no default parameters: the engine's own count"
        rows = [("parameter", "value", "from", "instead of")]
        for name, d in sorted(self._found.items()):
            rows.append((name, repr(d.value), d.origin, ", ".join(f"{value!r} ({origin})" for origin, value in reversed(d.hides))))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def of_model(engine: str, model: str) -> dict[str, Any]:
    """What the engine takes from the model's own files."""
    path = Path(model)
    folder = path if path.is_dir() else path.parent
    try:
        value = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return default_parameters.of_model(engine, value) if isinstance(value, dict) else {}


def of_deployment(engine: str, defaults: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the deployment was told: ``defaults=``, and the engine's own arguments that say the same."""
    told = default_parameters.checked(engine, defaults) if engine in default_parameters.TAKES else dict(defaults)
    return {**told, **default_parameters.from_arguments(engine, arguments)}
