"""Printing a streamed answer while it comes. Knows pieces and a terminal's colours, no models."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..core.events import Piece
from ..errors import ArgumentError, unknown_argument
from ..runtime.front_end import front_end

COLOURS = {name: 30 + i for i, name in enumerate(("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"))}
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


class Printer:
    """Writes pieces to the standard output as they come.

    A kernel gathers what is written and sends it by itself, a few times a second; a terminal is flushed at every piece.
    """

    def __init__(self, option: StreamOption = True) -> None:
        self._look = option if isinstance(option, Mapping) else {}
        self._flush = front_end() != "notebook"
        self._begun = False

    def put(self, piece: Piece) -> None:
        if not self._begun:
            self._begun = True
            self._write(self._look.get("prefix", ""), self._look.get("prefix_color"))
        self._write(str(piece), self._look.get("color") or ("white" if piece.tag == "think" else None))

    def end(self) -> None:
        if self._begun:
            self._write(self._look.get("suffix", ""), self._look.get("suffix_color"))
            self._write("\n", None)

    def _write(self, text: str, colour: str | None) -> None:
        if text:
            sys.stdout.write(f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if colour else text)
            if self._flush:
                sys.stdout.flush()
