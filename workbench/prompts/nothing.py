"""`EmptyPrompter`: nothing around what the user says."""

from __future__ import annotations

from typing import Any

from .base import Tools
from .conversation import ChatPrompter
from .layout import PLAIN


class EmptyPrompter(ChatPrompter):
    """Nothing around what the user says; earlier turns stand before it.

    Parameters
    ----------
    show, tools, history
        As in `PrompterBase`.
    """

    layout = PLAIN

    def __init__(self, show: bool = False, tools: Tools = None, history: Any = None, *, enable_system: bool = True) -> None:
        super().__init__(None, None, show, tools, None, history, enable_system=enable_system)

    def generate_prompt(
        self,
        input: Any = "",
        history: Any = None,
        tools: Tools = None,
        label: Any = None,
        *,
        show: bool = False,
        return_dict: bool = False,
        format: str | None = None,
    ) -> Any:
        """The input itself, unchanged; with a format the body of a request, see `PrompterBase.generate_prompt`."""
        if return_dict or format is not None:
            return super().generate_prompt(input, history, tools, label, show=show, return_dict=return_dict, format=format)
        if show or self.show:
            print(input)
        return input
