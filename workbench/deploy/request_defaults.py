"""Fields of requests for pictures and sound that a deployment can answer with when the caller gives none: names and values that can be meant.

Our own servers check them with every request (`workbench/runners`); here they are checked before anything starts. Data of the same
fields; a test compares the two. Generation parameters of engines that chat are `default_parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ArgumentError, unknown_argument

Bounds = tuple[float, float]
"""A number from the first to the second; whole where both are."""
Field = Bounds | tuple[str, ...] | type[str]

_TRANSCRIPTS = ("json", "text", "verbose_json", "srt", "vtt")
_PICTURES: dict[str, Field] = {
    "eta": (0.0, 1.0),
    "guidance_scale": (0.0, 100.0),
    "image_guidance_scale": (0.0, 100.0),
    "n": (1, 10),
    "negative_prompt": str,
    "num_inference_steps": (1, 500),
    "output_compression": (0, 100),
    "output_format": ("png", "jpeg", "webp"),
    "response_format": ("b64_json",),
    "seed": (0, 2**63 - 1),
    "size": str,
    "strength": (0.0, 1.0),
    "true_cfg_scale": (0.0, 100.0),
}
_SPEAKING: dict[str, Field] = {
    "max_tokens": (1, 100_000),
    "response_format": ("mp3", "wav", "pcm", "flac", "opus"),
    "seed": (0, 2**32 - 1),
    "speed": (0.25, 4.0),
    "voice": str,
}
FIELDS: dict[tuple[str, str], dict[str, Field]] = {
    ("diffusers", ""): _PICTURES,
    ("speech", "tts"): _SPEAKING,
    ("speech", "stt"): {"language": str, "prompt": str, "response_format": _TRANSCRIPTS, "temperature": (0.0, 1.0)},
    ("sensevoice", ""): {"language": str, "response_format": _TRANSCRIPTS},
}
"""Engine, and type where that matters → field → what it may be."""
SAME = {"steps": "num_inference_steps", "guidance": "guidance_scale"}
"""Other names that the servers take."""


def fields(engine: str, type: str = "") -> dict[str, tuple[Field, ...]]:
    """What an engine can be given: field → what it may be, in each of its types where the type is not known. Empty for other engines."""
    found: dict[str, tuple[Field, ...]] = {}
    for (name, of), some in FIELDS.items():
        if name == engine and (not type or of in ("", type)):
            found |= {field: (*found.get(field, ()), may) for field, may in some.items()}
    return found


def checked(engine: str, defaults: Mapping[str, Any], type: str = "") -> dict[str, Any]:
    """The fields under one name each, with values that can be meant.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest, and for a value that no request may have.
    """
    known, out = fields(engine, type), dict[str, Any]()
    aliases = {other: name for other, name in SAME.items() if name in known}
    for name, value in defaults.items():
        plain = aliases.get(name, name)
        if plain not in known:
            raise unknown_argument("defaults", name, {*known, *aliases})
        if plain in out:
            raise ArgumentError(f"defaults has {plain} twice.", f"{name} is another name for it.", "Give one of them.")
        if value is not None:
            wrong = [_wrong(may, value) for may in known[plain]]
            if all(wrong):
                raise ArgumentError(f"The default {name} cannot be {value!r}.", "", f"Give {' or '.join(filter(None, wrong))}.")
            out[plain] = value
    return out


def _wrong(field: Field, value: Any) -> str:
    """What has to be given instead; empty where the value is that."""
    if isinstance(field, type):
        return "" if isinstance(value, str) else "a text"
    low, high = field[0], field[-1]
    if isinstance(low, str) or isinstance(high, str):
        return "" if value in field else f"one of: {', '.join(str(f) for f in field)}"
    whole = isinstance(low, int)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high and (not whole or value == int(value))
    if fits:
        return ""
    return f"a {'whole ' if whole else ''}number from {low:g}" + (f" to {high:g}" if high < 2**31 else "")
