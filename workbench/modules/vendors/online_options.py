"""What the modules of online models take alike: address, key, network, time limits; checked, and made into a target.

Knows names of arguments; vendors' facts are `workbench.modules.vendors.online_endpoint`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from ...core.endpoints import Network, Timeouts
from ...core.providers import Provider
from ...errors import ArgumentError, unknown_argument
from ...providers import catalog, model_names
from .. import parameters
from . import online_endpoint
from .online_endpoint import Key, OnlineTarget

NETWORK = tuple(f.name for f in fields(Network))


def target(
    where: str,
    *,
    model: str | None = None,
    source: str | None = None,
    type: str | None = None,
    url: str | None = None,
    base_url: str | None = None,
    api_key: Key | None = None,
    skip_auth: bool = False,
    headers: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    others: Mapping[str, Any] | None = None,
    known: Iterable[str] = (),
) -> OnlineTarget:
    """Where a module's model answers, from the arguments of its constructor.

    Parameters
    ----------
    where : str
        What errors call the module.
    others : Mapping, optional
        Arguments without a name of their own: those of `Network`, further parts of the vendor's key, and of its address.
    known : iterable of str, optional
        The module's own arguments, for the error about one that nobody knows.

    Raises
    ------
    ArgumentError, AuthenticationFailed, SettingsError
        As `online_endpoint.resolve`.
    """
    address = _address(url, base_url)
    network = {name: value for name, value in (others or {}).items() if name in NETWORK}
    rest = {name: value for name, value in (others or {}).items() if name not in NETWORK}
    if skip_auth and not address and not source:
        raise ArgumentError("skip_auth needs an address.", "Without a key only a server of your own answers.", "Add url='http://…/v1'.")
    vendor = _vendor(source or "", model or "")
    places = {name: str(rest.pop(name)) for name in (vendor.places if vendor is not None else ()) if name in rest}
    parts = _parts(where, vendor, rest, (*known, *NETWORK))
    found = online_endpoint.resolve(
        source or "",
        model or "",
        type or "",
        url=address,
        key=_key(where, api_key, parts),
        skip_auth=skip_auth,
        headers=headers,
        options=options,
        places=places,
    )
    return replace(found, endpoint=replace(found.endpoint, network=Network(**network)))


def timeouts(given: float | Timeouts | Sequence[float] | None) -> Timeouts:
    """Time limits from seconds (until the answer begins, and between two pieces), ``(connect, read)``, or as they are."""
    if isinstance(given, Timeouts):
        return given
    if given is None:
        return Timeouts(first_byte=None, gap=None)
    try:
        connect, read = (Timeouts().connect, float(given)) if isinstance(given, int | float) else map(float, given)
    except (TypeError, ValueError):
        raise ArgumentError(f"timeout cannot be {given!r}.", "", "Give seconds, (connect, read), or Timeouts(…).") from None
    if connect <= 0 or read <= 0:
        raise ArgumentError(f"timeout cannot be {given!r}.", "", "Give more than 0 seconds, or None to wait for ever.")
    return Timeouts(connect=connect, first_byte=read, gap=read)


def _address(url: str | None, base_url: str | None) -> str:
    if url and base_url and url != base_url:
        raise ArgumentError("Conflicting parameters: url and base_url.", "They mean the same and differ here.", "Give one of them.")
    return url or base_url or ""


def _vendor(source: str, model: str) -> Provider | None:
    source, model = online_endpoint.split(source, model)
    source = source or model_names.source_of(model)
    return catalog.find(source) if source else None


def _parts(where: str, vendor: Provider | None, rest: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Further parts of the vendor's key; a name that is none is nobody's."""
    allowed = set(vendor.key_variables) - {"key"} if vendor is not None else set()
    for name in rest:
        if name not in allowed and name in parameters.KNOWN:
            fix = f"Write static_params={{{name!r}: …}} for every call, or give it with one call."
            raise ArgumentError(f"{where} does not take {name!r}.", "It is a parameter of calls.", fix)
        if name not in allowed:
            raise unknown_argument(where, name, {*known, *allowed, *(vendor.places if vendor is not None else ())})
    return dict(rest)


def _key(where: str, api_key: Key | None, parts: Mapping[str, Any]) -> Key | None:
    if not parts:
        return api_key or None
    if api_key is not None and not isinstance(api_key, str):
        raise ArgumentError(f"{where}: several keys and {', '.join(parts)} do not go together.", "", "Give one api_key, or a list of dicts of parts.")
    return {**({"key": api_key} if api_key else {}), **{name: value for name, value in parts.items() if value}} or None
