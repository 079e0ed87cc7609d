"""What is said to a model and what it says back, independent of any wire format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ArgumentError

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "cancelled", "unknown"]
_FORM = "{'role': 'user', 'content': 'Hello!'} or {'role': 'user', 'content': [{'type': 'text', 'text': 'Hello!'}]}"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool that the model asks for; ``arguments`` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. ``content`` is text, or parts in OpenAI's content-part form for files.

    ``reasoning`` is what a model thought before it answered, and ``replay`` what its vendor wants back untouched with the next
    request (`Completion.message` fills both in).
    """

    role: Role
    content: str | tuple[Mapping[str, Any], ...] = ""
    name: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    reasoning: str = ""
    replay: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request: turns, tools as JSON-schema dicts, and parameters under their OpenAI names."""

    messages: tuple[Message, ...]
    model: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. ``estimated`` when the endpoint gave none.

    Attributes
    ----------
    prompt_tokens, completion_tokens : int
        All of them, those counted below included.
    cached_tokens, cache_write_tokens : int
        Of the prompt: read from the vendor's cache, and put into it.
    reasoning_tokens : int
        Of the completion.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.estimated or other.estimated,
            self.cached_tokens + other.cached_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, by a monotonic clock, from sending the request."""

    first_token: float | None = None
    total: float = 0.0

    def tokens_per_second(self, tokens: int) -> float | None:
        """Generation speed over the time after the first token, or over all of it when the answer came at once."""
        span = self.total - (self.first_token or 0.0)
        return tokens / span if tokens and span > 0 else None


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer. ``details`` is what a server told beside a text, such as the times in a transcript or the ``logprobs`` of tokens."""

    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = "unknown"
    usage: Usage = Usage()
    timing: Timing = Timing()
    model: str = ""
    request_id: str = ""
    replay: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False, repr=False)
    details: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False, repr=False)

    def message(self) -> Message:
        """The answer as a turn of the conversation, with everything that the vendor wants back."""
        return Message("assistant", self.text, tool_calls=self.tool_calls, reasoning=self.reasoning, replay=self.replay)


def as_messages(value: str | Message | Mapping[str, Any] | Sequence[Message | Mapping[str, Any]]) -> tuple[Message, ...]:
    """Turns from a text (one user turn), a `Message`, an OpenAI message dict, or a sequence of these.

    Raises
    ------
    ArgumentError
        For anything else, and for a content that is neither text nor a list of parts.
    """
    if isinstance(value, str):
        return (Message("user", value),)
    if isinstance(value, Message | Mapping):
        return (_turn(value),)
    if not isinstance(value, Iterable):
        raise ArgumentError(f"Messages cannot be {value!r:.80}.", "", f"Give a text, or a list of {_FORM}.")
    return tuple(_turn(m) for m in value)


def _turn(given: object) -> Message:
    if isinstance(given, Message):
        _content(given.content)
        return given
    if isinstance(given, Mapping) and "role" in given:
        return _from_dict(given)
    raise ArgumentError(f"A message cannot be {given!r:.80}.", "It has no role." if isinstance(given, Mapping) else "", f"Give {_FORM}.")


def _content(content: Any) -> str | tuple[Mapping[str, Any], ...]:
    """Text, or parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list | tuple) and all(isinstance(part, Mapping) for part in content):
        return tuple(content) or ""
    what = f"The content of a message cannot be {content!r:.80}."
    raise ArgumentError(what, f"It is of the type {type(content).__name__}.", f"Give {_FORM}; the content is text or a list of parts.")


def _from_dict(d: Mapping[str, Any]) -> Message:
    calls = tuple(
        ToolCall(c.get("id", ""), c.get("function", c).get("name", ""), c.get("function", c).get("arguments", "")) for c in d.get("tool_calls") or ()
    )
    content = d.get("content")
    return Message(
        d["role"],
        "" if content is None else _content(content),
        d.get("name") or "",
        calls,
        d.get("tool_call_id") or "",
        str(d.get("reasoning_content") or d.get("reasoning") or ""),
        d.get("replay") or {},
    )
