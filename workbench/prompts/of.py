"""A prompter from whatever a user writes where a prompt is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.messages import Message, as_messages
from ..errors import ArgumentError
from .base import PrompterBase, generated
from .conversation import ChatPrompter


class Foreign(PrompterBase):
    """An object that makes prompts in a way of its own: by ``messages(input, history)`` or ``generate_prompt(input, history, …)``."""

    def __init__(self, maker: Any) -> None:
        super().__init__(tools=getattr(maker, "tools", None))
        self.maker = maker

    def turns(self, value: Any, history: tuple[Message, ...]) -> Sequence[Message | Mapping[str, Any]]:
        """The turns that the object makes; of a text, one turn of the user."""
        if hasattr(self.maker, "messages"):
            return as_messages(self.maker.messages(value, history))
        return generated(self.maker.generate_prompt, value, history)

    def __repr__(self) -> str:
        return repr(self.maker)


def prompter_of(prompt: Any = None, history: Any = None) -> PrompterBase:
    """A prompter from a text, ``{'system': …, 'user': …}``, None, or any prompter.

    Parameters
    ----------
    prompt : str, dict, PrompterBase, None, or an object with ``messages`` or ``generate_prompt``
        What stands around every input.
    history : sequence, optional
        Turns before those of every call; of a prompter, instead of its own.

    Raises
    ------
    ArgumentError
        For anything else.
    """
    if isinstance(prompt, type) and issubclass(prompt, PrompterBase):
        prompt = prompt()
    if prompt is None or isinstance(prompt, str | Mapping):
        return ChatPrompter(prompt, history=history)
    if isinstance(prompt, PrompterBase):
        found = prompt
    else:
        if not (callable(getattr(prompt, "messages", None)) or callable(getattr(prompt, "generate_prompt", None))):
            fix = "Give a text, a dict with 'system' and 'user', a prompter, or None."
            raise ArgumentError(f"A prompt cannot be a {type(prompt).__name__}.", "", fix)
        found = Foreign(prompt)
    return found if history is None else found.with_history(history)
