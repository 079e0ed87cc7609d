"""What tests of streamed dialects share: feeding bytes in any fragments. Not a test."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from workbench.core.events import ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta
from workbench.core.messages import Completion
from workbench.runtime.answering.channel import Channel
from workbench.runtime.answering.reader import Reader
from workbench.runtime.network.lines import LineSplitter


def decode(dialect: Any, *fragments: bytes) -> list[StreamEvent]:
    """The events of an answer that comes in these fragments, as the client feeds them."""
    decoder, events = dialect.decoder(), list[StreamEvent]()
    if dialect.reads == "bytes":
        for fragment in fragments:
            events += decoder.feed(fragment)
        return [*events, *decoder.close()]
    lines = LineSplitter()
    for fragment in fragments:
        for line in lines.feed(fragment):
            events += decoder.feed(line)
    for line in lines.close():
        events += decoder.feed(line)
    return [*events, *decoder.close()]


def cut(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The bytes in fragments that end at these places."""
    at = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(at)]


def merged(events: Iterable[StreamEvent]) -> list[StreamEvent]:
    """Neighbouring pieces of text as one."""
    out: list[StreamEvent] = []
    for e in events:
        if out and isinstance(e, TextDelta) and isinstance(out[-1], TextDelta):
            out[-1] = TextDelta(out[-1].text + e.text)
        elif out and isinstance(e, ReasoningDelta) and isinstance(out[-1], ReasoningDelta):
            out[-1] = ReasoningDelta(out[-1].text + e.text)
        else:
            out.append(e)
    return out


def completion(events: Sequence[StreamEvent]) -> Completion:
    """What a user gets of these events."""
    channel = Channel()
    reader = Reader(channel)
    reader.take(events)
    reader.close()
    return channel.completion()


def calls(events: Iterable[StreamEvent]) -> list[ToolCallDelta]:
    return [e for e in events if isinstance(e, ToolCallDelta)]


def sse(*chunks: Any, events: bool = False, end: str = "\n") -> bytes:
    """Server-sent events, with their names where the format has them."""
    out = ""
    for c in chunks:
        if isinstance(c, str):
            out += c + end
            continue
        if events:
            out += f"event: {c['type']}{end}"
        out += f"data: {json.dumps(c, ensure_ascii=False)}{end}{end}"
    return out.encode()
