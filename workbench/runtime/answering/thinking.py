"""Reasoning that a model writes into its answer as ``<think>…</think>`` → kept apart, across any fragments.

Only a block that opens the answer counts: further on the words may be a quotation. Endpoints that report reasoning in a
field of its own never come here.
"""

from __future__ import annotations

from ...core.events import Tag

OPEN, CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Text in fragments → ``(text, tag)`` pairs; white space around the block is dropped."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    def feed(self, text: str) -> list[tuple[str, Tag]]:
        """What can be told apart now; the rest is held until more comes."""
        if self._state == "text":
            return [(text, "text")]
        self._held += text
        return self._work(final=False)

    def close(self) -> list[tuple[str, Tag]]:
        """What was held back."""
        return self._work(final=True) if self._held else []

    def _work(self, final: bool) -> list[tuple[str, Tag]]:
        out: list[tuple[str, Tag]] = []
        if self._state == "start":
            body = self._held.lstrip()
            if body.startswith(OPEN):
                self._state, self._held = "opened", body[len(OPEN) :]
            elif OPEN.startswith(body) and not final:
                return out
            else:
                self._state = "text"
        if self._state == "opened":
            self._held = self._held.lstrip()
            if self._held:
                self._state = "think"
        if self._state == "think":
            out += self._thinking(final)
        if self._state == "closed":
            self._held = self._held.lstrip()
            if self._held:
                self._state = "text"
        if self._state == "text" and self._held:
            out.append((self._held, "text"))
            self._held = ""
        return out

    def _thinking(self, final: bool) -> list[tuple[str, Tag]]:
        at = self._held.find(CLOSE)
        if at >= 0:
            thought, self._held, self._state = self._held[:at].rstrip(), self._held[at + len(CLOSE) :], "closed"
        elif final:
            thought, self._held = self._held.rstrip(), ""
        else:
            safe = len(self._held) - _overlap(self._held)
            safe = len(self._held[:safe].rstrip())  # trailing space may turn out to stand before the end
            thought, self._held = self._held[:safe], self._held[safe:]
        return [(thought, "think")] if thought else []


def _overlap(text: str) -> int:
    """How many characters at the end may be the beginning of the closing tag."""
    return next((n for n in range(min(len(CLOSE) - 1, len(text)), 0, -1) if CLOSE.startswith(text[-n:])), 0)
