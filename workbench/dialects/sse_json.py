"""Lines of an answer → JSON objects: server-sent events whose data is JSON, or one plain JSON answer. Shared by the decoders.

Framing: https://html.spec.whatwg.org/multipage/server-sent-events.html. Event names, ids and comments say nothing that the data
does not. Does not know what the objects mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..core.events import UNREADABLE, ErrorInStream, StreamEvent


class SseJson:
    """The base of decoders: gives each object to `_object`, and never lets a strange one break the reading."""

    def __init__(self) -> None:
        self.done = False
        self._whole: list[str] | None = None  # the lines of a plain JSON answer
        self._began = False

    def feed(self, line: str) -> Iterable[StreamEvent]:
        """The events of one line (without its end)."""
        if line.startswith("data:"):
            if self._whole is None:
                self._began = True
                return self._data(line[5:].strip())
        elif not self._began and self._whole is None and line.lstrip()[:1] in ("{", "["):
            self._whole = []
        elif line.startswith("error:") and self._whole is None:  # older llama.cpp servers
            return self._data(f'{{"error": {line[6:]}}}')
        if self._whole is not None:
            self._whole.append(line)
        return ()

    def close(self) -> Iterable[StreamEvent]:
        """What is left when the connection has ended: a plain JSON answer, and what was kept."""
        if self._whole is None:
            return self._ended()
        text, self._whole = "\n".join(self._whole), None
        return [*self._data(text), *self._ended()]

    def _data(self, text: str) -> Iterable[StreamEvent]:
        if text == "[DONE]":
            self.done = True
            return self._ended()
        if not text:
            return ()
        try:
            found = json.loads(text)
        except ValueError:
            return (ErrorInStream(f"The server sent something that is not JSON: {text[:200]}", UNREADABLE, body=text),)
        quick = self._quick(found) if type(found) is dict else None
        if quick is not None:
            return quick
        objects = found if isinstance(found, list) else [found]
        try:
            if not all(isinstance(o, dict) for o in objects):
                return (ErrorInStream(f"The server sent something that is not an object: {text[:200]}", UNREADABLE, body=text),)
            return [e for o in objects for e in self._object(o)]
        except (AttributeError, TypeError, ValueError, KeyError, IndexError):
            return (ErrorInStream(f"The server sent an object of another form: {text[:200]}", UNREADABLE, body=text),)

    def _quick(self, d: dict[str, Any]) -> Iterable[StreamEvent] | None:
        """The events of an object of the kind that nearly all are, where that is told at a glance; it must not raise."""
        return None

    def _object(self, d: dict[str, Any]) -> Iterable[StreamEvent]:
        """The events of one object."""
        raise NotImplementedError

    def _ended(self) -> Iterable[StreamEvent]:
        """What is told at the end."""
        return ()
