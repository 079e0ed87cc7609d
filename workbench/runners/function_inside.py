"""What the modules inside a call are told, and what they tell: the session, the pieces that they stream, the tokens they take.

In a process that has loaded no modules there is nothing to tell. Knows no function and no sockets.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from types import TracebackType
from typing import Any


class Inside:
    """The surroundings of one call, for as long as the block lasts; it sets context variables of the running context.

    Parameters
    ----------
    root : object
        What is called: it streams although nobody told it to. None where nobody wants pieces.
    session : str
        The session's name, or empty.
    put : callable or None
        Takes each piece.

    Attributes
    ----------
    heard : bool
        Whether a piece came.
    """

    def __init__(self, root: object, session: str, put: Callable[[Any], None] | None) -> None:
        self._root, self._session, self._put = root, session, put
        self._stack = ExitStack()
        self._listener: Any = None
        self._call: Any = None
        self.heard = False

    def __enter__(self) -> Inside:
        sessions: Any = sys.modules.get("workbench.modules.sessions")
        if self._session and sessions is not None:
            self._stack.enter_context(sessions.session(self._session))
        context: Any = sys.modules.get("workbench.modules.streaming.context")
        if context is not None:
            self._listener = self._listening(context)
            context.listener.set(self._listener)
        usage: Any = sys.modules.get("workbench.modules.usage")
        if usage is not None:
            self._call = usage.Call(None, None)
            usage.running.set(self._call)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def close(self) -> None:
        """Abort what the modules stream: nobody reads it any more."""
        if self._listener is not None:
            self._listener.close()

    @property
    def usage(self) -> dict[str, Any] | None:
        """The tokens that the call has taken so far; None where it took none."""
        taken = self._call.usage if self._call is not None else None
        return asdict(taken) if taken is not None and taken.total_tokens else None

    def _listening(self, context: Any) -> Any:
        inside = self

        class Caller(context.Listener):  # type: ignore[misc]  # its base is only there where modules are
            def put(self, piece: Any) -> None:
                if inside._put is not None:
                    inside.heard = True
                    inside._put(piece)

        return Caller(self._root)
