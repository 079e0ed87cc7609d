"""Several deployments as a list that shows as a table: how each is, what it has to do and what it holds. Does not look for them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from ...core.jobs import JobRecord, JobState
from ...core.sizes import size
from ...errors import JobNotFound, nearest
from ..work.job_list import CELL, COLOURS
from ..work.words import ago, detail, duration, state_word
from .load import Load, load_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from .deployment import Deployment

_SHAPES = {
    "State": ";white-space:nowrap",
    "Holds": ";white-space:nowrap",
    "Load": ";min-width:6em",
    "": ";min-width:14em",
}  # what reads badly if broken
HEADS = ("Id", "Name", "State", "Type", "Engine", "Address", "Load", "Holds", "")


@dataclass(frozen=True, slots=True)
class Facts:
    """One deployment at one moment. Bytes, seconds; None where it is unknown or means nothing."""

    record: JobRecord
    type: str
    url: str
    uptime: float | None
    restarts: int
    load: Load
    ttl: float
    memory: int | None
    gpus: Mapping[int, int]


class DeploymentList(list["Deployment"]):
    """A list of `Deployment` handles, newest first; ``['name']`` gives one, and in a notebook it shows as a table."""

    @overload
    def __getitem__(self, which: SupportsIndex, /) -> Deployment: ...
    @overload
    def __getitem__(self, which: slice, /) -> DeploymentList: ...
    @overload
    def __getitem__(self, which: str, /) -> Deployment: ...
    def __getitem__(self, which: SupportsIndex | slice | str, /) -> Deployment | DeploymentList:
        """By place, or by name, id or the beginning of one; of several of a name the living one, else the newest."""
        if isinstance(which, slice):
            return DeploymentList(super().__getitem__(which))
        if not isinstance(which, str):
            return super().__getitem__(which)
        records = {one.id: (one, one.record) for one in self}
        fits = [(d, r) for d, r in records.values() if which in (r.id, r.name)] or [(d, r) for d, r in records.values() if r.id.startswith(which)]
        if fits and which:
            return next((d for d, r in fits if r.state.active), fits[0][0])
        names = [r.name for _, r in records.values()]
        near = nearest(which, names)
        cause = f"{near!r} is the nearest name." if near else f"There is: {', '.join(dict.fromkeys(names))}." if names else "The list is empty."
        raise JobNotFound(f"No deployment is called {which!r}.", cause, "Give a name or id out of wb.deployments().", job_id=which)

    @property
    def names(self) -> list[str]:
        """Their names, for the eye and for completion."""
        return [one.name for one in self]

    def _ipython_key_completions_(self) -> list[str]:
        return self.names

    def to_pandas(self) -> DataFrame:
        """One row per deployment.

        Returns
        -------
        pandas.DataFrame
            Columns ``id``, ``name``, ``engine``, ``type``, ``model``, ``state``, ``detail`` (the reason), ``url``, ``uptime`` (s),
            ``restarts``, ``running``, ``waiting``, ``tokens_per_second``, ``requests``, ``memory`` (bytes), ``gpus`` (dict of index to
            bytes), ``idle`` (s), ``ttl`` (s, 0 is never), ``created``, ``ended`` (UTC).
        """
        import pandas as pd

        rows = [_row(facts) for facts in facts_of(one.record for one in self)]
        frame = pd.DataFrame(rows, columns=list(_COLUMNS))
        for name in ("created", "ended"):
            frame[name] = pd.to_datetime(frame[name].astype("float64"), unit="s", utc=True)
        for name in ("uptime", "running", "waiting", "tokens_per_second", "requests", "memory", "idle"):
            frame[name] = frame[name].astype("float64")
        return frame

    def __repr__(self) -> str:
        if not self:
            return "No deployments. TrainableModule('pocket').start() makes one, which every notebook sees here."
        rows = [words(facts) for facts in facts_of(one.record for one in self)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)

    def _repr_html_(self) -> str:
        if not self:
            return f"<span>{escape(repr(self))}</span>"
        head = "".join(f'<th style="{CELL};font-weight:500">{name}</th>' for name in HEADS)
        body = "".join(_html_row(facts) for facts in facts_of(one.record for one in self))
        return (
            f'<table style="border-collapse:collapse;font-variant-numeric:tabular-nums"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        )


def facts_of(records: Iterable[JobRecord]) -> list[Facts]:
    """What is known of deployments now; the machine is looked at once for all."""
    from ..machine import snapshot
    from ..work.jobs import store

    found = list(records)
    held: dict[str, int] = {}
    gpus: dict[str, dict[int, int]] = {}
    if living := [r for r in found if r.state.active]:
        machine = snapshot(living)
        held = {h.job_id: h.memory for h in machine.holders if h.job_id}
        for gpu in machine.gpus:
            for holder in gpu.holders:
                if holder.job_id:
                    gpus.setdefault(holder.job_id, {})[gpu.index] = holder.memory
    out = []
    for record in found:
        restarts, _ = store().tally(record.id, "restart")
        _, ready = store().tally(record.id, "ready")
        out.append(
            Facts(
                record,
                type_of(record),
                str((record.endpoint or {}).get("url", "")),
                time.time() - ready if ready is not None and record.state is JobState.RUNNING else None,
                restarts,
                load_of(store(), record),
                float(record.spec.payload.get("ttl") or 0.0),
                held.get(record.id),
                gpus.get(record.id, {}),
            )
        )
    return out


_COLUMNS = (
    "id",
    "name",
    "engine",
    "type",
    "model",
    "state",
    "detail",
    "url",
    "uptime",
    "restarts",
    "running",
    "waiting",
    "tokens_per_second",
    "requests",
    "memory",
    "gpus",
    "idle",
    "ttl",
    "created",
    "ended",
)


def _row(facts: Facts) -> tuple[Any, ...]:
    record, load = facts.record, facts.load
    return (
        record.id,
        record.name,
        record.spec.backend,
        facts.type,
        str(record.spec.payload.get("model", "")),
        str(record.state),
        detail(record),
        facts.url,
        facts.uptime,
        facts.restarts,
        load.running,
        load.waiting,
        load.tokens_per_second,
        load.requests,
        facts.memory,
        dict(facts.gpus),
        load.idle,
        facts.ttl,
        record.created_at,
        record.ended_at,
    )


def words(facts: Facts) -> list[str]:
    """One deployment as a row of words, under `HEADS`."""
    record = facts.record
    state = state_word(record)
    if facts.uptime is not None:
        state += f" for {duration(facts.uptime)}"
    elif record.ended_at:
        state += f" {ago(record.ended_at)}"
    return [
        record.id,
        record.name,
        state,
        facts.type,
        record.spec.backend,
        facts.url if record.state.active else "",
        _load_words(facts),
        _held_words(facts),
        _notes(facts),
    ]


def _load_words(facts: Facts) -> str:
    load = facts.load
    if busy := str(load):
        return busy
    if load.idle is None:
        return ""
    left = f", ends in {duration(max(0.0, facts.ttl - load.idle))}" if facts.ttl else ""
    return f"idle for {duration(load.idle)}{left}"


def _held_words(facts: Facts) -> str:
    parts = [f"GPU {index}: {size(held)}" for index, held in sorted(facts.gpus.items())]
    return ", ".join([*([size(facts.memory)] if facts.memory else []), *parts])


def _notes(facts: Facts) -> str:
    record = facts.record
    restarted = f"restarted {facts.restarts} ×" if facts.restarts else ""
    what = detail(record)
    return ", ".join(filter(None, ["" if what == "Ready" else what.removesuffix("."), restarted]))


def type_of(record: JobRecord) -> str:
    """What kind of model a deployment serves; ``function`` where it serves none."""
    return "function" if record.spec.backend == "function" else str(record.spec.payload.get("type") or "llm")


def _html_row(facts: Facts) -> str:
    cells = [escape(word) for word in words(facts)]
    state = facts.record.state
    ill = state is JobState.RUNNING and facts.record.progress.phase == "hung"
    good = state is JobState.RUNNING and not ill
    colour = f"var({'--jp-warn-color1' if ill else COLOURS.get(JobState.SUCCEEDED if good else state, '--jp-brand-color1')})"
    cells[0] = f'<code style="white-space:nowrap">{cells[0]}</code>'
    cells[1] = f"<b>{cells[1]}</b>"
    cells[2] = f'<span style="color:{colour}">●</span> {cells[2]}'
    shaped = (f'<td style="{CELL}{_SHAPES.get(head, "")}">{cell}</td>' for head, cell in zip(HEADS, cells, strict=True))
    return f"<tr>{''.join(shaped)}</tr>"
