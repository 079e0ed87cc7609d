"""A chat prompt: instruction, slots and earlier turns around what the user says. Pure: input in, turns out.

Does not know models or their chat templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.messages import Message, as_messages
from ..errors import ArgumentError, unknown_argument

_SLOT = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """Turns an input into the messages of a request.

    Attributes
    ----------
    system : str
        The instruction; ``{slots}`` in it are filled from the input.
    user : str
        Text before what the user says; may hold slots too.
    history : tuple of Message
        Earlier turns, before those of the call.
    """

    system: str = ""
    user: str = ""
    history: tuple[Message, ...] = ()

    @staticmethod
    def of(prompt: str | Mapping[str, str] | ChatPrompt | None, history: Any = None) -> ChatPrompt:
        """A prompt from what a user writes: a text, ``{'system': …, 'user': …}``, None, or a prompt."""
        if isinstance(prompt, ChatPrompt):
            return prompt if history is None else ChatPrompt(prompt.system, prompt.user, as_history(history))
        if prompt is None or isinstance(prompt, str):
            return ChatPrompt(prompt or "", "", as_history(history))
        if isinstance(prompt, Mapping):
            for key in prompt:
                if key not in ("system", "user"):
                    raise unknown_argument("A prompt dict", str(key), ("system", "user"))
            return ChatPrompt(prompt.get("system", ""), prompt.get("user", ""), as_history(history))
        raise ArgumentError(f"A prompt cannot be a {type(prompt).__name__}.", "", "Give a text, a dict with 'system' and 'user', or None.")

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots, in the order in which they stand."""
        return tuple(dict.fromkeys(_SLOT.findall(self.system) + _SLOT.findall(self.user)))

    def messages(self, value: Any, history: Any = None) -> tuple[Message, ...]:
        """The turns to send.

        Parameters
        ----------
        value : str, dict or sequence of messages
            A text fills the prompt's only slot, or is the user's turn where there is none. A dict fills the slots; at most
            one entry may be left over, and is the user's turn. Messages are taken as they are.
        history : sequence, optional
            Earlier turns: pairs ``[user, assistant]`` or OpenAI messages.
        """
        earlier = (*self.history, *as_history(history))
        if isinstance(value, Message) or _is_messages(value):
            return self._around(as_messages(value), earlier)
        system, user = self._filled(value)
        if not user:  # many models and vendors answer no empty turn: the instruction is then what the user says
            system, user = "", system
        return ((Message("system", system),) if system else ()) + earlier + (Message("user", user),)

    def _around(self, turns: tuple[Message, ...], earlier: tuple[Message, ...]) -> tuple[Message, ...]:
        if self.slots:
            raise ArgumentError(f"The prompt has slots ({', '.join(self.slots)}), but messages were given.", "", "Give a dict with the slots.")
        own = (Message("system", self.system),) if self.system and not any(t.role == "system" for t in turns) else ()
        if earlier and turns and turns[0].role == "system":
            return (turns[0], *earlier, *turns[1:])
        return (*own, *earlier, *turns)

    def _filled(self, value: Any) -> tuple[str, str]:
        slots = self.slots
        if isinstance(value, Mapping):
            rest = {k: v for k, v in value.items() if k not in slots}
            missing = [s for s in slots if s not in value]
            if missing or len(rest) > 1:
                over = f"Left over: {', '.join(map(str, rest))}; only one may be, as the user's turn."
                cause = f"Missing: {', '.join(missing)}." if missing else over
                raise ArgumentError("The input does not fit the prompt.", cause, f"The prompt's slots: {', '.join(slots) or 'none'}.")
            said, values = (str(next(iter(rest.values()))) if rest else ""), {s: str(value[s]) for s in slots}
        elif len(slots) > 1:
            raise ArgumentError("The prompt has several slots, but one text was given.", "", f"Give a dict with: {', '.join(slots)}.")
        else:
            said, values = ("", {slots[0]: str(value)}) if slots else (str(value), {})

        def fill(text: str) -> str:
            return _SLOT.sub(lambda m: values[m[1]], text)

        return fill(self.system), "\n".join(t for t in (fill(self.user), said) if t)


def as_history(history: Any) -> tuple[Message, ...]:
    """Turns from pairs ``[user, assistant]``, OpenAI message dicts, or a mixture."""
    turns: list[Message] = []
    for item in history or ():
        if isinstance(item, Mapping | Message):
            turns.extend(as_messages(item))
        elif isinstance(item, Sequence) and not isinstance(item, str) and 1 <= len(item) <= 2:
            turns.append(Message("user", str(item[0])))
            turns.extend(Message("assistant", str(text)) for text in item[1:])
        else:
            fix = "Give [user, assistant] pairs, or dicts with 'role' and 'content'."
            raise ArgumentError(f"A turn of the history cannot be {item!r:.80}.", "", fix)
    return tuple(turns)


def _is_messages(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "role" in value and value["role"] in ("system", "user", "assistant", "tool")
    return isinstance(value, Iterable) and not isinstance(value, str) and all(isinstance(v, Message) or _is_role(v) for v in value)


def _is_role(value: Any) -> bool:
    return isinstance(value, Mapping) and "role" in value
