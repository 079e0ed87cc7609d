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
    return registry.member("prompter", name)


def __dir__() -> list[str]:
    return sorted({*__all__, *registry.names("prompter")})
