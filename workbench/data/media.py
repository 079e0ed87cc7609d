"""Pictures, sounds and files from whatever a user has, and the parts of a message they become.

Takes paths, addresses, bytes, PIL images, matplotlib figures and arrays by what these objects can do: none of those
packages is imported here. Fetches nothing: an address stays an address. Wire formats beyond OpenAI's content parts are
`workbench.dialects`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..callable_module import callable_module
from ..core.media import Kind, Media, kind_of, mime_of_name, of_bytes, of_data_url
from ..core.sizes import size
from ..errors import DataError
from .arrays import png, samples_of, wav

__all__ = ["LIMIT", "content_part", "content_parts", "media", "wav"]

LIMIT = 512 * 2**20  # bytes of one file: it is held in memory and travels in a message
_FORMS = "Give a path, an http(s) or data: address, bytes, a PIL image, a matplotlib figure, or (array, samples a second) for sound."
_FORMATS = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/flac": "flac", "audio/ogg": "ogg", "audio/opus": "opus", "audio/mp4": "m4a"}
_TEXTS = ("application/json", "application/jsonl", "application/xml", "application/x-yaml", "application/toml", "application/x-sh")


def media(value: Any, kind: Kind | None = None) -> Media:
    """One file as a value.

    Parameters
    ----------
    value : str, Path, bytes, file object, PIL image, matplotlib figure, array, tuple or Media
        A path; an address (``http:``, ``https:``, ``file:``, ``data:``), which is not fetched; the content itself; an open
        file; a picture as an array of shape (height, width[, 3 or 4]); a sound as (samples, samples a second), samples of
        shape (n,), (n, channels) or (channels, n), floats in -1 … 1 or integers; anything with a ``media`` attribute.
    kind : str, optional
        ``image``, ``audio``, ``video`` or ``file``, where an address does not tell; ``image`` when that is missing, too.

    Returns
    -------
    Media

    Raises
    ------
    DataError
        When there is no such file, it is empty or too large, or the value is of another kind.
    """
    found = _media(value, kind)
    if found.url:
        return found
    if not found.data:
        raise DataError(f"{_shown(value)} is empty.", "A file without content says nothing to a model.", "Check where it comes from.")
    if len(found.data) > LIMIT:
        raise DataError(f"{_shown(value)} is too large.", f"It has {size(len(found.data))}; {size(LIMIT)} is the most.", "Cut it.")
    return found


def _media(value: Any, kind: Kind | None) -> Media:
    if isinstance(value, Media):
        return value
    ready = getattr(value, "media", None)
    if isinstance(ready, Media):
        return ready
    if isinstance(value, str | os.PathLike):
        return _of_text(os.fspath(value), kind)
    if isinstance(value, bytes | bytearray | memoryview):
        return of_bytes(bytes(value))
    if isinstance(value, tuple | list) and len(value) == 2:
        return _of_sound(value)
    if callable(getattr(value, "read", None)):
        name = getattr(value, "name", "")
        content = value.read(LIMIT + 1)
        if isinstance(content, str):
            content = content.encode()
        return of_bytes(content, "", Path(name).name if isinstance(name, str) else "")
    picture = _of_picture(value)
    if picture is None:
        raise DataError(f"{_shown(value)} is no file that a model can read.", f"It is a {type(value).__name__}.", _FORMS)
    return picture


def _of_text(text: str | bytes, kind: Kind | None) -> Media:
    text = os.fsdecode(text)
    if text[:5].lower() == "data:":
        try:
            return of_data_url(text)
        except ValueError as e:
            raise DataError(f"The address {text[:40]!r}… cannot be read.", str(e), "It has the form data:image/png;base64,….") from None
    scheme = text.partition(":")[0].lower()
    if scheme in ("http", "https"):
        name = unquote(urlsplit(text).path.rpartition("/")[2])
        mime = mime_of_name(name)
        return Media(
            kind or (kind_of(mime) if mime else "image"),
            mime or {"audio": "audio/wav", "video": "video/mp4"}.get(kind or "", "image/png"),
            b"",
            text,
            name,
        )
    if scheme == "file":
        text = unquote(urlsplit(text).path)
    path = Path(text).expanduser()
    try:
        if path.stat().st_size > LIMIT:
            raise DataError(f"{path} is too large.", f"It has {size(path.stat().st_size)}; {size(LIMIT)} is the most.", "Cut it.")
        return of_bytes(path.read_bytes(), "", path.name)
    except (OSError, ValueError) as e:  # a text that cannot be a path is none
        shown = text if len(text) < 200 else f"{text[:80]}…"
        cause = getattr(e, "strerror", None) or str(e)
        raise DataError(f"The file {shown!r} cannot be read.", f"{cause}.", f"Check the path; it is looked for from {Path.cwd()}.") from None


def _of_sound(pair: Any) -> Media:
    first, second = pair
    samples, rate = (first, second) if not isinstance(first, int) else (second, first)
    if hasattr(rate, "item"):
        rate = rate.item()
    if not isinstance(rate, int | float) or rate <= 0 or isinstance(rate, bool):
        raise DataError(
            "A sound as an array needs its samples a second.", f"{type(rate).__name__} {rate!r} is no such number.", "Give (samples, 16000)."
        )
    return Media("audio", "audio/wav", wav(*samples_of(samples), int(rate)), "", "audio.wav")


def _of_picture(value: Any) -> Media | None:
    if not callable(getattr(value, "savefig", None)) and callable(getattr(getattr(value, "figure", None), "savefig", None)):
        value = value.figure  # an Axes
    out = io.BytesIO()
    if callable(getattr(value, "savefig", None)):
        value.savefig(out, format="png", bbox_inches="tight")
    elif callable(getattr(value, "save", None)) and hasattr(value, "mode") and hasattr(value, "size"):
        picture = value if value.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else value.convert("RGB")
        picture.save(out, format="PNG")
    elif callable(getattr(value, "_repr_png_", None)):
        drawn = value._repr_png_()
        out.write(drawn[0] if isinstance(drawn, tuple) else drawn or b"")
    elif isinstance(getattr(value, "data", None), bytes):  # IPython.display.Image, Audio
        return of_bytes(value.data)
    elif hasattr(value, "shape") and hasattr(value, "dtype"):
        return Media("image", "image/png", png(value), "", "image.png")
    else:
        return None
    return Media("image", "image/png", out.getvalue(), "", "image.png")


def content_part(file: Media) -> dict[str, Any]:
    """A file as a part of a message, in OpenAI's content-part form
    (https://platform.openai.com/docs/api-reference/chat/create).

    Pictures become ``image_url``, sounds ``input_audio`` (whose data is the address where only that is known, as Qwen
    takes it), videos ``video_url`` (as Qwen, Doubao and vLLM take them), texts a ``text``, other files ``file``.
    """
    if file.kind == "image":
        return {"type": "image_url", "image_url": {"url": file.address}}
    if file.kind == "audio":
        return {
            "type": "input_audio",
            "input_audio": {"data": file.base64 if file.data else file.url, "format": _FORMATS.get(file.mime, file.suffix)},
        }
    if file.kind == "video":
        return {"type": "video_url", "video_url": {"url": file.address}}
    if file.data and (file.mime.startswith("text/") or file.mime in _TEXTS):
        return {"type": "text", "text": f"{file.file_name}:\n{file.data.decode('utf-8', 'replace')}"}
    if not file.data:
        raise DataError(
            f"{file.url} cannot be sent as an address.", f"Models take pictures by their address, no {file.mime}.", "Download it and give the file."
        )
    return {"type": "file", "file": {"filename": file.file_name, "file_data": file.data_url}}


def content_parts(text: str, files: Any) -> tuple[Mapping[str, Any], ...]:
    """A text and its files as the content of one message: the text first, empty texts left out."""
    many = files if isinstance(files, list | tuple) and not _is_sound(files) else [files]
    parts = [content_part(media(f)) for f in many if f is not None]
    return (*([{"type": "text", "text": text}] if text else []), *parts)


def _is_sound(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and any(isinstance(v, int) and not isinstance(v, bool) for v in value)


def _shown(value: Any) -> str:
    if isinstance(value, str | os.PathLike):
        text = os.fsdecode(os.fspath(value))
        return text if len(text) < 120 else f"{text[:60]}…"
    return f"The {type(value).__name__}"


callable_module(__name__)
