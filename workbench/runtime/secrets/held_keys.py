"""Keys that were given as arguments: in this process's memory, under a reference that an endpoint carries. In no file."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence

from ...core.endpoints import Endpoint
from ...errors import ArgumentError
from .secret_text import Parts, Secret


class _Held:
    """Keys that were given as arguments: in this process's memory only."""

    def __init__(self, sets: Sequence[Parts]) -> None:
        self.sets = list(sets)

    def __repr__(self) -> str:
        return f"<{len(self.sets)} held>"


_held: dict[str, _Held] = {}
_lock = threading.Lock()


def hold(parts: str | Mapping[str, str] | Sequence[str | Mapping[str, str]]) -> str:
    """Keep a key that was given as an argument, and return the reference for `Endpoint.key_ref`.

    Parameters
    ----------
    parts : str, dict or sequence of these
        The key, or its parts by name. Several are taken in turn: the next one when one is refused or used up (`rotate`).

    Raises
    ------
    ArgumentError
        For an empty key, or what is no text.
    """
    given = [parts] if isinstance(parts, str | Mapping) else list(parts)
    sets = [_parts(p) for p in given]
    if not sets or not all(sets):
        raise ArgumentError("The key is empty.", "", "Give the key's text, or leave it out to take it from a variable.")
    with _lock:
        for reference, held in _held.items():
            if len(held.sets) == len(sets) and all(s in held.sets for s in sets):
                return reference
        reference = f"held:{uuid.uuid4().hex[:12]}"
        _held[reference] = _Held(sets)
    return reference


def _parts(given: str | Mapping[str, str]) -> dict[str, Secret]:
    if isinstance(given, str):
        given = {"key": given}
    if not isinstance(given, Mapping) or not all(isinstance(v, str) for v in given.values()):
        raise ArgumentError("A key is a text.", f"This one is a {type(given).__name__}.", "Give the key's text, or a list of keys to take in turn.")
    return {name: secret for name, value in given.items() if (secret := Secret(value).strip())}


def held_parts(endpoint: Endpoint) -> Parts:
    """The key that was given as an argument for an endpoint; empty when it comes from elsewhere."""
    with _lock:
        held = _held.get(endpoint.key_ref)
        return dict(held.sets[0]) if held is not None else {}


def rotate(endpoint: Endpoint, refused: Mapping[str, str]) -> bool:
    """Put a key that was refused, or is used up, behind the others that were given with it.

    Returns
    -------
    bool
        Whether there is another one to try. A caller tries at most `count` keys for one request.
    """
    with _lock:
        held = _held.get(endpoint.key_ref)
        if held is None or len(held.sets) < 2:
            return False
        if held.sets[0] == refused:
            held.sets.append(held.sets.pop(0))
        return True


def count(endpoint: Endpoint) -> int:
    """How many keys there are to try for an endpoint."""
    held = _held.get(endpoint.key_ref)
    return len(held.sets) if held is not None else 1
