"""Prompts: what stands around an input. ``prompter.ChatPrompter``, ``.AlpacaPrompter``, … and what plugins register.

Names are the registry's, in any case, with or without ``Prompter`` at their end: ``prompter.Chat`` is `ChatPrompter`.
"""

from __future__ import annotations

from typing import Any

from .. import registry
from .base import Asked, PrompterBase
from .conversation import ChatPrompter
from .filled import Prompter
from .history import as_history
from .instruction import AlpacaPrompter
from .nothing import EmptyPrompter
from .of import prompter_of

ChatPrompt = ChatPrompter

__all__ = [
    "AlpacaPrompter",
    "Asked",
    "ChatPrompt",
    "ChatPrompter",
    "EmptyPrompter",
    "Prompter",
    "PrompterBase",
    "as_history",
    "prompter_of",
]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    plain = name.lower().removesuffix("prompter") or name.lower()
    known = registry.names("prompter")
    for candidate in (name, plain):
        if candidate in known:
            return registry.get("prompter", candidate)
    from ..errors import nearest

    near = nearest(plain, known)
    raise AttributeError(f"No prompter is called {name!r}." + (f" {near!r} is the nearest name." if near else f" There are: {', '.join(known)}."))


def __dir__() -> list[str]:
    return sorted({*__all__, *registry.names("prompter")})
