"""What a user gives a model that does not chat, as codecs take it: texts, files, and several of them together. Knows no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.media import Kind, Media
from ...core.typed import Item
from ...data.media import media
from ...errors import ArgumentError
from .. import contents

_KINDS: dict[str, Kind] = {"image": "image", "audio": "audio", "video": "video"}


def files_of(input: Any, files: Any, others: Any) -> list[Any]:
    """The files of a call whose input may itself be one."""
    said, own = contents.split(input)
    if not own and said is not None and not (isinstance(said, str) and not said):
        own = contents.as_list(said)
    return contents.once(own, files, others)


def is_one(value: Any) -> bool:
    """Whether it is one input: not a list, and a tuple only where that is a sound, (samples, samples a second)."""
    return not isinstance(value, list | tuple) or (isinstance(value, tuple) and len(value) == 2 and any(isinstance(v, int) for v in value))


def item_of(value: Any, modality: str | None) -> Item:
    """One input as codecs take it, from a text, a file, or a dict of parts in our form or OpenAI's."""
    if isinstance(value, str):
        if value.startswith(contents.QUERY_MARK):
            said, files = contents.split(value)
            parts: dict[str, str | Media] = {"text": said} if said else {}
            for file in map(media, files):
                parts[file.kind] = file
            return parts
        if modality in _KINDS:
            return media(value, _KINDS[modality])
        return value
    if isinstance(value, Mapping):
        return _parts(value)
    if value is None or isinstance(value, int | float):
        raise ArgumentError(f"{value!r} is neither a text nor a file.", "", "Give a text, or a list of them: m(['a text', 'another']).")
    return media(value)


def _parts(value: Mapping[str, Any]) -> Item:
    kind = value.get("type")
    if kind == "text":
        return str(value["text"])
    if kind in ("image_url", "video_url"):
        inner = value[kind]
        return media(inner["url"] if isinstance(inner, Mapping) else inner, _KINDS[kind.removesuffix("_url")])
    return {str(k): v if k == "text" else media(v, _KINDS.get(k)) for k, v in value.items()}
