"""A picture, a sound or another file as a value: its bytes or its address, and what kind of thing it is.

Knows the first bytes of the usual formats. Reads no file and asks no server; `workbench.data.media` makes these values
from whatever a user has.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "audio", "video", "file"]

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_FTYP = {b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"avif": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"qt  ": "video/quicktime"}
_SAME = {
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/mp4a-latm": "audio/mp4",
    "image/jpg": "image/jpeg",
}
_SUFFIXES = {
    "image/jpeg": "jpg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/wav": "wav",
    "audio/pcm": "pcm",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/aac": "aac",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "image/avif": "avif",
    "video/quicktime": "mov",
    "text/plain": "txt",
}
_MIMES = {suffix: mime for mime, suffix in _SUFFIXES.items()} | {"flac": "audio/flac", "amr": "audio/amr", "jsonl": "application/jsonl"}


@dataclass(frozen=True, slots=True, repr=False)
class Media:
    """One file.

    Attributes
    ----------
    kind : str
        ``image``, ``audio``, ``video`` or ``file``.
    mime : str
        Such as ``image/png``.
    data : bytes
        Its content; empty when only its address is known.
    url : str
        Its address, http or https, where it has one.
    name : str
        A file name, for what is sent as a form.
    """

    kind: Kind
    mime: str
    data: bytes = b""
    url: str = ""
    name: str = ""

    @property
    def base64(self) -> str:
        """The content in base64."""
        return base64.b64encode(self.data).decode("ascii")

    @property
    def data_url(self) -> str:
        """The content as a ``data:`` address."""
        return f"data:{self.mime};base64,{self.base64}"

    @property
    def address(self) -> str:
        """Its URL, or its content as a ``data:`` address when it has none."""
        return self.url or self.data_url

    @property
    def suffix(self) -> str:
        """The usual end of a file name, without the dot, such as ``png``."""
        return suffix_of(self.mime)

    @property
    def file_name(self) -> str:
        """`name`, or one made of the kind and the suffix."""
        return self.name or f"{self.kind}.{self.suffix}"

    def __repr__(self) -> str:
        size = f"{len(self.data)} bytes" if self.data else self.url
        return f"<Media {self.mime}, {size}>"


def mime_of(data: bytes, name: str = "") -> str:
    """What the bytes are by their beginning, else by the name's suffix, else ``application/octet-stream``."""
    for start, mime in _MAGIC:
        if data.startswith(start):
            return mime
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], "application/octet-stream")
    if data[4:8] == b"ftyp":
        return _FTYP.get(data[8:12], "video/mp4")
    by_name = mime_of_name(name)
    if by_name:
        return by_name
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return "audio/aac"
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        return "audio/mpeg"
    if data.lstrip()[:5].lower() in (b"<svg ", b"<?xml") and b"<svg" in data[:1000]:
        return "image/svg+xml"
    return "application/octet-stream"


def mime_of_name(name: str) -> str:
    """What a file of that name is, by its suffix; empty when that does not tell."""
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    return _MIMES.get(suffix) or clean_mime(mimetypes.guess_type(f"x.{suffix}")[0] or "") if suffix else ""


def clean_mime(value: str) -> str:
    """A content type without its parameters and under its usual name: ``audio/x-wav; rate=1`` is ``audio/wav``."""
    mime = value.partition(";")[0].strip().lower()
    return _SAME.get(mime, mime)


def kind_of(mime: str) -> Kind:
    """``image``, ``audio``, ``video`` or ``file``."""
    first = mime.partition("/")[0]
    return first if first in ("image", "audio", "video") else "file"  # type: ignore[return-value]  # the test narrows it


def suffix_of(mime: str) -> str:
    """The usual suffix of a mime type, without the dot; ``bin`` when there is none."""
    mime = clean_mime(mime)
    return _SUFFIXES.get(mime) or (mimetypes.guess_extension(mime) or ".bin")[1:]


def of_bytes(data: bytes, mime: str = "", name: str = "") -> Media:
    """A file of these bytes; the mime type is looked for in them unless it is given and says something."""
    mime = clean_mime(mime)
    if mime in ("", "application/octet-stream", "binary/octet-stream"):
        mime = mime_of(data, name)
    return Media(kind_of(mime), mime, data, "", name)


def of_data_url(text: str) -> Media:
    """A file from a ``data:`` address, in base64 or percent form.

    Raises
    ------
    ValueError
        When it is not one.
    """
    head, comma, body = text.partition(",")
    if not head.startswith("data:") or not comma:
        raise ValueError("It does not begin with data:…,")
    mime, *flags = head[5:].split(";")
    if "base64" in flags:
        try:
            data = base64.b64decode(body, validate=True)
        except binascii.Error as e:
            raise ValueError(f"Its base64 cannot be read: {e}") from None
    else:
        from urllib.parse import unquote_to_bytes

        data = unquote_to_bytes(body)
    return of_bytes(data, mime or "text/plain")


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG or JPEG by its head; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    at = 2
    while data.startswith(b"\xff\xd8") and at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame's head (ITU T.81, table B.1)
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + max(length, 2)
    return None
