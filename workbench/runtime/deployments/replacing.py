"""When the deployments whose place a new one takes have to end: after it answers, or before it starts, where both together do not fit.
Ends and starts nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ...core.jobs import JobRecord, JobSpec
from ...core.specs import DeploySpec
from ...errors import DoesNotFit
from ..machine import Machine, snapshot
from .fit import ensure_fits, fit_of, refusal
from .joining import others


def makes_room(spec: JobSpec, *, replace: bool, check: bool) -> bool:
    """Whether the deployments whose place this one takes have to end before it starts; and that it fits at all, unless ``check`` is off.

    Raises
    ------
    DoesNotFit
    """
    if check and not replace:
        ensure_fits(spec)
    return check and replace and must_go_first(spec)


def must_go_first(spec: JobSpec) -> bool:
    """Whether the others of the same model have to end before this one starts.

    It is calculated as for every deployment: what it needs against what is free now, and against what is free without the others.

    Raises
    ------
    DoesNotFit
        When it would not fit without them either.
    """
    try:
        ensure_fits(spec)
    except DoesNotFit:
        going = others(spec)
        if not going:
            raise
        machine = without(snapshot(), going)
        found = fit_of(DeploySpec.from_json(spec.payload), spec.backend, machine)
        if found is not None and not found.fits:
            raise refusal(found, spec.name, spec.backend, machine) from None
        return True
    return False


def without(machine: Machine, going: Sequence[JobRecord]) -> Machine:
    """The machine as it would be when these jobs had ended."""
    ids = {record.id for record in going}
    gpus = tuple(
        dataclasses.replace(
            gpu,
            memory_used=max(0, gpu.memory_used - sum(h.memory for h in gpu.holders if h.job_id in ids)),
            holders=tuple(h for h in gpu.holders if h.job_id not in ids),
        )
        for gpu in machine.gpus
    )
    held = sum(h.memory for h in machine.holders if h.job_id in ids)
    return dataclasses.replace(
        machine, gpus=gpus, memory_used=max(0, machine.memory_used - held), holders=tuple(h for h in machine.holders if h.job_id not in ids)
    )
