"""vLLM's own form: ``POST …/generate`` with a prompt, answered with the prompt and what the model wrote behind it.

Form: ``vllm/entrypoints/api_server.py``. A stream is a JSON object a line (older servers put a zero byte instead of the line's end),
each with all of the text so far. The server applies no chat template and knows neither roles, tools nor files: one turn of the
user goes as it is, a conversation as a line for who speaks and what is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from ..core.endpoints import Endpoint
from ..core.events import Finish, StreamEvent, TextDelta
from ..core.messages import ChatRequest, Message
from ..core.protocols import HttpRequest
from ..errors import ArgumentError
from . import parameters
from .openai_errors import error_from
from .parts import parts_of, text_of
from .raw_events import RawDecoder

PATH = "/generate"
_SPEAKERS = {"user": "User", "assistant": "Assistant", "tool": "Tool"}


class VllmGenerate:
    """``POST …/generate``. One object serves one call: its decoder leaves out the prompt that `encode` made.

    Parameters
    ----------
    options : Mapping, optional
        ``defaults``, ``rename``, ``drop``, ``clamp``, ``nest``: what `workbench.dialects.parameters` does with parameters.
    """

    name = "vllm_generate"
    reads: Literal["lines", "bytes"] = "lines"
    title = "vLLM"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = options or {}
        self._prompt = ""

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The request's body. Raises `ArgumentError` for tools and files."""
        self._prompt = self.prompt(request)
        values = parameters.arrange(dict(request.parameters), self.options)
        limit = values.pop("max_completion_tokens", None)
        if limit is not None:
            values.setdefault("max_tokens", limit)
        body: dict[str, Any] = {"prompt": self._prompt, "stream": stream, **values}
        parameters.merge(body, parameters.extras(request.parameters))
        return HttpRequest("POST", PATH, body)

    def prompt(self, request: ChatRequest) -> str:
        """The conversation as one text. Raises `ArgumentError` for tools and files."""
        if request.tools:
            raise self._unknown("tools")
        if any(part.kind != "text" for m in request.messages for part in parts_of(m)):
            raise self._unknown("files")
        return prompt_of(request.messages)

    def _unknown(self, what: str) -> ArgumentError:
        return ArgumentError(f"{self.title}'s /generate form knows no {what}.", "", f"Connect to the server's …/v1/ address, which takes {what}.")

    def decoder(self) -> VllmGenerateDecoder:
        """A decoder for the answer to what was encoded last."""
        return VllmGenerateDecoder(self._prompt)

    def authorize(self, key: str) -> Mapping[str, str]:
        """The header that carries the key."""
        return {"Authorization": f"Bearer {key}"}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request."""
        return error_from(endpoint, status, headers, body)


class VllmGenerateDecoder(RawDecoder):
    """Lines of one answer → events.

    Parameters
    ----------
    prompt : str
        What the texts of the answer begin with; a server that leaves it out is understood, too.
    """

    def __init__(self, prompt: str) -> None:
        super().__init__("the /generate form")
        self._prompt, self._said, self._answered = prompt, "", False

    def feed(self, line: str) -> Iterator[StreamEvent]:
        """The events of one line."""
        for text in line.split("\0"):
            if text.strip():
                yield from self._object(text)

    def close(self) -> Iterable[StreamEvent]:
        """The form does not tell why an answer ended."""
        return (Finish("unknown"),) if self._answered else ()

    def _told(self, found: Mapping[str, Any]) -> Iterator[StreamEvent] | None:
        texts = found.get("text")
        text = texts[0] if isinstance(texts, list) and texts else texts
        return self._grown(text) if isinstance(text, str) else None

    def _grown(self, text: str) -> Iterator[StreamEvent]:
        self._answered = True
        text = text.removeprefix(self._prompt)
        if text.startswith(self._said):
            new, self._said = text[len(self._said) :], text
        else:  # pieces instead of all of the text so far
            new, self._said = text, self._said + text
        if new:
            yield TextDelta(new)


def prompt_of(messages: Iterable[Message]) -> str:
    """The conversation as one text."""
    turns = [(m.role, text_of(m)) for m in messages if text_of(m)]
    if [role for role, _ in turns] in ([], ["user"]):
        return turns[0][1] if turns else ""
    lines = [text if role == "system" else f"{_SPEAKERS.get(role, role)}: {text}" for role, text in turns]
    return "\n".join([*lines, "Assistant:"])
