"""Whether a model fits a device before it is loaded: weights, cache and the rest against what is free, and the one argument that helps.

Pure arithmetic on what `ModelMeta` tells; looks at no file and no machine. Where a size is not known nothing is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.models import ModelMeta
from .fit_case import Case
from .fit_engines import ENGINES
from .fit_values import Device, Fit

__all__ = ["Device", "Fit", "fit", "larger_cache", "tighter"]


def fit(meta: ModelMeta, engine: str, arguments: Mapping[str, Any], devices: Sequence[Device]) -> Fit | None:
    """Whether a model fits, as an engine would load it.

    Parameters
    ----------
    meta : ModelMeta
        Of the files that the engine loads; ``details["cache"]`` is a `CacheShape` as JSON.
    engine : str
        A name in the registry group ``deploy``.
    arguments : Mapping
        Under the engine's own names.
    devices : sequence of Device
        GPUs in their order, then the machine's memory.

    Returns
    -------
    Fit or None
        None where too little is known to say anything.
    """
    memory = ENGINES.get(engine)
    if memory is None or not devices or not (meta.size_bytes or meta.parameters):
        return None
    case = Case(meta, memory, devices)
    found = case.assess(arguments)
    if found is None or found.fits:
        return found
    return replace(found, fix=case.fix(arguments))


def tighter(meta: ModelMeta, engine: str, arguments: Mapping[str, Any], devices: Sequence[Device], part: float = 0.75) -> str:
    """The argument with which an engine does with ``part`` of what it was thought to need, after its memory ran out; empty where none helps."""
    first = fit(meta, engine, arguments, devices)
    if first is None:
        return ""
    if not first.fits:
        return first.fix
    beside = first.overhead
    room = int((first.need - beside) * part) + beside
    less = [replace(d, free=min(d.free, room), total=min(d.total, room)) for d in devices]
    return Case(meta, ENGINES[engine], less).fix(arguments)


def larger_cache(meta: ModelMeta, engine: str, arguments: Mapping[str, Any], devices: Sequence[Device], least: int) -> str:
    """The argument for a cache of at least that many bytes and with room for the length; empty where none was named, or the device has no room."""
    case = Case(meta, ENGINES[engine], devices)
    for change in case.larger_cache(arguments, least):
        found = case.assess({**arguments, **change})
        if found is not None and found.fits:
            return ", ".join(f"{name}={value!r}" for name, value in change.items())
    return ""
