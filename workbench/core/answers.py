"""`Answer`: what a call of a chat module returns. A text like any other, which still knows how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .messages import Completion, FinishReason, Timing, ToolCall, Usage


class Answer(str):
    """The text of an answer, with everything else that came with it.

    Parameters
    ----------
    completion : Completion
        The whole answer; the text is its ``text``.
    cost : float, optional
        In US dollars; None when nobody knows.

    Attributes
    ----------
    completion : Completion
        The whole answer.
    cost : float or None
        In US dollars.

    Examples
    --------
    >>> answer = m('Hello!')
    >>> print(answer, answer.usage.total_tokens, answer.timing.total)
    """

    completion: Completion
    cost: float | None
    __slots__ = ("completion", "cost")

    def __new__(cls, completion: Completion, cost: float | None = None) -> Answer:
        self = str.__new__(cls, completion.text)
        self.completion = completion
        self.cost = cost
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:  # copies and pickles keep what is not text
        return (self.completion, self.cost)

    @property
    def text(self) -> str:
        """The text as a plain ``str``."""
        return self.completion.text

    @property
    def usage(self) -> Usage:
        """Tokens of the call."""
        return self.completion.usage

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended: ``stop``, ``length``, ``tool_calls``, …"""
        return self.completion.finish_reason

    @property
    def reasoning(self) -> str:
        """What the model thought before it answered; empty where it did not, or does not tell."""
        return self.completion.reasoning

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model asks to be called."""
        return self.completion.tool_calls

    @property
    def model(self) -> str:
        """Which model answered, by the endpoint's own name for it."""
        return self.completion.model

    @property
    def timing(self) -> Timing:
        """Seconds to the first token and in all."""
        return self.completion.timing

    @property
    def details(self) -> Mapping[str, Any]:
        """What the server told beside the text; mostly empty.

        ``logprobs`` of the tokens, as OpenAI writes them, where they were asked for; ``others``, the texts of the further answers that ``n=`` asked
        for; a transcript's ``segments`` and ``words`` with their times.
        """
        return self.completion.details
