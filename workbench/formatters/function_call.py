"""Answers as messages: what a model said, thought and asked for, in OpenAI's form. Does not call any tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.messages import Completion
from ..errors import FormatError
from .base import FormatterBase

_KEPT = ("role", "content", "tool_calls", "reasoning_content")


class FunctionCallFormatter(FormatterBase):
    """An answer as a message dict, with its tool calls: ready to be appended to a history.

    Examples
    --------
    >>> m = wb.OnlineModule(source='openai').formatter(wb.FunctionCallFormatter())
    >>> m('What is the weather in Leiden?', tools=[…])
    {'role': 'assistant', 'content': '', 'tool_calls': [{'id': …, 'type': 'function', 'function': {…}}]}
    """

    _takes_messages = True

    def format(self, msg: Any) -> dict[str, Any]:
        """The message: ``role``, ``content`` and, where there are any, ``tool_calls`` and ``reasoning_content``.

        Raises
        ------
        FormatError
            When it is neither a text nor a message dict.
        """
        completion = msg if isinstance(msg, Completion) else getattr(msg, "completion", None)
        if isinstance(completion, Completion):
            return _message(completion)
        if isinstance(msg, str):
            return {"role": "assistant", "content": str(msg)}
        if not isinstance(msg, Mapping):
            raise FormatError(f"A message cannot be made of a {type(msg).__name__}.", "", "Put FunctionCallFormatter first, right behind the model.")
        kept = {key: msg[key] for key in _KEPT if key in msg}
        if kept.get("tool_calls"):  # pieces of a stream are numbered, which no vendor accepts in a history
            kept["tool_calls"] = [{k: v for k, v in call.items() if k != "index"} for call in kept["tool_calls"]]
        return kept


def _message(completion: Completion) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": completion.text}
    if completion.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in completion.tool_calls
        ]
    if completion.reasoning:
        message["reasoning_content"] = completion.reasoning
    return message
