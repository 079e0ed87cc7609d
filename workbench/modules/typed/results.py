"""Sounds and pictures as a model's answer: what a call returns, what a notebook shows and plays, and how they are saved.

Each is a ``str`` as well, an encoded query (``<lazyllm-query>{…}``) that names the file it lies in, so that it can be given on to
whatever takes text with files. Knows no model and no request.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from ...core.media import Media, size_of
from ...core.messages import Usage
from ...core.sizes import size
from ...settings import settings

MARK = "<lazyllm-query>"
_HEIGHT = 480  # pixels of a picture on screen at the most: one fits beside the cell that made it


def keep(file: Media) -> Path:
    """Write a file under the home's ``outputs`` and return its place; equal content lies there once."""
    name = f"{file.kind}-{hashlib.sha256(file.data).hexdigest()[:12]}.{file.suffix}"
    try:
        path = settings().folder("outputs") / name
        _write(path, file.data)
    except OSError:  # a home that cannot be written is no reason to lose an answer that was paid for
        path = Path(tempfile.mkdtemp(prefix="workbench-")) / name
        path.write_bytes(file.data)
    return path


def encoded(paths: Sequence[Path], query: str = "") -> str:
    """The encoded query that names these files."""
    return MARK + json.dumps({"query": query, "files": [str(p) for p in paths]}, ensure_ascii=False)


class Audio(str):
    """A sound that a model made. A notebook plays it.

    Attributes
    ----------
    data : bytes
        The file's content.
    mime : str
        Such as ``audio/mpeg``.
    path : Path
        Where it lies.
    sample_rate : int or None
        Samples a second, where the file tells.
    usage : Usage
        Tokens of the call.
    model : str

    Examples
    --------
    >>> spoken = m('Good morning!')
    >>> spoken.save('morning.mp3')
    """

    media: Media
    path: Path
    usage: Usage
    model: str
    __slots__ = ("media", "model", "path", "usage")

    def __new__(cls, media: Media, usage: Usage | None = None, model: str = "", path: Path | None = None) -> Audio:
        place = path or keep(media)
        self = str.__new__(cls, encoded([place]))
        self.media, self.path, self.usage, self.model = media, place, usage or Usage(), model
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:  # copies and pickles keep what is not text
        return (self.media, self.usage, self.model, self.path)

    @property
    def data(self) -> bytes:
        """The file's content."""
        return self.media.data

    @property
    def mime(self) -> str:
        """Such as ``audio/mpeg``."""
        return self.media.mime

    @property
    def sample_rate(self) -> int | None:
        """Samples a second of a WAV file; None for other formats."""
        return struct.unpack_from("<I", self.data, 24)[0] if self._is_wav else None

    @property
    def duration(self) -> float | None:
        """Seconds, for a WAV file; None for other formats."""
        rate = struct.unpack_from("<I", self.data, 28)[0] if self._is_wav else 0
        return (len(self.data) - 44) / rate if rate else None

    @property
    def _is_wav(self) -> bool:
        return self.mime == "audio/wav" and len(self.data) >= 44

    def encoded(self) -> str:
        """The encoded query as a plain ``str``."""
        return str.__str__(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, or into a folder under a free name, and return its place."""
        place = Path(path).expanduser()
        if place.is_dir() or str(path).endswith(("/", os.sep)):
            place = free(place, "speech", self.media.suffix)
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, self.data)
        return place.absolute()

    def __repr__(self) -> str:
        seconds = f", {self.duration:.1f} s" if self.duration else ""
        return f"<Audio {self.mime}{seconds}, {size(len(self.data))}, {self.path}>"

    def _repr_html_(self) -> str:
        return f'<audio controls preload="metadata" style="width: 100%; max-width: 30em" src="{self.media.data_url}"></audio>'


class Image:
    """One picture. A notebook shows it."""

    def __init__(self, media: Media, path: Path) -> None:
        self.media, self.path = media, path

    @property
    def data(self) -> bytes:
        """The file's content."""
        return self.media.data

    @property
    def mime(self) -> str:
        """Such as ``image/png``."""
        return self.media.mime

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels, of a PNG or JPEG; None for other formats."""
        return size_of(self.data)

    def pil(self) -> Any:
        """The picture as a ``PIL.Image.Image``. Raises ImportError where Pillow is not installed."""
        import io

        try:
            from PIL import Image as pil
        except ImportError:
            raise ImportError("Pillow is not installed. Install it with: pip install pillow") from None
        return pil.open(io.BytesIO(self.data))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, or into a folder under a free name, and return its place."""
        place = Path(path).expanduser()
        if place.is_dir() or str(path).endswith(("/", os.sep)):
            place = free(place, "image", self.media.suffix)
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, self.data)
        return place.absolute()

    def __repr__(self) -> str:
        return f"<Image {self.mime}, {size(len(self.data))}, {self.path}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        shown = {"text/plain": repr(self)}
        if self.mime not in ("image/png", "image/jpeg"):
            return {**shown, "text/html": self._tag()}, {}
        width, height = self.size or (0, 0)
        smaller = min(_HEIGHT / height, 1.0) if height else 1.0
        drawn = {"width": round(width * smaller)} if smaller < 1 else {}  # without a height a narrow page keeps the shape
        return {**shown, self.mime: self.media.base64}, {self.mime: drawn} if drawn else {}

    def _tag(self) -> str:
        name = html.escape(self.path.name, quote=True)
        return f'<img alt="{name}" style="max-width: 100%; max-height: {_HEIGHT}px" src="{self.media.data_url}">'


class Images(str):
    """The pictures that a model made: a sequence of `Image`. A notebook shows them.

    Attributes
    ----------
    images : tuple of Image
        The same as a tuple.
    text : str
        What the model said beside them, such as the prompt as it understood it.
    usage : Usage
        Tokens of the call.
    model : str

    Examples
    --------
    >>> made = m('a cat', n=2)
    >>> made[0].pil().size, made.save('cats')
    """

    images: tuple[Image, ...]
    text: str
    usage: Usage
    model: str
    __slots__ = ("images", "model", "text", "usage")

    def __new__(cls, files: Sequence[Media], usage: Usage | None = None, model: str = "", text: str = "", paths: Sequence[Path] = ()) -> Images:
        places = list(paths) or [keep(f) for f in files]
        self = str.__new__(cls, encoded(places))
        self.images = tuple(Image(f, p) for f, p in zip(files, places, strict=True))
        self.usage, self.model, self.text = usage or Usage(), model, text
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return ([i.media for i in self.images], self.usage, self.model, self.text, [i.path for i in self.images])

    def __len__(self) -> int:
        return len(self.images)

    def __bool__(self) -> bool:
        return bool(self.images)

    def __iter__(self) -> Iterator[Image]:  # type: ignore[override]  # a sequence of pictures before it is a text
        return iter(self.images)

    @overload  # type: ignore[override]
    def __getitem__(self, key: int) -> Image: ...
    @overload
    def __getitem__(self, key: slice) -> list[Image]: ...
    def __getitem__(self, key: int | slice) -> Image | list[Image]:
        return list(self.images[key]) if isinstance(key, slice) else self.images[key]

    def __str__(self) -> str:
        return self.encoded()

    @property
    def paths(self) -> list[Path]:
        """Where the pictures lie."""
        return [i.path for i in self.images]

    def encoded(self) -> str:
        """The encoded query as a plain ``str``."""
        return str.__str__(self)

    def pil(self) -> Any:
        """The picture as a ``PIL.Image.Image``; a list of them when there are several."""
        return self.images[0].pil() if len(self.images) == 1 else [i.pil() for i in self.images]

    def save(self, folder: str | os.PathLike[str], name: str = "image") -> list[Path]:
        """Write them into a folder, each under a name that is free there, and return their places."""
        place = Path(folder).expanduser()
        place.mkdir(parents=True, exist_ok=True)
        saved = []
        for image in self.images:
            path = free(place, name, image.media.suffix)
            _write(path, image.data)
            saved.append(path.absolute())
        return saved

    def __repr__(self) -> str:
        return f"<Images {', '.join(map(repr, self.images))}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        if len(self.images) == 1:
            return self.images[0]._repr_mimebundle_()
        grid = "display: grid; grid-template-columns: repeat(auto-fill, minmax(12em, 1fr)); gap: 0.5em; align-items: start"
        return {"text/plain": repr(self), "text/html": f'<div style="{grid}">{"".join(i._tag() for i in self.images)}</div>'}, {}


def free(folder: Path, name: str, suffix: str) -> Path:
    """A path in the folder that nothing has: ``name-1.png``, ``name-2.png``, …"""
    number = 1
    while (path := folder / f"{name}-{number}.{suffix}").exists():
        number += 1
    return path


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.draft")
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
