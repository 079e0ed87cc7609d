"""``m.stream``: what a module was told about streaming, and the way to open a stream of one answer.

Both are written as ``stream``: ``m.stream = {'color': 'green'}``, ``if m.stream: …`` and ``for piece in m.stream('Hello!')``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .printing import StreamOption

if TYPE_CHECKING:
    from ..chat import ChatModule, Tools


class StreamSwitch:
    """The stream option of a module, which can also be called to open a `Stream`.

    True where answers are printed while they come, equal to the option itself; of a dict the entries can be read.
    """

    __slots__ = ("_module", "option")

    def __init__(self, module: ChatModule, option: StreamOption) -> None:
        self._module, self.option = module, option

    def __call__(
        self,
        input: Any = "",
        files: Any = None,
        *,
        llm_chat_history: Any = None,
        lazyllm_files: Any = None,
        tools: Tools | None = None,
        **parameters: Any,
    ) -> Any:
        """Answer piece by piece; the arguments are those of a call.

        Returns
        -------
        Stream, or SpeechStream of a model that speaks
            Iterate it for the pieces (``for`` or ``async for``), ``join()`` it for the whole `Completion`; ``close()``, or
            a ``break`` out of the loop, aborts the request at once. Formatters do not apply to pieces.
        """
        return self._module._streamed(input, files, llm_chat_history=llm_chat_history, lazyllm_files=lazyllm_files, tools=tools, **parameters)

    def __bool__(self) -> bool:
        return bool(self.option)

    def __eq__(self, other: object) -> bool:
        return bool(self.option == (other.option if isinstance(other, StreamSwitch) else other))

    __hash__ = None  # type: ignore[assignment]  # equal to a dict, which has none

    def __getitem__(self, key: str) -> Any:
        return self._entries[key]

    def get(self, key: str, default: Any = None) -> Any:
        """An entry of the dict, or ``default``."""
        return self._entries.get(key, default)

    @property
    def _entries(self) -> Mapping[str, Any]:
        return self.option if isinstance(self.option, Mapping) else {}

    def __repr__(self) -> str:
        return repr(self.option)
