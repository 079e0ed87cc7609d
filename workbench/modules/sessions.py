"""Sessions: several users, or several threads of talk, over the same modules. Each module's turns are kept per session, and
a call inside ``with wb.session('alice'):`` continues where that session's last call of the same module ended.

Knows turns and ids, neither models nor requests.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import takewhile
from typing import TYPE_CHECKING

from ..core.messages import Completion, Message

if TYPE_CHECKING:
    from .chat import ChatModule

_sessions: dict[str, Session] = {}
_lock = threading.Lock()


class Session:
    """What was said in one session, by module.

    Attributes
    ----------
    id : str
        Its name.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self._turns: dict[str, tuple[Message, ...]] = {}
        self._lock = threading.Lock()

    def history(self, module: ChatModule) -> tuple[Message, ...]:
        """The turns of a module in this session, oldest first."""
        return self._turns.get(module.module_id, ())

    def record(self, module: ChatModule, asked: Sequence[Message], answer: Completion) -> None:
        """Add what the user said last, tools' results included, and the answer to a module's history."""
        said = list(takewhile(lambda turn: turn.role in ("user", "tool"), reversed(asked)))[::-1]
        with self._lock:
            self._turns[module.module_id] = (*self.history(module), *said, answer.message())

    def clear(self, module: ChatModule | None = None) -> None:
        """Forget the turns of one module, or of all."""
        with self._lock:
            if module is None:
                self._turns.clear()
            else:
                self._turns.pop(module.module_id, None)

    def __repr__(self) -> str:
        return f"<Session {self.id!r}, {sum(map(len, self._turns.values()))} turns>"


current: ContextVar[Session | None] = ContextVar("workbench_session", default=None)


@contextmanager
def session(id: str = "") -> Iterator[Session]:
    """Talk in a session: calls of chat modules remember their turns, each module its own.

    Parameters
    ----------
    id : str, optional
        Entering the same name again goes on where it stood. Without a name the session is new, and gone afterwards.

    Examples
    --------
    >>> with wb.session('alice'):
    ...     m('My name is Alice.')
    >>> with wb.session('bob'):
    ...     m('What is my name?')    # does not know
    """
    if id:
        with _lock:
            found = _sessions.setdefault(id, Session(id))
    else:
        found = Session(uuid.uuid4().hex[:12])
    token = current.set(found)
    try:
        yield found
    finally:
        current.reset(token)


@contextmanager
def no_session() -> Iterator[None]:
    """Calls in here remember nothing."""
    token = current.set(None)
    try:
        yield
    finally:
        current.reset(token)


def end_session(id: str) -> None:
    """Forget a session and all that was said in it; one that is not there is no error."""
    with _lock:
        _sessions.pop(id, None)
