"""From the facts in a vendor's file to a `Provider`, every name and type checked. Knows the file's form, no vendor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from ..core.providers import Capability, Confidence, Place, Provider
from ..errors import ArgumentError, unknown_argument

CODECS = {
    "llm": "openai_chat",
    "vlm": "openai_chat",
    "embed": "embeddings",
    "cross_modal_embed": "embeddings",
    "rerank": "rerank",
    "stt": "transcription",
    "tts": "speech",
    "sd": "images",
    "image_editing": "image_edits",
}
_TEXTS = ("title", "url", "auth", "prices", "docs", "confidence", "note")
_LISTS = ("aliases", "prefixes", "url_variables", "parameters", "split_key")
_TABLES = ("keys", "key_sets", "places", "headers", "options", "fine_tuning", "with")
_KNOWN = (*_TEXTS, *_LISTS, *_TABLES, *CODECS, "rank")
_OF_CAPABILITY = ("codec", "url", "path", "auth", "key_sets", "headers", "model", "models", "options", "parameters", "when", "confidence", "note")


def provider_of(name: str, facts: Mapping[str, Any], where: str) -> Provider:
    """The vendor that facts describe.

    Parameters
    ----------
    where : str
        What errors call it.

    Raises
    ------
    ArgumentError
        For an unknown fact, a wrong type, or no address.
    """
    for key in facts:
        if key not in _KNOWN:
            raise unknown_argument(where, key, _KNOWN)
    text = {key: _text(facts, key, where) for key in _TEXTS}
    if not text["url"]:
        raise ArgumentError(f"{where} has no address.", "", 'Give url = "https://…/v1".')
    keys = {part: _texts(facts["keys"], part, where) for part in _table(facts, "keys", where)}
    shared = {"options": _table(facts, "options", where), "parameters": _texts(facts, "parameters", where)}
    capabilities = {
        type_: _capability(type_, _table(facts, type_, where), shared if type_ in ("llm", "vlm") else {}, f"{where}, {type_}")
        for type_ in CODECS
        if type_ in facts
    }
    return Provider(
        name=name,
        title=text["title"] or name,
        url=text["url"].rstrip("/"),
        aliases=_texts(facts, "aliases", where),
        url_variables=_texts(facts, "url_variables", where),
        places={place: _place(value, where) for place, value in _table(facts, "places", where).items()},
        key_variables=keys,
        key_sets=_sets(facts, where) if "key_sets" in facts else ((("key",),) if "key" in keys else ()),
        split_key=_texts(facts, "split_key", where),
        variants={part: _variant(name, facts, part, where) for part in _table(facts, "with", where)},
        auth=text["auth"],
        headers=_string_table(facts, "headers", where),
        capabilities=capabilities or {"llm": _capability("llm", {}, shared, where)},
        fine_tuning=_table(facts, "fine_tuning", where),
        prefixes=_texts(facts, "prefixes", where),
        rank=_number(facts, "rank", 50, where),
        prices=text["prices"],
        docs=text["docs"],
        confidence=_confidence(text["confidence"], where),
        note=text["note"],
    )


def _variant(name: str, facts: Mapping[str, Any], part: str, where: str) -> Provider:
    without = {key: value for key, value in facts.items() if key != "with"}
    return provider_of(name, over(without, _table(facts["with"], part, where)), f"{where}, with.{part}")


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Facts with others over them: tables are merged, anything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        merged[key] = over(merged[key], value) if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) else value
    return merged


def _capability(type_: str, facts: Mapping[str, Any], shared: Mapping[str, Any], where: str) -> Capability:
    for key in facts:
        if key not in _OF_CAPABILITY:
            raise unknown_argument(where, key, _OF_CAPABILITY)
    return Capability(
        codec=_text(facts, "codec", where) or CODECS[type_],
        url=_text(facts, "url", where).rstrip("/"),
        path=_text(facts, "path", where),
        auth=_text(facts, "auth", where),
        key_sets=_sets(facts, where) if "key_sets" in facts else (),
        headers=_string_table(facts, "headers", where),
        default_model=_text(facts, "model", where),
        models=_texts(facts, "models", where),
        options={**shared.get("options", {}), **_table(facts, "options", where)},
        parameters=(*shared.get("parameters", ()), *_texts(facts, "parameters", where)),
        when=tuple(_when(type_, facts, shared, where)),
        confidence=_confidence(_text(facts, "confidence", where), where),
        note=_text(facts, "note", where),
    )


def _when(type_: str, facts: Mapping[str, Any], shared: Mapping[str, Any], where: str) -> Iterator[tuple[tuple[str, ...], Capability]]:
    rules = facts.get("when", ())
    if not isinstance(rules, list | tuple) or not all(isinstance(rule, Mapping) for rule in rules):
        raise _wrong(where, "when", rules, "tables with like = [patterns] and what holds for these models")
    plain = {key: value for key, value in facts.items() if key != "when"}
    for rule in rules:
        different = {key: value for key, value in rule.items() if key != "like"}
        options = different.get("options", plain.get("options", {}))  # another form has options of its own
        yield _texts(rule, "like", where), _capability(type_, {**plain, **different, "options": options}, shared, f"{where}, when")


def _place(value: Any, where: str) -> Place:
    if not isinstance(value, Mapping):
        raise _wrong(where, "places", value, "a table with variables, default and example")
    for key in value:
        if key not in ("variables", "default", "example"):
            raise unknown_argument(f"{where}, places", key, ("variables", "default", "example"))
    return Place(_texts(value, "variables", where), _text(value, "default", where), _text(value, "example", where))


def _sets(facts: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], ...]:
    value = facts["key_sets"]
    if not isinstance(value, list | tuple) or not all(isinstance(s, list | tuple) for s in value):
        raise _wrong(where, "key_sets", value, "a list of lists of parts")
    return tuple(tuple(str(part) for part in parts) for parts in value)


def _text(facts: Mapping[str, Any], key: str, where: str) -> str:
    value = facts.get(key, "")
    if not isinstance(value, str):
        raise _wrong(where, key, value, "a text")
    return value


def _number(facts: Mapping[str, Any], key: str, default: int, where: str) -> int:
    value = facts.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(where, key, value, "a whole number")
    return value


def _texts(facts: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = facts.get(key, ())
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise _wrong(where, key, value, "a list of texts")
    return tuple(value)


def _table(facts: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = facts.get(key, {})
    if not isinstance(value, Mapping):
        raise _wrong(where, key, value, "a table")
    return dict(value)


def _string_table(facts: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    return {name: str(value) for name, value in _table(facts, key, where).items()}


def _confidence(value: str, where: str) -> Confidence:
    known: tuple[Confidence, ...] = get_args(Confidence)
    for confidence in known:
        if value == confidence:
            return confidence
    if value:
        raise _wrong(where, "confidence", value, f"one of {', '.join(known)}")
    return "documented"


def _wrong(where: str, key: str, value: Any, wanted: str) -> ArgumentError:
    return ArgumentError(f"{where}: {key} cannot be {value!r}.", "", f"Give {wanted}.")
