"""`ChatModule`: a module that answers through an endpoint. Knows prompts, parameters, streams and formatters; where the
endpoint comes from is its subclasses' matter, and the only thing they differ in.
"""

from __future__ import annotations

import asyncio
import copy
import threading
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from .. import registry
from ..core.endpoints import Endpoint
from ..core.events import Piece
from ..core.messages import ChatRequest, Completion, Usage
from ..errors import ArgumentError, EndpointError
from ..formatters import Formatter, chain
from ..prompts import ChatPrompt
from . import parameters
from .base import ModuleBase
from .context import listener
from .printing import Printer, StreamOption, check_stream

if TYPE_CHECKING:
    from ..runtime.stream import Stream

Tools = Sequence[Mapping[str, Any]]
_RECENT = 500


class ChatModule(ModuleBase):
    """Base of the modules one can talk to.

    Parameters
    ----------
    stream : bool or dict, optional
        Print every answer while it comes; a dict gives ``color``, ``prefix``, ``prefix_color``, ``suffix``, ``suffix_color``.
    return_trace, name
        As in `ModuleBase`.

    Attributes
    ----------
    recent : deque of (float, Completion)
        When the last answers ended, in seconds since the epoch, and what they were; one for all faces of a deployment.
    """

    def __init__(self, *, stream: StreamOption = False, return_trace: bool = False, name: str = "") -> None:
        super().__init__(return_trace=return_trace, name=name)
        self._stream = check_stream(stream)
        self._prompt = ChatPrompt()
        self._formatter: Formatter | None = None
        self._parameters: dict[str, Any] = {}
        self.recent = deque[tuple[float, Completion]](maxlen=_RECENT)
        self._lock = threading.Lock()

    # ---- where it answers: a subclass's matter

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers. Raises `NotStarted` when it answers nowhere yet."""
        raise NotImplementedError

    def _explained(self, error: EndpointError) -> EndpointError:
        """A better error for one that a request ended with, where the module knows more."""
        return error

    # ---- building

    def prompt(self, prompt: str | Mapping[str, str] | ChatPrompt | None = None, history: Any = None) -> Self:
        """Set what stands around every input.

        Parameters
        ----------
        prompt : str, dict or None
            An instruction, or ``{'system': …, 'user': …}``; ``{slots}`` are filled from dict inputs. None takes it away.
        history : sequence, optional
            Turns that come before every call: ``[[user, assistant], …]`` or OpenAI messages.
        """
        self._prompt = ChatPrompt.of(prompt, history)
        return self

    def formatter(self, formatter: Formatter | None = None) -> Self:
        """Set what is made of every answer: any callable from text to a value; None gives the text itself."""
        if formatter is not None and not callable(formatter):
            raise ArgumentError(f"A formatter cannot be a {type(formatter).__name__}.", "", "Give a callable that takes the answer's text.")
        self._formatter = formatter
        return self

    def set_default_parameters(self, **parameters_: Any) -> Self:
        """Set parameters, such as ``temperature``, for every call that does not give its own; None takes one away."""
        merged = {**self._parameters, **parameters.check(parameters_)}
        self._parameters = {k: v for k, v in merged.items() if v is not None}
        return self

    def share(
        self,
        prompt: str | Mapping[str, str] | ChatPrompt | None = None,
        format: Formatter | None = None,
        stream: StreamOption | None = None,
        history: Any = None,
    ) -> Self:
        """Another face of the same deployment: its own prompt, formatter, history and stream option.

        What is not given is taken over. Nothing new is deployed; starting or stopping one starts or stops all.
        """
        other = copy.copy(self)
        other.module_id = uuid.uuid4().hex[:12]
        other.eval_result = other._evaluation = None
        other.usage = Usage()
        other._lock = threading.Lock()
        if prompt is not None or history is not None:
            other._prompt = ChatPrompt.of(self._prompt if prompt is None else prompt, history)
        if format is not None:
            other.formatter(format)
        if stream is not None:
            other._stream = check_stream(stream)
        return other

    def __or__(self, formatter: Formatter) -> Self:
        if not callable(formatter):
            return NotImplemented
        return self.share(format=chain(self._formatter, formatter))

    # ---- calling

    def forward(
        self,
        input: Any = "",
        *,
        llm_chat_history: Any = None,
        tools: Tools | None = None,
        stream: StreamOption | None = None,
        stream_output: StreamOption | None = None,
        **parameters: Any,
    ) -> Any:
        """Answer.

        Parameters
        ----------
        input : str, dict or sequence of messages
            A text, the values of the prompt's slots, or OpenAI messages.
        llm_chat_history : sequence, optional
            Earlier turns: ``[[user, assistant], …]`` or OpenAI messages.
        tools : sequence of dict, optional
            OpenAI tool descriptions.
        stream, stream_output : bool or dict, optional
            Print this answer while it comes; the module's own option when not given.
        **parameters
            ``temperature``, ``max_tokens``, … under OpenAI's names.

        Returns
        -------
        str
            The answer, or what the formatter made of it.

        Raises
        ------
        NotStarted
            Before `start`.
        EndpointError
            One of its kinds when the request fails.
        """
        option = self._stream if stream is None and stream_output is None else check_stream(stream if stream is not None else stream_output or False)
        answer = self._open(input, llm_chat_history, tools, parameters)
        heard = listener.get()
        put: Callable[[Piece], None] | None = None
        printer = None
        if heard is not None:
            put = heard.put if option or heard.root is self else None
            heard.opened(answer)
        elif option:
            printer = Printer(option)
            put = printer.put
        try:
            if put is not None:
                for piece in answer:
                    put(piece)
            completion = answer.join()
        except EndpointError as e:
            raise self._explained(e) from None
        finally:
            if printer is not None:
                printer.end()
            if heard is not None:
                heard.ended(answer)
        return completion.text if self._formatter is None else self._formatter(completion.text)

    def stream(self, input: Any = "", *, llm_chat_history: Any = None, tools: Tools | None = None, **parameters: Any) -> Stream:
        """Answer piece by piece.

        Returns
        -------
        Stream
            Iterate it for the pieces (``for`` or ``async for``), ``join()`` it for the whole `Completion`; ``close()``, or
            a ``break`` out of the loop, aborts the request at once. Formatters do not apply to pieces.
        """
        return self._open(input, llm_chat_history, tools, parameters)

    async def astream(self, input: Any = "", *, llm_chat_history: Any = None, tools: Tools | None = None, **parameters: Any) -> AsyncIterator[Piece]:
        """`stream` as an async generator."""
        async for piece in self._open(input, llm_chat_history, tools, parameters):
            yield piece

    async def acall(self, input: Any = "", *, llm_chat_history: Any = None, tools: Tools | None = None, **parameters: Any) -> Any:
        """Answer without blocking the event loop.

        Returns
        -------
        Completion
            Text, usage, timing and finish reason. Where there is a formatter: what it made of the text.
        """
        answer = self._open(input, llm_chat_history, tools, parameters)
        try:
            completion = await answer.ajoin()
        except EndpointError as e:
            raise await asyncio.to_thread(self._explained, e) from None  # it may wait for the engine's last words
        return completion if self._formatter is None else self._formatter(completion.text)

    def request(self, input: Any, history: Any = None, tools: Tools | None = None, given: Mapping[str, Any] | None = None) -> ChatRequest:
        """What would be sent for an input: turns, tools and parameters."""
        sent = {**self._parameters, **parameters.check(given or {})}
        turns = self._prompt.messages(input, history)
        return ChatRequest(turns, self.endpoint.model, tuple(tools or ()), {k: v for k, v in sent.items() if v is not None})

    def _open(self, input: Any, history: Any, tools: Tools | None, given: Mapping[str, Any]) -> Stream:
        from ..runtime.client import open_stream

        return open_stream(self.endpoint, self.request(input, history, tools, given)).on_end(self._count)

    def _count(self, completion: Completion) -> None:
        self.recent.append((time.time(), completion))
        with self._lock:
            self.usage += completion.usage

    # ---- views

    def chat(self, *others: ChatModule) -> Any:
        """A chat with this model; with further models, side by side."""
        models: Iterable[ChatModule] = (self, *others)
        return registry.get("view", "chat")(list(models) if others else self)
