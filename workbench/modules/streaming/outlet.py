"""Where the pieces of one answer go: to the `StreamCallHelper` call they are made in, to the screen, or nowhere. Knows neither
models nor requests.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import TracebackType

from ...core.events import Piece
from ...flows.group import current
from .context import Closable, Listener, listener
from .printing import Printer, StreamOption

_numbers = itertools.count(1)


class Nothing:
    """Stands for the stream where there is none: what a module says of its own."""

    def close(self) -> None:
        pass


class Outlet:
    """The way out for one answer, for as long as it comes.

    Parameters
    ----------
    module : object
        What answers.
    name : str
        What people see of it.
    option : bool or dict
        What it was told about streaming.
    stream : object
        What is closed when the reader goes.

    Attributes
    ----------
    put : callable or None
        Takes each piece; None where nobody wants pieces.
    """

    def __init__(self, module: object, name: str, option: StreamOption, stream: Closable) -> None:
        self._name, self._stream = name, stream
        self._look: Mapping[str, str] = option if isinstance(option, Mapping) else {}
        self._colour = self._look.get("color") or ""
        self._answer = next(_numbers)
        self._printer: Printer | None = None
        self._begun = False
        self.put: Callable[[Piece], None] | None = None
        self._member = current.get()
        if self._member is not None:
            self._member.hold(self)
        self._heard: Listener | None = listener.get()
        if self._heard is not None:
            if option or self._heard.root is module:
                self.put = self._tell
            self._heard.opened(stream)
        elif option:
            self._printer = Printer(option)
            self.put = self._printer.put

    def _tell(self, piece: Piece) -> None:
        assert self._heard is not None
        if not self._begun:
            self._begun = True
            self._edge("prefix")
        piece.source, piece.color, piece.answer = self._name, self._colour, self._answer
        self._heard.put(piece)

    def _edge(self, which: str) -> None:
        text = self._look.get(which)
        if text and self._heard is not None:
            self._heard.put(Piece(text, which, self._name, self._look.get(f"{which}_color") or "", self._answer))  # type: ignore[arg-type]  # prefix or suffix

    def cancel(self) -> None:
        """Another branch of the flow failed, or the flow was interrupted: nobody waits for the answer any more."""
        self._stream.close()

    def __enter__(self) -> Outlet:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._member is not None:
            self._member.release(self)
        if kind is not None:
            self._stream.close()  # an interrupt, or what takes the pieces failed: nobody reads the rest
        if self._printer is not None:
            self._printer.end()
        if self._heard is not None:
            if self._begun:
                self._edge("suffix")
            self._heard.ended(self._stream, self._answer)
