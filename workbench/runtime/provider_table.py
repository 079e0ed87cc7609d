"""``wb.providers()``: the vendors as a table. Says where each key would come from, and never a key."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ..core.providers import Provider
from ..providers import catalog
from . import keys

if TYPE_CHECKING:
    from pandas import DataFrame

_CELL = "padding:4px 12px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--jp-border-color2,#e0e0e0)"
_DIM = "color:var(--jp-ui-font-color2)"
_SURE = {"documented": "", "tried": "tried", "reported": "second hand", "unconfirmed": "unconfirmed"}


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One vendor.

    Attributes
    ----------
    source, title : str
        What ``source=`` says, and what people read.
    aliases : tuple of str
        Other names of the source.
    models : dict of str to str
        By type: the default model; empty where the user has to name one.
    key : str
        Where the key comes from, or which variable to set; never the key.
    ready : bool
        Whether it can be used now: the key is there, or none is needed.
    confidence : str
        How sure the facts are: ``documented``, ``tried``, ``reported`` (second hand) or ``unconfirmed``.
    notes : tuple of str
        What people should know, such as the day on which a model ends.
    docs : str
        The vendor's page about its API.
    """

    source: str
    title: str
    aliases: tuple[str, ...]
    models: dict[str, str]
    key: str
    ready: bool
    confidence: str
    notes: tuple[str, ...]
    docs: str


class ProviderTable(list[ProviderRow]):
    """A list of `ProviderRow`; in a notebook it shows as a table."""

    def to_pandas(self) -> DataFrame:
        """One row per vendor and type: source, title, type, model, key, ready, confidence, notes, docs."""
        import pandas as pd

        columns = ["source", "title", "type", "model", "key", "ready", "confidence", "notes", "docs"]
        rows = [
            (r.source, r.title, type_, model, r.key, r.ready, r.confidence, " ".join(r.notes), r.docs)
            for r in self
            for type_, model in r.models.items()
        ]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        if not self:
            return "No vendors."
        rows = [("source", "ready", "models", "key", ""), *(_words(r) for r in self)]
        widths = [min(max(len(row[i]) for row in rows), 60) for i in range(4)]
        return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[4]]).rstrip() for row in rows)

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="{_CELL};font-weight:500">{name}</th>' for name in ("Source", "Types and default models", "Key", "Notes"))
        body = "".join(_html_row(r) for r in self)
        return f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def provider_table() -> ProviderTable:
    """All vendors as they are known now."""
    return ProviderTable(_row(p) for p in catalog.every())


def _row(provider: Provider) -> ProviderRow:
    places = keys.key_places(provider)
    notes = [provider.note, *(f"{type_}: {c.note}" for type_, c in provider.capabilities.items() if c.note)]
    doubts = [type_ for type_, c in provider.capabilities.items() if c.confidence == "unconfirmed" != provider.confidence]
    if doubts:
        notes.append(f"Unconfirmed: {', '.join(doubts)}.")
    return ProviderRow(
        source=provider.name,
        title=provider.title,
        aliases=provider.aliases,
        models={type_: c.default_model for type_, c in provider.capabilities.items()},
        key=", ".join(map(str, places)) or "no key needed",
        ready=all(p.kind for p in places),
        confidence=provider.confidence,
        notes=tuple(n for n in notes if n),
        docs=provider.docs,
    )


def _words(row: ProviderRow) -> tuple[str, str, str, str, str]:
    types = ", ".join(row.models)
    return row.source, "yes" if row.ready else "", f"{types}: {row.models.get('llm') or 'name one'}", row.key, _SURE.get(row.confidence, "")


def _html_row(row: ProviderRow) -> str:
    names = f"<b>{escape(row.source)}</b>"
    if row.aliases:
        names += f'<br><span style="{_DIM}">{escape(", ".join(row.aliases))}</span>'
    models = "<br>".join(f'<span style="{_DIM}">{type_}</span> {escape(model) or "—"}' for type_, model in row.models.items())
    dot = "--jp-success-color1" if row.ready else "--jp-border-color1"
    key = f'<span style="color:var({dot})">●</span> {escape(row.key)}'
    notes = [*row.notes, *([f"Facts: {_SURE[row.confidence]}."] if _SURE.get(row.confidence) else [])]
    words = "<br>".join(escape(n) for n in notes)
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in (names, models, key, words)) + "</tr>"
