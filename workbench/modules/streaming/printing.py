"""Printing a streamed answer while it comes. Knows pieces and a terminal's colours, no models."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from ...core.events import Piece
from ...errors import ArgumentError, unknown_argument
from ...runtime.work.front_end import front_end

COLOURS = {name: 30 + i for i, name in enumerate(("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"))} | {"grey": 90}
_KEYS = ("color", "prefix", "prefix_color", "suffix", "suffix_color")

StreamOption = bool | Mapping[str, Any]


def check_stream(option: StreamOption) -> StreamOption:
    """Refuse what ``stream=`` cannot be: a bool, or a dict of a colour, a prefix and a suffix."""
    if isinstance(option, Mapping):
        for key, value in option.items():
            if key not in _KEYS:
                raise unknown_argument("stream=", str(key), _KEYS)
            if key.endswith("color") and value and value not in COLOURS:
                raise ArgumentError(f"stream= knows no colour {value!r}.", "", f"Choose one of: {', '.join(COLOURS)}.")
    elif not isinstance(option, bool):
        raise ArgumentError(f"stream= cannot be a {type(option).__name__}.", "", f"Give True, False, or a dict of {', '.join(_KEYS)}.")
    return option


def colours_on() -> bool:
    """Whether colours are understood where output goes: a notebook or a terminal; ``NO_COLOR`` and ``FORCE_COLOR`` decide before.

    See https://no-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or front_end() in ("notebook", "headless") or bool(getattr(sys.stdout, "isatty", lambda: False)())


def styled(text: str, colour: str | None) -> str:
    """The text in a colour, by ANSI's escape codes."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if text and colour in COLOURS else text


class Printer:
    """Writes the pieces of one answer to the standard output as they come.

    Of answers that come at the same time one is written; the others are held until it has ended, so that no two are mixed.
    A kernel gathers what is written and sends it by itself, a few times a second; a terminal is flushed at every piece.
    """

    def __init__(self, option: StreamOption = True) -> None:
        self._look = option if isinstance(option, Mapping) else {}
        self._flush = front_end() != "notebook"
        self._colours = colours_on()
        self._begun = self._ended = False
        self._held: list[str] = []
        self._last = ""
        self._thinks = False

    def put(self, piece: Piece) -> None:
        if not self._begun:
            self._begun = True
            with _stage:
                _queue.append(self)
            self._write(self._look.get("prefix", ""), self._look.get("prefix_color"))
        if self._thinks and piece.tag in ("text", "tool") and not self._last.endswith("\n"):
            self._write("\n", None)  # what was thought and what is said do not run into each other
        self._thinks = piece.tag == "think"
        self._write(str(piece), self._look.get("color") or piece.color or ("grey" if piece.tag == "think" else None))

    def end(self) -> None:
        if not self._begun:
            return
        self._write(self._look.get("suffix", ""), self._look.get("suffix_color"))
        if not self._last.endswith("\n"):
            self._write("\n", None)
        with _stage:
            self._ended = True
            while _queue and _queue[0]._ended:
                _queue.popleft()._release()
            if _queue:
                _queue[0]._release()

    def _write(self, text: str, colour: str | None) -> None:
        if not text:
            return
        self._last = text
        with _stage:
            self._held.append(styled(text, colour) if self._colours else text)
            if _queue[0] is self:
                self._release()

    def _release(self) -> None:
        if self._held:
            sys.stdout.write("".join(self._held))
            self._held.clear()
            if self._flush:
                sys.stdout.flush()


_stage = threading.RLock()
_queue: deque[Printer] = deque()  # who writes, then who waits
