"""``wb.providers()``: the vendors as a table. Says where each key would come from, and never a key."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ..core.providers import Provider
from ..providers import catalog
from .secrets import keys

if TYPE_CHECKING:
    from pandas import DataFrame

_CELL = "padding:4px 12px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--jp-border-color2,#e0e0e0)"
_DIM = "color:var(--jp-ui-font-color2)"
_DOUBT = ("tried", "documented", "reported", "unconfirmed")
_WORD = {"reported": "second hand", "unconfirmed": "unconfirmed"}


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
    confidence : dict of str to str
        By type, how sure the facts are: ``documented``, ``tried``, ``reported`` (second hand) or ``unconfirmed``.
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
    confidence: dict[str, str]
    notes: tuple[str, ...]
    docs: str


class ProviderTable(list[ProviderRow]):
    """A list of `ProviderRow`; in a notebook it shows as a table."""

    def to_pandas(self) -> DataFrame:
        """One row per vendor and type: source, title, type, model, key, ready, confidence, notes, docs."""
        import pandas as pd

        columns = ["source", "title", "type", "model", "key", "ready", "confidence", "notes", "docs"]
        rows = [
            (r.source, r.title, type_, model, r.key, r.ready, r.confidence[type_], " ".join(r.notes), r.docs)
            for r in self
            for type_, model in r.models.items()
        ]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        if not self:
            return "No vendors."
        rows = [("source", "", "key", "chat model", "types", ""), *(_words(r) for r in self)]
        widths = [min(max(len(row[i]) for row in rows), 44) for i in range(len(rows[0]))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="{_CELL};font-weight:500">{name}</th>' for name in ("Source", "Types and default models", "Key", "Notes"))
        body = "".join(_html_row(r) for r in self)
        return f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def provider_table() -> ProviderTable:
    """All vendors as they are known now, those that can be used first."""
    return ProviderTable(sorted(map(_row, catalog.every()), key=lambda row: not row.ready))


def _row(provider: Provider) -> ProviderRow:
    places = keys.key_places(provider)
    notes = [provider.note, *(f"{type_}: {c.note}" for type_, c in provider.capabilities.items() if c.note)]
    return ProviderRow(
        source=provider.name,
        title=provider.title,
        aliases=provider.aliases,
        models={type_: c.default_model for type_, c in provider.capabilities.items()},
        key=", ".join(map(str, places)) or "no key needed",
        ready=all(p.kind for p in places),
        confidence={type_: max(provider.confidence, c.confidence, key=_DOUBT.index) for type_, c in provider.capabilities.items()},
        notes=tuple(n for n in notes if n),
        docs=provider.docs,
    )


def _words(row: ProviderRow) -> tuple[str, ...]:
    doubts = {word: [type_ for type_, sure in row.confidence.items() if sure == level] for level, word in _WORD.items()}
    doubt = "; ".join(word if len(types) == len(row.models) else f"{word}: {', '.join(types)}" for word, types in doubts.items() if types)
    chat = row.models.get("llm") or ("name one" if "llm" in row.models else "")
    return row.source, "●" if row.ready else "○", row.key, chat, ", ".join(row.models), doubt


def _html_row(row: ProviderRow) -> str:
    names = f"<b>{escape(row.source)}</b>"
    if row.aliases:
        names += f'<br><span style="{_DIM}">{escape(", ".join(row.aliases))}</span>'
    models = "<br>".join(_html_model(type_, model, row.confidence[type_]) for type_, model in row.models.items())
    dot = "--jp-success-color1" if row.ready else "--jp-border-color1"
    key = f'<span style="color:var({dot})">●</span>&nbsp;{escape(row.key)}'
    words = "<br>".join(escape(n) for n in row.notes)
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in (names, models, key, words)) + "</tr>"


def _html_model(type_: str, model: str, sure: str) -> str:
    doubt = f' <span style="{_DIM};font-style:italic">{_WORD[sure]}</span>' if sure in _WORD else ""
    return f'<span style="{_DIM}">{type_}</span> {escape(model) or "—"}{doubt}'
