"""Where keys come from, and how they stay unseen: an endpoint names a place, and this finds what lies there.

The order: an argument, ``WORKBENCH_<SOURCE>_API_KEY``, the vendor's own variables, ``LAZYLLM_<SOURCE>_API_KEY``, the same names in
``./.env`` (read, never put into the environment, which child processes inherit), the system's keyring. Knows providers; sends
nothing. A key is a `Secret` from here to the socket, and nothing else holds one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.endpoints import Endpoint
from ...core.providers import Provider
from ...errors import AuthenticationFailed
from ...providers import catalog
from . import keyring_store
from .held_keys import count, held_parts, hold, rotate
from .secret_text import HIDDEN, Parts, Secret, masked, sealed

__all__ = [
    "HIDDEN",
    "KeyPlace",
    "Parts",
    "Secret",
    "count",
    "credentials_of",
    "default_source",
    "dotenv",
    "has_key",
    "held_parts",
    "hold",
    "key_places",
    "key_variables",
    "lookup",
    "masked",
    "missing_key",
    "provider_credentials",
    "rotate",
    "sealed",
    "split",
    "variable_to_set",
    "variables",
    "without_keys",
]


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


_dotenv: tuple[tuple[str, int, int], Mapping[str, Secret]] = (("", 0, 0), {})


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
        parts = held_parts(endpoint)
        if not parts:
            raise _lost(endpoint)
        return parts
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
    secret = set(key_variables(environment))
    return {name: value for name, value in environment.items() if name not in secret}


def key_variables(environment: Mapping[str, str]) -> list[str]:
    """The names of those variables that hold vendors' keys."""
    known = {name for p in catalog.every() for part in p.key_variables for name in variables(p, part) if not name.startswith("AWS_")}
    return sorted(known & environment.keys())


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
