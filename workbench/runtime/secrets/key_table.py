"""The keys a user has, as places: what ``workbench keys`` and ``%keys`` show, keep and forget. Never shows a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from ...core.providers import Provider
from ...errors import ArgumentError
from ...providers import catalog
from . import keyring_store, keys

_CELL = "padding:4px 12px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--jp-border-color2,#e0e0e0)"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One vendor: whether its key is there, and from where each part comes."""

    source: str
    title: str
    places: tuple[keys.KeyPlace, ...]

    @property
    def ready(self) -> bool:
        """Whether it can be used now."""
        return all(place.kind for place in self.places)

    def __str__(self) -> str:
        return ", ".join(map(str, self.places))


class KeyTable(list[KeyRow]):
    """A list of `KeyRow`; in a notebook it shows as a table."""

    def __repr__(self) -> str:
        if not self:
            return "No keys. Keep one with: workbench keys set <source>"
        width = max(len(row.source) for row in self)
        return "\n".join(f"{row.source.ljust(width)}  {'●' if row.ready else '○'}  {row}" for row in self)

    def _repr_html_(self) -> str:
        if not self:
            return f"<span>{escape(repr(self))}</span>"
        cells = ((f"<b>{escape(r.source)}</b>", escape(r.title), "●" if r.ready else "○", escape(str(r))) for r in self)
        body = "".join("<tr>" + "".join(f'<td style="{_CELL}">{c}</td>' for c in row) + "</tr>" for row in cells)
        return f'<table style="border-collapse:collapse">{body}</table>'


def key_table(everyone: bool = False) -> KeyTable:
    """The vendors whose keys are there; with ``everyone`` the others too, with the variable that could be set."""
    rows = (KeyRow(p.name, p.title, tuple(keys.key_places(p, next(iter(p.capabilities))))) for p in catalog.every() if p.key_sets)
    return KeyTable(row for row in rows if everyone or row.ready)


def keep(source: str, ask: Callable[[str], str], part: str = "") -> str:
    """Put a vendor's key into the system's keyring.

    Parameters
    ----------
    source : str
        The vendor's name or alias.
    ask : callable
        Asks the user for a secret, without showing it: a question in, the answer out.
    part : str, optional
        Only this part; all parts that the vendor's preferred kind of key has when empty.

    Returns
    -------
    str
        What was done, for people.

    Raises
    ------
    ArgumentError
        For an unknown source or part, or an empty answer.
    SettingsError
        When there is no keyring that can be written.
    """
    provider = catalog.provider(source)
    wanted = (part,) if part else _parts(provider)
    for name in wanted:
        if name not in provider.key_variables:
            raise ArgumentError(f"{provider.title} has no key part {name!r}.", "", f"Choose one of: {', '.join(provider.key_variables) or 'none'}.")
    given = {name: ask(f"{provider.title}, {name}: ").strip() for name in wanted}
    if not all(given.values()):
        raise ArgumentError("Nothing was kept: the key is empty.", "", f"Run it again: workbench keys set {provider.name}")
    for name, value in given.items():
        keyring_store.put(provider.name, value, name)
    return f"The keyring has the key of {provider.title} now.{_shadowed(provider, given)}"


def forget(source: str, part: str = "") -> str:
    """Take a vendor's key out of the system's keyring, and say what was done."""
    provider = catalog.provider(source)
    gone = [name for name in ([part] if part else provider.key_variables) if keyring_store.delete(provider.name, name)]
    if not gone:
        return f"The keyring has no key of {provider.title}."
    left = [place for place in keys.key_places(provider, next(iter(provider.capabilities))) if place.kind]
    still = f" One is still in {', '.join(map(str, left))}." if left else ""
    return f"The keyring has no key of {provider.title} any more.{still}"


def _parts(provider: Provider) -> tuple[str, ...]:
    sets = provider.sets_of(next(iter(provider.capabilities)))
    return sets[0] if sets else tuple(provider.key_variables)[:1]


def _shadowed(provider: Provider, given: Mapping[str, str]) -> str:
    """What stands before the keyring and will be taken instead."""
    for name in given:
        where, variable, _ = keys.lookup(keys.variables(provider, name))
        if variable:
            return f" {variable} ({where}) goes before it."
    return ""
