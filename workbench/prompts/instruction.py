"""`AlpacaPrompter`: one instruction, one answer, in the words of Stanford Alpaca (github.com/tatsu-lab/stanford_alpaca)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.messages import Message
from ..errors import ArgumentError
from . import slots
from .base import Tools
from .conversation import ChatPrompter
from .history import as_turns
from .layout import ALPACA

_ALONE = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
_PAIRED = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request."
)


class AlpacaPrompter(ChatPrompter):
    """One instruction in Alpaca's form. It has no earlier turns.

    The instruction's slots are filled as `ChatPrompter` does; what is left over, or a text where there is no slot, stands under
    ``### Input:``. A dict's ``user`` text is the user's turn, and its ``system`` text the instruction.

    Parameters
    ----------
    instruction, extra_keys, show, tools, skills
        As in `ChatPrompter`.
    """

    layout = ALPACA
    has_history = False

    def __init__(
        self,
        instruction: str | Mapping[str, Any] | None = None,
        extra_keys: str | Iterable[str] | None = None,
        show: bool = False,
        tools: Tools = None,
        skills: str | Iterable[str] | None = None,
        *,
        enable_system: bool = True,
        extro_keys: str | Iterable[str] | None = None,
    ) -> None:
        super().__init__(instruction, extra_keys, show, tools, skills, enable_system=enable_system, extro_keys=extro_keys)

    def turns(self, value: Any, history: tuple[Message, ...]) -> tuple[Message, ...]:
        """One turn of the user; with a ``user`` text two, the instruction as the system's.

        Raises
        ------
        ArgumentError
            When there is a history.
        """
        if history:
            raise ArgumentError("An AlpacaPrompter has no earlier turns.", "A history was given.", "Use ChatPrompter for conversations.")
        if as_turns(value) is not None:
            raise ArgumentError("An AlpacaPrompter takes no messages.", "", "Give a text or a dict, or use ChatPrompter.")
        values, said = slots.fit(value, self.slots)
        paired = bool(said) and not self.user
        task = slots.fill(self.system, values)
        text = "\n\n".join(
            (_PAIRED if paired else _ALONE, *((f"### Instruction:\n{task}",) if task else ()), *((f"### Input:\n{said}",) if paired else ()))
        )
        if not self.user:
            return (Message("user", text),)
        asked = "\n".join(t for t in (slots.fill(self.user, values), said) if t)
        return (Message("system", text), Message("user", asked)) if task else (Message("user", f"{_ALONE}\n\n### Instruction:\n{asked}"),)
