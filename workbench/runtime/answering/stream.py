"""One answer while it arrives. The blocking call is this stream, joined.

How it is read and what closing it means is `workbench.runtime.answering.arriving`; here is what a chat's answer tells. Knows no wire
format and no socket (`workbench.runtime.answering.client` pumps).
"""

from __future__ import annotations

from ...core.events import Piece
from ...core.messages import Completion, FinishReason, Timing, Usage
from .arriving import Arriving
from .channel import Channel

__all__ = ["Channel", "Stream"]


class Stream(Arriving[Piece]):
    """An answer while it arrives: iterate it (``for`` or ``async for``) for its pieces, or `join` it for all of it.

    Iterating raises an `EndpointError` when the answer breaks off, after the pieces that came. Each piece is read once;
    a stream is for one reader.

    Parameters
    ----------
    pump : callable
        Given the channel, gives the coroutine that fills it.
    """

    def join(self) -> Completion:
        """Wait for the end and return the whole answer, pieces read before included.

        Raises
        ------
        EndpointError
            The kind says what went wrong; a `StreamBroken` carries what came as ``partial``.
        """
        if not self._channel.ended:
            self._wait(end=True)
        return self._all()

    async def ajoin(self) -> Completion:
        """`join` for async code."""
        try:
            if not self._channel.ended:
                await self._await(end=True)
        finally:
            self.close()
        self._channel.pieces.clear()
        await self._araise()
        return self._all()

    def _all(self) -> Completion:
        self._channel.pieces.clear()
        self._raise()
        return self._channel.completion()

    @property
    def completion(self) -> Completion:
        """The answer as far as it has come."""
        return self._channel.completion()

    @property
    def text(self) -> str:
        """The answer's text as far as it has come."""
        return "".join(self._channel.texts)

    @property
    def reasoning(self) -> str:
        """The reasoning as far as it has come."""
        return "".join(self._channel.reasoning)

    @property
    def usage(self) -> Usage:
        """Tokens of this call; estimated until the endpoint reports them."""
        return self._channel.completion().usage

    @property
    def timing(self) -> Timing:
        """Time to the first token and so far, in seconds."""
        return self._channel.completion().timing

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended; ``unknown`` while it has not."""
        return self._channel.completion().finish_reason

    def __repr__(self) -> str:
        c = self._channel
        state = "failed" if c.error else "closed" if c.cancelled else "ended" if c.ended else "open"
        return f"<Stream {state}, {sum(map(len, c.texts))} characters>"
