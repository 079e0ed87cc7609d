"""What is asked of models that do not chat, and what they give: vectors, rankings, transcripts, files.

Independent of any wire format. A codec (`workbench.dialects`, registry group ``codec``) turns these requests into HTTP and
answers into these results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .media import Media
from .messages import Usage

Item = str | Media | Mapping[str, str | Media]  # a text, a file, or several under the names text, image, audio, video


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Vectors for each of ``inputs``."""

    inputs: tuple[Item, ...]
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """The order of ``documents`` for a query; ``top_n`` None means all of them."""

    query: Item
    documents: tuple[Item, ...]
    top_n: int | None = None
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """The text of what is said."""

    audio: Media
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """A text to say. ``stream`` asks for the sound in pieces."""

    text: str
    voice: str = ""
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """Pictures of a prompt; with ``images`` these are edited, where ``mask`` is transparent when there is one."""

    prompt: str
    images: tuple[Media, ...] = ()
    mask: Media | None = None
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vectors:
    """One vector for each input, in their order."""

    vectors: tuple[Any, ...]
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """(index of the document, score), the best first."""

    pairs: tuple[tuple[int, float], ...]
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said; ``details`` is the vendor's whole answer where it gave more than the text."""

    text: str
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    request_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Files:
    """Sounds or pictures. One with a ``url`` and no ``data`` has still to be fetched.

    ``sample_rate`` is in samples a second, 0 when unknown. ``text`` is what the model said beside them.
    """

    media: tuple[Media, ...]
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    request_id: str = ""
    sample_rate: int = 0
    text: str = ""
