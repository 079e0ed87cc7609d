"""From what a user writes (a source, a model, a type, a URL, a key) to where the model answers. Knows vendors' data and where
keys lie; holds no key and sends nothing.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from ...core.endpoints import Endpoint
from ...core.providers import Capability, Provider
from ...errors import ArgumentError, AuthenticationFailed, SettingsError, nearest
from ...providers import catalog, model_names
from ...providers.reading import CODECS
from ...runtime.secrets import keys

COMPATIBLE = "openai_compatible"
Key = str | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OnlineTarget:
    """A model of a vendor: whose, what the vendor offers for its type, and where it answers.

    ``why`` says how the source was found; ``published`` that the address is the vendor's own, so that its prices hold.
    """

    provider: Provider
    capability: Capability
    type: str
    endpoint: Endpoint
    why: str = ""
    published: bool = True


def resolve(
    source: str = "",
    model: str = "",
    type: str = "",
    *,
    url: str = "",
    key: Key | None = None,
    skip_auth: bool = False,
    headers: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
) -> OnlineTarget:
    """Find out where a model answers.

    Parameters
    ----------
    source : str, optional
        A vendor's name or alias; told from the model, the setting ``default_source`` or the keys that are there when empty.
    model : str, optional
        The vendor's name of the model, ``source:model``, or a source; the vendor's default when empty.
    type : str, optional
        ``llm vlm embed cross_modal_embed rerank stt tts sd image_editing``; told from the model when empty, else ``llm``.
    url : str, optional
        Another base address than the vendor's.
    key : str, dict or sequence, optional
        A key, its parts, or several keys to take in turn.
    skip_auth : bool, optional
        Send no key.
    headers, options : Mapping, optional
        Sent with every request; what the codec has to know beyond the vendor's data.
    places : Mapping, optional
        What the account decides of the vendor's address, such as ``region``.

    Raises
    ------
    ArgumentError
        For an unknown source, a type that the vendor does not offer, or a key without a source.
    AuthenticationFailed
        When the vendor's key is nowhere, or nothing says which vendor.
    """
    source, model = split(source, model)
    wanted = model_names.canonical(type)
    if wanted and wanted not in CODECS:
        raise ArgumentError(f"There is no type {type!r}.", "", f"Choose one of: {', '.join(CODECS)}.")
    wanted = wanted or model_names.type_of(model, source) or "llm"
    provider, why = _choose(source, model, wanted, url=url, key=key)
    reference, parts = _key(provider, wanted, model, key, skip_auth)
    provider = provider.for_key(parts)
    capability = _capability(provider, wanted, url)
    name = model or _default_model(provider, capability, wanted)
    if not name:
        listing = f" It knows {', '.join(capability.models[:8])}." if capability.models else ""
        raise ArgumentError(f"{provider.title} needs a model's name.", f"Its data names no default for {wanted}.{listing}", "Give model=….")
    capability = capability.for_model(name)
    endpoint = Endpoint(
        url=_address(provider, capability, url, places or {}),
        model=name,
        dialect=capability.codec,
        source=provider.name,
        headers={**provider.headers, **capability.headers, **(headers or {})},
        key_ref=reference,
        auth="" if skip_auth else capability.auth or provider.auth,
        options={**({"path": capability.path} if capability.path else {}), **_filled(provider, capability.options, places or {}), **(options or {})},
    )
    return OnlineTarget(provider, capability, wanted, endpoint, why, published=not url)


def split(source: str, model: str) -> tuple[str, str]:
    """Source and model, where the model names the source: ``qwen``, ``qwen:qwen-plus``, ``openai/gpt-4o``."""
    if source or not model:
        return source, model
    if catalog.find(model) is not None:
        return model, ""
    for mark in (":", "/"):
        first, found, rest = model.partition(mark)
        if found and rest and catalog.find(first) is not None:
            return first, rest
    return "", model


def configured(type: str = "llm") -> list[Provider]:
    """The vendors that offer a type and whose key is there, in the order in which they are taken."""
    return sorted((p for p in catalog.every() if type in p.capabilities and keys.has_key(p, type)), key=lambda p: (p.rank, p.name))


def _choose(source: str, model: str, type: str, *, url: str, key: Key | None) -> tuple[Provider, str]:
    if source:
        return catalog.provider(source), f"source={source!r} was given"
    if url:
        return compatible(url), "url= was given, which is taken for a server that speaks OpenAI's form"
    told = model_names.source_of(model)
    if key is not None:
        if not told:
            raise ArgumentError("No source is given but an api_key is provided.", "Whose key is it?", "Write source='…' beside api_key.")
        return catalog.provider(told), f"the name {model!r} tells its vendor"
    if told and keys.has_key(catalog.provider(told), type):
        return catalog.provider(told), f"the name {model!r} tells its vendor, whose key is there"
    where, variable, default = keys.default_source()
    if default:
        return catalog.provider(default), f"{variable} ({where}) names the source"
    if told:
        return catalog.provider(told), f"the name {model!r} tells its vendor"
    found = configured(type)
    if found:
        return found[0], "it is the first source whose key is there"
    raise _nothing_configured(type, model)


def compatible(url: str) -> Provider:
    """A server of any kind that speaks OpenAI's form."""
    every = {type_: Capability(codec) for type_, codec in CODECS.items()}
    return Provider(COMPATIBLE, "The server", url, capabilities=every)


def _capability(provider: Provider, type: str, url: str) -> Capability:
    found = provider.capabilities.get(type)
    if found is None and type == "vlm":
        found = provider.capabilities.get("llm")
    if found is None and url:
        found = Capability(CODECS[type])  # an address of the user's own may offer more than the vendor
    if found is None:
        others = [p.name for p in catalog.every() if type in p.capabilities]
        raise ArgumentError(
            f"{provider.title} offers no {type}.",
            f"It offers: {', '.join(provider.capabilities)}.",
            f"Choose another source: {', '.join(others)}.",
        )
    return found


def _default_model(provider: Provider, capability: Capability, type: str) -> str:
    ends = {"llm": ["MODEL_NAME", "CHAT_MODEL_NAME", "LLM_MODEL_NAME"], "sd": ["SD_MODEL_NAME", "TEXT2IMAGE_MODEL_NAME"]}
    names = [
        f"{ours}_{source.upper().replace('-', '_')}_{end}"
        for ours in ("WORKBENCH", "LAZYLLM")
        for source in (provider.name, *provider.aliases)
        if source.isascii()
        for end in ends.get(type, [f"{type.upper()}_MODEL_NAME"])
    ]
    return keys.lookup(names)[2] or capability.default_model


def _address(provider: Provider, capability: Capability, url: str, given: Mapping[str, str]) -> str:
    if url:
        return base_address(url)
    ours = [f"WORKBENCH_{provider.name.upper()}_BASE_URL"]
    _, _, found = keys.lookup(ours if capability.url else [*ours, *provider.url_variables])
    address = found or capability.url or provider.url
    names = [name for _, name, _, _ in string.Formatter().parse(address) if name is not None and name in provider.places]
    return address.format_map({name: _place(provider, name, given) for name in names}).rstrip("/")


def _filled(provider: Provider, options: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Options with the account's places in them, such as a region; other names in braces are the codec's."""
    filled = dict(options)
    for key, value in options.items():
        for name in provider.places:
            if isinstance(value, str) and f"{{{name}}}" in value:
                filled[key] = value = value.replace(f"{{{name}}}", _place(provider, name, given))
    return filled


def _place(provider: Provider, name: str, given: Mapping[str, str]) -> str:
    place = provider.places[name]
    ours = f"WORKBENCH_{provider.name.upper()}_{name.upper()}"
    value = given.get(name) or keys.lookup((ours, *place.variables))[2] or place.default
    if not value:
        variable = place.variables[0] if place.variables else ours
        example = f", such as {place.example}" if place.example else ""
        raise SettingsError(
            f"{provider.title} has an address of its own for every account.",
            f"{variable} is not set.",
            f"Set {variable}{example}; or give {name}=… or url=….",
        )
    return value.rstrip("/")


def base_address(url: str) -> str:
    """The base of an address that may name the whole path, as people copy it."""
    if "://" not in url:
        raise ArgumentError(f"{url!r} is no address.", "", "Begin it with http:// or https://.")
    base = url.strip().rstrip("/")
    for path in ("/chat/completions", "/completions", "/embeddings", "/rerank", "/audio/speech", "/audio/transcriptions", "/images/generations"):
        base = base.removesuffix(path)
    return base


def _key(provider: Provider, type: str, model: str, key: Key | None, skip_auth: bool) -> tuple[str, Set[str]]:
    """Where the key lies, and which parts it has. Raises when it is nowhere."""
    if skip_auth:
        return "", frozenset()
    if key is None:
        known = provider.sets_of(type) or provider.key_variables
        parts = keys.provider_credentials(provider, type, model=model) if known else {}
        return (f"provider:{provider.name}:{type}" if known else ""), parts.keys()
    several = [key] if isinstance(key, str | Mapping) else list(key)
    given = [keys.split(provider, {"key": k} if isinstance(k, str) else k) for k in several]
    reference = keys.hold(given)
    sets = provider.sets_of(type)
    for parts in given:
        if sets and not any(all(part in parts for part in wanted) for wanted in sets):
            names = dict.fromkeys(" and ".join(f"{'api_key' if p == 'key' else p}=…" for p in s) for s in sets)
            raise ArgumentError(f"The key of {provider.title} is not whole.", f"Given: {', '.join(parts)}.", f"Give {', or '.join(names)}.")
    return reference, given[0].keys()


def _nothing_configured(type: str, model: str) -> AuthenticationFailed:
    offering = sorted((p for p in catalog.every() if type in p.capabilities and p.sets_of(type)), key=lambda p: (p.rank, p.name))
    choices = ", ".join(f"{p.name} ({keys.variable_to_set(p, p.sets_of(type)[0][0])})" for p in offering)
    near = nearest(model.lower(), [name for p in offering for name in (p.name, *p.aliases)]) if model else ""
    whose = f"Nothing tells whose model {model!r} is{f' ({near!r} is the nearest source)' if near else ''}. " if model else ""
    return AuthenticationFailed(
        "No api_key is configured for any source.",
        f"{whose}Without a source the first one with a key is taken. Sources for {type}: {choices}.",
        "Set one of these variables, run `workbench keys set <source>`, or give url=… of a server of your own.",
    )


def with_model(target: OnlineTarget, model: str) -> OnlineTarget:
    """The same vendor and address for another model."""
    return replace(target, endpoint=replace(target.endpoint, model=model))
