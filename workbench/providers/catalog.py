"""Finds and reads the vendors' files. A file is read when its vendor is first asked for; an alias that no file is named after,
or a search over all, reads all of them. Does not know what the facts mean.
"""

from __future__ import annotations

import threading
import tomllib
import warnings
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from .. import registry
from ..core.providers import Provider
from ..errors import ArgumentError, DataError, WorkbenchError, nearest
from ..settings import settings
from . import reading

Stamp = tuple[tuple[str, int], ...]

_lock = threading.RLock()
_shipped: frozenset[str] | None = None
_registered: dict[str, dict[str, Any]] = {}
_made: dict[str, Provider] = {}
_names: dict[str, str] | None = None  # every name and alias, in lower case, to the vendor's name
_stamp: Stamp = ()


def shipped() -> frozenset[str]:
    """The names of the files that come with the package."""
    global _shipped
    if _shipped is None:
        folder = resources.files(__package__)
        _shipped = frozenset(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))
    return _shipped


def names() -> list[str]:
    """The names of all vendors."""
    with _lock:
        _refresh()
        return sorted({*shipped(), *_own_files(), *_registered, *registry.names("provider")})


def provider(name: str) -> Provider:
    """The vendor of that name or alias. Raises `ArgumentError`."""
    found = find(name)
    if found is None:
        known = names()
        near = nearest(name.lower(), _index())
        raise ArgumentError(
            f"Unsupported source: {name!r}.",
            f"{near!r} is the nearest name." if near else "",
            f"Choose one of: {', '.join(known)}; or give url=… for any server that speaks OpenAI's form.",
        )
    return found


def find(name: str) -> Provider | None:
    """The vendor of that name or alias, or None."""
    wanted = name.strip().lower()
    with _lock:
        _refresh()
        if wanted in _made:
            return _made[wanted]
        if _exists(wanted):
            return _make(wanted)
        own = _index().get(wanted)
        return _make(own) if own else None


def every() -> list[Provider]:
    """All vendors whose facts can be read, by name; one that cannot is warned of and left out."""
    with _lock:
        return [p for name in names() if (p := _try(name)) is not None]


def register(name: str, facts: Mapping[str, Any]) -> Provider:
    """Add a vendor for this process, or change what is known of one."""
    global _names
    if not name or not name.replace("_", "").replace("-", "").replace(".", "").isalnum():
        raise ArgumentError(f"A source cannot be called {name!r}.", "", "Use letters, digits, - and _.")
    key = name.lower()
    with _lock:
        before = _registered.get(key)
        _registered[key] = dict(facts)
        _made.clear()
        _names = None
        try:
            return _make(key)
        except WorkbenchError:
            _registered.pop(key)
            if before is not None:
                _registered[key] = before
            raise


def _refresh() -> None:
    """Forget what was made when a file of the user's has changed."""
    global _stamp, _names
    stamp = tuple((str(p), p.stat().st_mtime_ns) for p in sorted(_own_files().values()))
    if stamp != _stamp:
        _stamp, _names = stamp, None
        _made.clear()


def _own_files() -> dict[str, Path]:
    folder = Path(settings().home).expanduser() / "providers"
    return {p.stem.lower(): p for p in folder.glob("*.toml")} if folder.is_dir() else {}


def _exists(name: str) -> bool:
    return name in shipped() or name in _registered or name in _own_files() or name in registry.names("provider")


def _make(name: str, seen: tuple[str, ...] = ()) -> Provider:
    if name not in _made:
        layers = list(_layers(name))
        made = layers[0] if layers and isinstance(layers[0], Provider) else None
        facts = [f for f in layers if not isinstance(f, Provider)]
        if made is not None and not facts:
            _made[name] = made
        else:
            _made[name] = reading.provider_of(name, _merged(name, facts, seen), f"the provider {name!r}")
    return _made[name]


def _layers(name: str) -> Iterable[Provider | dict[str, Any]]:
    """The facts about a vendor, the later ones over the earlier."""
    if name in shipped():
        text = resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
        yield tomllib.loads(text)
    elif name in registry.names("provider"):
        part = registry.get("provider", name)
        yield part if isinstance(part, Provider) else dict(part() if callable(part) else part)
    own = _own_files().get(name)
    if own is not None:
        yield _load(own)
    if name in _registered:
        yield _registered[name]


def _merged(name: str, layers: Iterable[Mapping[str, Any]], seen: tuple[str, ...]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for layer in layers:
        facts = reading.over(facts, layer)
    like = str(facts.pop("like", "")).lower()
    if not like:
        return facts
    if like == name or like in seen or not _exists(like):
        raise ArgumentError(f"The provider {name!r} cannot be like {like!r}.", "", f"Name another one: {', '.join(shipped())}.")
    base = _merged(like, [f for f in _layers(like) if not isinstance(f, Provider)], (*seen, name))
    for own in ("title", "aliases", "prefixes", "note", "url_variables"):
        base.pop(own, None)
    return reading.over(base, facts)


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise DataError(f"{path} cannot be read.", str(e), "Correct the file; docs/online.md shows its form.") from None


def _try(name: str) -> Provider | None:
    try:
        return _make(name)
    except WorkbenchError as e:
        warnings.warn(f"The provider {name!r} is left out. {e}", stacklevel=4)
        return None


def _index() -> dict[str, str]:
    """Every name and alias to its vendor; a name goes before an alias."""
    global _names
    if _names is None:
        found = {alias.lower(): p.name for p in every() for alias in p.aliases}
        _names = {**found, **{name: name for name in names()}}
    return _names
