"""What a dialect makes of a streamed answer, and the pieces a user iterates over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .messages import FinishReason, Usage

Tag = Literal["text", "think", "tool", "prefix", "suffix"]


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


UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ErrorInStream:
    """The endpoint reported an error in the middle of a stream.

    ``body`` is what the dialect's ``error`` reads, as if it had been the answer, with the HTTP status that would fit.
    """

    message: str
    code: str = ""  # UNREADABLE where it is not the endpoint's error but an answer that is not in the format
    status: int = field(default=0, compare=False)
    body: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Replay:
    """What the vendor wants back untouched with the next request; the dialect that made it reads it again."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Details:
    """What the endpoint told beside the text, such as the ``logprobs`` of its tokens; it becomes the completion's ``details``."""

    data: Mapping[str, Any]


StreamEvent = TextDelta | ReasoningDelta | ToolCallDelta | UsageReport | Finish | Metadata | Replay | Details | ErrorInStream


class Piece(str):
    """Some streamed text: a string that also says what kind of text it is, and who said it.

    ``piece.tag`` is ``text``, ``think`` or ``tool``; ``piece['tag']`` and ``piece['delta']`` work as well, because
    people have code for both forms. ``prefix`` and ``suffix`` are what the module was told to write around its answer.

    Attributes
    ----------
    tag : str
        What kind of text it is.
    source : str
        The name of the module that streams it; empty where only one can.
    color : str
        What the module was told to write it in; empty for none.
    answer : int
        Equal for the pieces of one answer, where several come at the same time; 0 where only one can.
    """

    tag: Tag
    source: str
    color: str
    answer: int
    __slots__ = ("answer", "color", "source", "tag")

    def __new__(cls, text: str, tag: Tag = "text", source: str = "", color: str = "", answer: int = 0) -> Piece:
        self = str.__new__(cls, text)
        self.tag, self.source, self.color, self.answer = tag, source, color, answer
        return self

    def __getitem__(self, key: object) -> str:
        if key == "delta":
            return str(self)
        if key in ("tag", "source", "color"):
            return str(getattr(self, str(key)))
        return str.__getitem__(self, key)  # type: ignore[index]  # str itself refuses other keys
