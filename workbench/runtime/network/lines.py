"""Bytes in any fragments → lines. Does not know what is in them."""

from __future__ import annotations

import codecs


class LineSplitter:
    """Cuts at LF, CR LF or CR, wherever the fragments are cut, and puts characters together that were."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, without their ends."""
        return self._split(self._decoder.decode(data))

    def close(self) -> list[str]:
        """What is left."""
        last = self._decoder.decode(b"", True)
        return self._split(last + "\n") if self._rest or last else []

    def _split(self, text: str) -> list[str]:
        text = self._rest + text
        held = "\r" if text.endswith("\r") else ""  # its LF may still come
        if held:
            text = text[:-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        self._rest = lines.pop() + held
        return lines
