"""Where keys come from, and how they stay unseen: an endpoint names a place, and this finds what lies there.

The order: an argument, ``WORKBENCH_<SOURCE>_API_KEY``, the vendor's own variables, ``LAZYLLM_<SOURCE>_API_KEY``, the same names in
``./.env`` (read, never put into the environment, which child processes inherit), the system's keyring. Knows providers; sends
nothing. A key is a `Secret` from here to the socket, and nothing else holds one.
"""

from __future__ import annotations

import os
import re
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, SupportsIndex

from ..core.endpoints import Endpoint
from ..core.providers import Provider
from ..errors import ArgumentError, AuthenticationFailed
from ..providers import catalog
from . import keyring_store

HIDDEN = "***"
_KEYLIKE = re.compile(r"key|token|secret|password|app_id|proxy", re.IGNORECASE)


class Secret(str):
    """A text that is sent, and that tools which show variables (tracebacks, debuggers, notebooks) do not show.

    A part of it is secret too, because rich cuts long texts before it shows them. It is not pickled.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{HIDDEN}'"

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:
        return Secret(str.__getitem__(self, key))

    def __iter__(self) -> Iterator[Secret]:
        return (Secret(c) for c in str.__iter__(self))

    def strip(self, chars: str | None = None, /) -> Secret:
        return Secret(str.strip(self, chars))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("A key is not pickled: give it where it is needed.")


Parts = Mapping[str, Secret]


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a part of a vendor's key comes from; never the key.

    Attributes
    ----------
    part : str
        ``key``, or what the vendor calls another part.
    kind : str
        ``environment``, ``.env``, ``keyring``, or empty when it is nowhere.
    name : str
        The variable, or the first one that could be set.
    """

    part: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})" if self.kind else f"{self.name} is not set"


class _Held:
    """Keys that were given as arguments: in this process's memory only."""

    def __init__(self, sets: Sequence[Parts]) -> None:
        self.sets = list(sets)

    def __repr__(self) -> str:
        return f"<{len(self.sets)} held>"


_held: dict[str, _Held] = {}
_lock = threading.Lock()
_dotenv: tuple[tuple[str, int, int], Mapping[str, Secret]] = (("", 0, 0), {})


# ---- keys given as arguments


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


def sealed(given: Any) -> Any:
    """Arguments with the keys among them made secret, before anything can fail and a traceback shows its variables.

    Parameters
    ----------
    given : str, sequence or Mapping
        A key or several; or arguments by name, of which those are keys that are called so.
    """
    if isinstance(given, str):
        return given if isinstance(given, Secret) else Secret(given)
    if isinstance(given, Mapping):
        return {name: sealed(value) if _KEYLIKE.search(str(name)) else value for name, value in given.items()}
    return [sealed(value) for value in given] if isinstance(given, list | tuple) else given


# ---- finding


def credentials_of(endpoint: Endpoint) -> Parts:
    """The key of an endpoint, by parts; ``key`` is the main one. Empty where none is needed.

    Raises
    ------
    AuthenticationFailed
        When it is not where it should be; the message names the source, the variables and the command that keeps it.
    """
    kind, _, rest = endpoint.key_ref.partition(":")
    if kind == "held":
        held = _held.get(endpoint.key_ref)
        if held is None:
            raise _lost(endpoint)
        return held.sets[0]
    if kind == "provider":
        name, _, type_ = rest.partition(":")
        return provider_credentials(catalog.provider(name), type_, model=endpoint.model)
    if endpoint.key_file:
        try:
            return {"key": Secret(Path(endpoint.key_file).read_text().strip())}
        except OSError as e:
            fix = "Start the model again with start()." if endpoint.job_id else ""
            raise _missing(endpoint, f"{endpoint.key_file}: {e.strerror}", fix) from None
    if endpoint.key_env:
        key = Secret(os.environ.get(endpoint.key_env, "")).strip()
        if not key:
            raise _missing(endpoint, f"The variable {endpoint.key_env} is empty.", f"Set {endpoint.key_env}.")
        return {"key": key}
    return {}


def provider_credentials(provider: Provider, type: str = "llm", *, model: str = "") -> Parts:
    """A vendor's key as the user's variables, ``.env`` and keyring have it now.

    Raises
    ------
    AuthenticationFailed
        When no set of parts is complete.
    """
    sets = provider.sets_of(type)
    found = split(provider, {part: secret for part in provider.key_variables if (secret := _find(provider, part)[1])})
    if not sets or any(all(part in found for part in wanted) for wanted in sets):
        return found
    raise missing_key(provider, type, model=model)


def split(provider: Provider, parts: Mapping[str, str]) -> dict[str, Secret]:
    """The parts of a key, taken apart where people write several of them into one variable."""
    found = {part: Secret(value) for part, value in parts.items()}
    names = provider.split_key
    if names and ":" in (whole := found.get(names[0], "")):
        found.update((name, Secret(piece)) for name, piece in zip(names, str.split(whole, ":", len(names) - 1), strict=False))
    return found


def has_key(provider: Provider, type: str = "llm") -> bool:
    """Whether a vendor's key is there."""
    sets = provider.sets_of(type)
    return bool(sets) and all(place.kind for place in key_places(provider, type))


def key_places(provider: Provider, type: str = "llm") -> list[KeyPlace]:
    """Where a vendor's key comes from, one place for each part that is needed; never the key.

    Empty when the vendor needs none. Of several sets of parts it is the first whole one, else the first.
    """
    sets = provider.sets_of(type)
    for wanted in sets:
        places = [_find(provider, part)[0] for part in wanted]
        if all(p.kind for p in places):
            return places
    return [_find(provider, part)[0] for part in sets[0]] if sets else []


def variables(provider: Provider, part: str = "key") -> list[str]:
    """The variables that are looked at for a part of a vendor's key, in order."""
    end = "API_KEY" if part == "key" else part.upper()
    names = [provider.name, *(a for a in provider.aliases if a.isascii())]
    ours = [f"WORKBENCH_{_upper(n)}_{end}" for n in names]
    peers = [f"LAZYLLM_{_upper(n)}_{end}" for n in names]
    if part == "key" and default_source()[2].lower() in (provider.name, *provider.aliases):
        peers += ["WORKBENCH_DEFAULT_KEY", "LAZYLLM_DEFAULT_KEY"]
    return list(dict.fromkeys([*ours, *provider.key_variables.get(part, ()), *peers]))


def default_source() -> tuple[str, str, str]:
    """The source that the user wants where none is given: where that is said, by which variable, which."""
    return lookup(("WORKBENCH_DEFAULT_SOURCE", "LAZYLLM_DEFAULT_SOURCE"))


def variable_to_set(provider: Provider, part: str = "key") -> str:
    """The variable that people are told to set: the vendor's own first one."""
    own = provider.key_variables.get(part, ())
    return own[0] if own else variables(provider, part)[0]


def lookup(names: Sequence[str]) -> tuple[str, str, str]:
    """The first of several variables that is set, in the environment or else in ``./.env``: where, its name, its value."""
    for where, values in (("environment", os.environ), (".env", dotenv())):
        for name in names:
            value = values.get(name, "").strip()
            if value:
                return where, name, value
    return "", "", ""


def dotenv() -> Mapping[str, Secret]:
    """What ``./.env`` says; a change of the file is seen by the next call.

    A job works in a folder of its own: there it is the file that lay beside whoever started it (``WORKBENCH_DOTENV``).
    """
    global _dotenv
    for path in (".env", os.environ.get("WORKBENCH_DOTENV", "")):
        try:
            stat = os.stat(path)
        except OSError:
            continue
        stamp = (os.path.abspath(path), stat.st_mtime_ns, stat.st_size)
        if _dotenv[0] != stamp:
            from dotenv import dotenv_values

            _dotenv = (stamp, {name: Secret(value) for name, value in dotenv_values(path, interpolate=False).items() if value})
        return _dotenv[1]
    return {}


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables without those that hold vendors' keys, for programs that have no business with them.

    A cloud's own credentials (``AWS_…``) stay: a trainer may read its data with them.
    """
    secret = {name for p in catalog.every() for part in p.key_variables for name in variables(p, part) if not name.startswith("AWS_")}
    return {name: value for name, value in environment.items() if name not in secret}


def masked(text: str, parts: Mapping[str, str]) -> str:
    """A text of a server without the key, which some repeat in their errors."""
    for secret in parts.values():
        if len(secret) > 3:
            text = text.replace(secret, HIDDEN)
    return text


# ---- errors


def missing_key(provider: Provider, type: str = "llm", *, model: str = "") -> AuthenticationFailed:
    """The error for a vendor whose key is nowhere."""
    sets = provider.sets_of(type) or (("key",),)
    wanted = " or ".join(" with ".join(variable_to_set(provider, part) for part in parts) for parts in sets)
    others = len(sets) > 1 or len(sets[0]) > 1
    return AuthenticationFailed(
        f"There is no key for {provider.title} (source {provider.name!r}).",
        f"{wanted} {'are' if others else 'is'} neither in the environment nor in ./.env, and the keyring has none.",
        f"Set {variable_to_set(provider, sets[0][0])}, or run `workbench keys set {provider.name}`; api_key=… gives one to this model alone.",
        source=provider.name,
        model=model,
    )


def _missing(endpoint: Endpoint, cause: str, fix: str) -> AuthenticationFailed:
    return AuthenticationFailed(f"There is no key for {endpoint.url}.", cause, fix, source=endpoint.source, model=endpoint.model)


def _lost(endpoint: Endpoint) -> AuthenticationFailed:
    cause = "A key given as an argument lives in the process that it was given to, and in no file."
    return _missing(endpoint, cause, "Make the module again with api_key=…, or keep the key in a variable or the keyring.")


def _find(provider: Provider, part: str) -> tuple[KeyPlace, Secret]:
    where, name, value = lookup(variables(provider, part))
    if value:
        return KeyPlace(part, where, name), Secret(value)
    kept = keyring_store.get(provider.name, part)
    if kept:
        return KeyPlace(part, "keyring", keyring_store.username(provider.name, part)), Secret(kept)
    return KeyPlace(part, "", variable_to_set(provider, part)), Secret()


def _upper(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "_").replace(" ", "_")
