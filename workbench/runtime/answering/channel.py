"""What the pump of one answer and its reader share, across threads and event loops. Does not know how either works."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...core.messages import Completion, FinishReason, Timing, ToolCall, Usage


class Channel:
    """What the pump and the reader share: pieces not yet read, and everything the answer has told so far.

    ``waiters`` are called when there is something to read, ``enders`` at the end. Only the pump writes, but for these and
    `cancelled`; deques and single assignments need no lock.
    """

    __slots__ = (
        "_due",
        "actions",
        "calls",
        "cancelled",
        "details",
        "ended",
        "enders",
        "error",
        "finish",
        "first",
        "model",
        "pieces",
        "prompt_size",
        "reasoning",
        "replay",
        "request_id",
        "sent",
        "texts",
        "total",
        "usage",
        "waiters",
    )

    def __init__(self) -> None:
        self.pieces: deque[Any] = deque()
        self.waiters: deque[Callable[[], object]] = deque()
        self.enders: deque[Callable[[], object]] = deque()
        self.actions: deque[Callable[[Completion], object]] = deque()
        self.texts: list[str] = []
        self.reasoning: list[str] = []
        self.calls: dict[int, list[str]] = {}
        self.usage: Usage | None = None
        self.finish: FinishReason | None = None
        self.model = self.request_id = ""
        self.replay: Mapping[str, Any] = {}
        self.details: Mapping[str, Any] = {}
        self.prompt_size = 0
        self.sent = time.perf_counter()
        self.first: float | None = None
        self.total: float | None = None
        self.error: Exception | None = None
        self.ended = self.cancelled = self._due = False

    def push(self, pieces: Iterable[object]) -> None:
        """Hand pieces to the reader."""
        self.pieces.extend(pieces)
        if self.first is None:
            self.first = time.perf_counter() - self.sent
            self.wake()
            return
        if self._due or not self.waiters:
            return
        try:  # once for all that a read from the socket brought: two threads that take turns for every piece are slow
            asyncio.get_running_loop().call_soon(self._wake_due)
            self._due = True
        except RuntimeError:
            self.wake()

    def end(self, error: Exception | None = None) -> None:
        """Nothing follows."""
        if not self.ended:
            self.total = time.perf_counter() - self.sent
            self.error = error
            self.act()  # before a reader can see the end
            self.ended = True
            self.act()
        self.wake()
        while self.enders:
            self.enders.pop()()

    def act(self) -> None:
        """Run what waits for the end, each once."""
        while self.actions:
            self.actions.popleft()(self.completion())

    def _wake_due(self) -> None:
        self._due = False
        self.wake()

    def wake(self) -> None:
        while self.waiters:
            self.waiters.pop()()

    @property
    def ready(self) -> bool:
        return bool(self.pieces) or self.ended

    def completion(self) -> Completion:
        """Everything so far."""
        text, reasoning = "".join(self.texts), "".join(self.reasoning)
        calls = tuple(ToolCall(c[0], c[1], "".join(c[2:])) for _, c in sorted(self.calls.items()))
        reason = self.finish or ("cancelled" if self.cancelled else "unknown")
        usage = self.usage or Usage(self.prompt_size, estimate_tokens(text + reasoning), estimated=True)
        timing = Timing(self.first, self.total if self.total is not None else time.perf_counter() - self.sent)
        return Completion(text, reasoning, calls, reason, usage, timing, self.model, self.request_id, self.replay, self.details)


def estimate_tokens(text: str) -> int:
    """A rough count for endpoints that report none: a third of a token for an ASCII character, one for any other."""
    plain = sum(map(str.isascii, text))
    return int(plain / 3 + (len(text) - plain) + 1) if text else 0
