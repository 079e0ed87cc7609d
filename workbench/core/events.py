"""What a dialect makes of a streamed answer, and the pieces a user iterates over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .messages import FinishReason, Usage

Tag = Literal["text", "think", "tool"]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Some text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """Some text of the reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A fragment of a tool call; fragments of one call share ``index``."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The endpoint's own count."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer ended."""

    reason: FinishReason


@dataclass(frozen=True, slots=True)
class Metadata:
    """Which model answered, and the request's id."""

    model: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ErrorInStream:
    """The endpoint reported an error in the middle of a stream.

    ``body`` is what the dialect's ``error`` reads, as if it had been the answer, with the HTTP status that would fit.
    """

    message: str
    code: str = ""
    status: int = field(default=0, compare=False)
    body: str = field(default="", compare=False, repr=False)


StreamEvent = TextDelta | ReasoningDelta | ToolCallDelta | UsageReport | Finish | Metadata | ErrorInStream


class Piece(str):
    """Some streamed text: a string that also says what kind of text it is.

    ``piece.tag`` is ``text``, ``think`` or ``tool``; ``piece['tag']`` and ``piece['delta']`` work as well, because
    people have code for both forms.
    """

    tag: Tag
    __slots__ = ("tag",)

    def __new__(cls, text: str, tag: Tag = "text") -> Piece:
        self = str.__new__(cls, text)
        self.tag = tag
        return self

    def __getitem__(self, key: object) -> str:
        if key == "delta":
            return str(self)
        if key == "tag":
            return self.tag
        return str.__getitem__(self, key)  # type: ignore[index]  # str itself refuses other keys
