"""A dialect's events → the pieces a user reads and the facts about the whole answer. Does no input or output."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.events import Details, ErrorInStream, Finish, Metadata, Piece, ReasoningDelta, Replay, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from .channel import Channel
from .thinking import ThinkSplitter


class Reported(Exception):
    """The endpoint reported an error in the middle of its answer."""

    def __init__(self, event: ErrorInStream) -> None:
        super().__init__(event.message)
        self.event = event


class Reader:
    """Fills one channel from one answer's events."""

    def __init__(self, channel: Channel) -> None:
        self.channel, self.splitter = channel, ThinkSplitter()

    def take(self, events: Iterable[StreamEvent]) -> None:
        """Put down what the events tell, and hand all their text over at once. Raises `Reported` for an error among them."""
        channel, pieces = self.channel, list[Piece]()
        for e in events:
            kind = type(e)
            if kind is TextDelta:
                self._text(self.splitter.feed(e.text), pieces)  # type: ignore[union-attr]  # told by kind, which is faster
            elif kind is ReasoningDelta:
                channel.reasoning.append(e.text)  # type: ignore[union-attr]
                pieces.append(Piece(e.text, "think"))  # type: ignore[union-attr]
            else:
                self._other(e, pieces)
        if pieces:
            channel.push(pieces)

    def close(self) -> None:
        """The answer ended: hand over what was held back."""
        pieces = list[Piece]()
        self._text(self.splitter.close(), pieces)
        if pieces:
            self.channel.push(pieces)

    def _text(self, parts: Iterable[tuple[str, str]], pieces: list[Piece]) -> None:
        for text, tag in parts:
            if tag == "text":
                self.channel.texts.append(text)
                pieces.append(Piece(text))
            else:
                self.channel.reasoning.append(text)
                pieces.append(Piece(text, "think"))

    def _other(self, e: StreamEvent, pieces: list[Piece]) -> None:
        channel = self.channel
        if isinstance(e, ToolCallDelta):
            call = channel.calls.setdefault(e.index, ["", ""])
            call[0], call[1] = call[0] or e.id, call[1] or e.name
            call.append(e.arguments)
            pieces.extend(Piece(t, "tool") for t in (e.name, e.arguments) if t)
        elif isinstance(e, UsageReport):
            channel.usage = e.usage
        elif isinstance(e, Finish):
            channel.finish = e.reason
        elif isinstance(e, Metadata):
            channel.model, channel.request_id = e.model or channel.model, e.request_id or channel.request_id
        elif isinstance(e, Replay):
            channel.replay = e.data
        elif isinstance(e, Details):
            channel.details = e.data
        elif isinstance(e, ErrorInStream):
            if pieces:
                channel.push(pieces)
            raise Reported(e)
