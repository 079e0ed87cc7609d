"""Earlier turns, in the forms in which people keep them. Knows nothing of prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.messages import Message, Role, as_messages
from ..errors import ArgumentError

_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "用户": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "助手": "assistant",
    "system": "system",
}


def as_history(history: Any) -> tuple[Message, ...]:
    """Turns from pairs ``[user, assistant]``, OpenAI message dicts, `Message` objects, or a mixture.

    Pairs that all begin with a role's name, ``[['User', 'Hello'], ['Assistant', 'Hello!']]``, are one turn each.

    Raises
    ------
    ArgumentError
        For a turn of another form.
    """
    if isinstance(history, str | Mapping | Message):
        history = [history]
    items = list(history or ())
    named = bool(items) and all(_is_pair(i) and len(i) == 2 and str(i[0]).strip().lower() in _ROLES for i in items)
    turns: list[Message] = []
    for item in items:
        if isinstance(item, Mapping | Message):
            turns.extend(as_messages(item))
        elif named:
            turns.append(Message(_ROLES[str(item[0]).strip().lower()], str(item[1])))
        elif _is_pair(item):
            turns.append(Message("user", str(item[0])))
            turns.extend(Message("assistant", str(text)) for text in item[1:])
        else:
            fix = "Give [user, assistant] pairs, or dicts with 'role' and 'content'."
            raise ArgumentError(f"A turn of the history cannot be {item!r:.80}.", "", fix)
    return tuple(turns)


def _is_pair(item: Any) -> bool:
    return isinstance(item, Sequence) and not isinstance(item, str | bytes) and 1 <= len(item) <= 2


def as_turns(value: Any) -> tuple[Message, ...] | None:
    """The turns that a value is: messages, or content parts of the user's turn. None where it is something to say."""
    if isinstance(value, Message):
        return (value,)
    if isinstance(value, Mapping):
        return as_messages(value) if value.get("role") in ("system", "user", "assistant", "tool") else None
    if isinstance(value, str | bytes) or not isinstance(value, Sequence) or not value:
        return None
    if all(isinstance(v, Message) or (isinstance(v, Mapping) and "role" in v) for v in value):
        return as_messages(value)
    if all(isinstance(v, Mapping) and "type" in v for v in value):
        return (Message("user", tuple(value)),)
    return None
