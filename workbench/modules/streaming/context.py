"""Which call a piece of text belongs to: a listener carried by a context variable, so that two streams never mix.

Knows neither modules nor who reads the pieces.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any, Protocol

from ...core.events import Piece


class Closable(Protocol):
    def close(self) -> None: ...


class Listener:
    """Takes the pieces of everything that streams inside one call.

    Parameters
    ----------
    root : object
        What was called. It streams here even when it was not told to stream; what runs inside it only when told.
    """

    def __init__(self, root: object) -> None:
        self.root = root
        self.traces: list[Any] = []
        self._open: set[Closable] = set()
        self._lock = threading.Lock()
        self.closed = False

    def put(self, piece: Piece) -> None:
        """One piece came."""
        raise NotImplementedError

    def opened(self, stream: Closable) -> None:
        """A stream was opened; it is closed at once when the reader is gone already."""
        with self._lock:
            if not self.closed:
                self._open.add(stream)
                return
        stream.close()

    def ended(self, stream: Closable, answer: int = 0) -> None:
        """A stream came to its end: the answer whose pieces had this number."""
        with self._lock:
            self._open.discard(stream)

    def close(self) -> None:
        """The reader is gone: close every stream, which aborts the requests upstream."""
        with self._lock:
            self.closed = True
            streams, self._open = self._open, set()
        for stream in streams:
            stream.close()


listener: ContextVar[Listener | None] = ContextVar("workbench_listener", default=None)
