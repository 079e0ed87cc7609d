"""Answers in an engine's own form: JSON objects, one a line or an event, which only the engine's decoder can read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.events import UNREADABLE, ErrorInStream, StreamEvent
from .openai_errors import message_of


class RawDecoder:
    """Lines of one answer → events. A subclass says what an object tells.

    Parameters
    ----------
    form : str
        Whose form it is, for errors: ``SGLang's form``.
    """

    def __init__(self, form: str) -> None:
        self.done = False
        self._form = form

    def feed(self, line: str) -> Iterator[StreamEvent]:
        """The events of one line."""
        text = line.removeprefix("data:").strip()
        if text and text != "[DONE]" and not line.startswith(":"):
            yield from self._object(text)

    def close(self) -> Iterable[StreamEvent]:
        """Nothing is held back."""
        return ()

    def _object(self, text: str) -> Iterator[StreamEvent]:
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, dict) and found.get("error"):
            yield ErrorInStream(message_of(found), "", 0, text)
        elif isinstance(found, dict) and (events := self._told(found)) is not None:
            yield from events
        else:
            yield ErrorInStream(f"The server sent something that is not in {self._form}: {text[:200]}", UNREADABLE, body=text)

    def _told(self, found: Mapping[str, Any]) -> Iterator[StreamEvent] | None:
        """The events of one object; None for one that is not in the form."""
        raise NotImplementedError
