"""`ChatModule`: a module that answers through an endpoint. Knows prompts, parameters, streams and formatters; where the
endpoint comes from is its subclasses' matter, and the only thing they differ in.
"""

from __future__ import annotations

import copy
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from .. import registry
from ..core.answers import Answer
from ..core.endpoints import Endpoint, Timeouts
from ..core.messages import ChatRequest, Completion, Message
from ..errors import ArgumentError, EndpointError
from ..flows.binding import bind
from ..formatters import Formatter, chain, formatter_of
from ..prompts import ChatPrompter, PrompterBase, prompter_of
from . import contents, parameters, sessions, usage
from .base import ModuleBase
from .streaming.outlet import Outlet
from .streaming.printing import StreamOption, check_stream
from .streaming.switch import StreamSwitch
from .wishes import tries

if TYPE_CHECKING:
    from ..runtime.answering.stream import Stream

Tools = Sequence[Mapping[str, Any]]
Prompt = str | Mapping[str, Any] | PrompterBase | None
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
        When the last answers ended, in seconds since the epoch, and what they were; one for all faces of a deployment. Those of a
        model that does not chat have no text; their ``details['made']`` says how many vectors, pictures, … they gave.
    """

    def __init__(self, *, stream: StreamOption = False, return_trace: bool = False, name: str = "") -> None:
        super().__init__(return_trace=return_trace, name=name)
        self._stream = check_stream(stream)
        self._prompt: PrompterBase = ChatPrompter()
        self._formatter: Formatter | None = None
        self._parameters: dict[str, Any] = {}
        self._optional: frozenset[str] = frozenset()
        self.recent = deque[tuple[float, Completion]](maxlen=_RECENT)

    # ---- where it answers: a subclass's matter

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers. Raises `NotStarted` when it answers nowhere yet."""
        raise NotImplementedError

    def _explained(self, error: EndpointError) -> EndpointError:
        """A better error for one that a request ended with, where the module knows more."""
        return error

    def _cost(self, completion: Completion) -> float | None:
        """What an answer cost, in US dollars; None where nobody knows."""
        return None

    # ---- building

    @tries
    def prompt(self, prompt: Prompt = None, history: Any = None) -> Self:
        """Set what stands around every input.

        Parameters
        ----------
        prompt : str, dict, prompter or None
            An instruction, or ``{'system': …, 'user': …}``; ``{slots}`` are filled from dict inputs. None takes it away.
        history : sequence, optional
            Turns that come before every call: ``[[user, assistant], …]`` or OpenAI messages.
        """
        self._prompt = prompter_of(prompt, history)
        return self

    @tries
    def formatter(self, format: Formatter | None = None) -> Self:
        """Set what is made of every answer: any callable from an `Answer` (a text) to a value; None gives the answer itself."""
        self._formatter = None if format is None else formatter_of(format)
        return self

    @tries
    def set_default_parameters(self, *, optional_keys: Iterable[str] | str = (), **parameters_: Any) -> Self:
        """Set parameters, such as ``temperature``, for every call that does not give its own; None takes one away.

        Parameters
        ----------
        optional_keys : sequence of str, optional
            Names beyond the known ones that calls of this module may give.
        """
        self._optional |= frozenset([optional_keys] if isinstance(optional_keys, str) else optional_keys)
        merged = {**self._parameters, **self._known_parameters(parameters_)}
        self._parameters = {k: v for k, v in merged.items() if v is not None}
        return self

    @property
    def static_params(self) -> Mapping[str, Any]:
        """The parameters of every call that does not give its own; assigning replaces them all."""
        return dict(self._parameters)

    @static_params.setter
    def static_params(self, value: Mapping[str, Any]) -> None:
        if not isinstance(value, Mapping):
            raise ArgumentError(f"static_params cannot be a {type(value).__name__}.", "", "Give a dict such as {'temperature': 0}.")
        self._parameters = {k: v for k, v in self._known_parameters(value).items() if v is not None}

    def _known_parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Default parameters as they are kept; a misspelt one is refused."""
        return parameters.check(given, self._optional)

    @property
    def stream(self) -> StreamSwitch:
        """What it was told about streaming; called with what a call takes, it opens a `Stream` of one answer."""
        return StreamSwitch(self, self._stream)

    @stream.setter
    def stream(self, option: StreamOption | StreamSwitch) -> None:
        self._stream = check_stream(option.option if isinstance(option, StreamSwitch) else option)

    def share(
        self,
        prompt: Prompt = None,
        format: Formatter | None = None,
        stream: StreamOption | StreamSwitch | None = None,
        history: Any = None,
        copy_static_params: bool = False,
    ) -> Self:
        """Another face of the same deployment: its own prompt, formatter, history and stream option.

        What is not given is taken over, hooks and default parameters too; what either sets later, the other does not see.
        Nothing new is deployed; starting or stopping one starts or stops all.

        Parameters
        ----------
        prompt, format, stream, history : optional
            As in `prompt`, `formatter` and the constructor.
        copy_static_params : bool, optional
            For those who name it: the default parameters are a copy in any case.
        """
        other = copy.copy(self)
        other.module_id = uuid.uuid4().hex[:12]
        other.eval_result = other._evaluation = None
        other.usage = other.last_usage = usage.ZERO
        other._usage_in = {}
        usage.known_as(other)
        if prompt is not None or history is not None:
            other._prompt = prompter_of(self._prompt if prompt is None else prompt, history)
        if format is not None:
            other.formatter(format)
        if stream is not None:
            other.stream = stream
        return other

    def __or__(self, formatter: Formatter) -> Self:
        if not callable(formatter) or isinstance(formatter, bind):
            return NotImplemented
        return self.share(format=chain(self._formatter, formatter))

    # ---- calling

    def forward(
        self,
        input: Any = "",
        files: Any = None,
        *,
        llm_chat_history: Any = None,
        lazyllm_files: Any = None,
        tools: Tools | None = None,
        stream: StreamOption | None = None,
        stream_output: StreamOption | None = None,
        max_retries: int | None = None,
        **parameters: Any,
    ) -> Any:
        """Answer.

        Parameters
        ----------
        input : str, dict or sequence of messages
            A text, the values of the prompt's slots, or OpenAI messages; also a query with files, as
            ``encode_query_with_filepaths`` makes it.
        files, lazyllm_files : path, bytes, image, …, or a list of them, optional
            Pictures, sounds and other files that go with the input; either name.
        llm_chat_history : sequence, optional
            Earlier turns: ``[[user, assistant], …]`` or OpenAI messages. Inside a `session` those of the session when not given.
        tools : sequence of dict, optional
            OpenAI tool descriptions.
        stream, stream_output : bool or dict, optional
            Print this answer while it comes; the module's own option when not given.
        max_retries : int, optional
            How often a request is sent again that the endpoint did not take; 2 when not given.
        **parameters
            ``temperature``, ``max_tokens``, … under OpenAI's names.

        Returns
        -------
        Answer
            The text, which also has ``usage``, ``reasoning``, ``tool_calls``, …; or what the formatter made of it.

        Raises
        ------
        NotStarted
            Before `start`.
        EndpointError
            One of its kinds when the request fails.
        """
        option = self._option(stream, stream_output)
        given = parameters if max_retries is None else {**parameters, "max_retries": max_retries}
        answer = self._open(contents.said(input, files, lazyllm_files), llm_chat_history, tools, given)
        with Outlet(self, self.name, option, answer) as outlet:
            if outlet.put is not None:
                for piece in answer:
                    outlet.put(piece)
            completion = answer.join()
        return self._made(completion)

    async def aforward(
        self,
        input: Any = "",
        files: Any = None,
        *,
        llm_chat_history: Any = None,
        lazyllm_files: Any = None,
        tools: Tools | None = None,
        stream: StreamOption | None = None,
        stream_output: StreamOption | None = None,
        max_retries: int | None = None,
        **parameters: Any,
    ) -> Any:
        """`forward` without blocking the event loop; ``await m.acall(…)`` comes here."""
        option = self._option(stream, stream_output)
        given = parameters if max_retries is None else {**parameters, "max_retries": max_retries}
        answer = self._open(contents.said(input, files, lazyllm_files), llm_chat_history, tools, given)
        with Outlet(self, self.name, option, answer) as outlet:
            if outlet.put is not None:
                async for piece in answer:
                    outlet.put(piece)
            completion = await answer.ajoin()
        return self._made(completion)

    def _streamed(
        self,
        input: Any = "",
        files: Any = None,
        *,
        llm_chat_history: Any = None,
        lazyllm_files: Any = None,
        tools: Tools | None = None,
        **parameters: Any,
    ) -> Any:
        """What ``m.stream(…)`` gives."""
        return self._open(contents.said(input, files, lazyllm_files), llm_chat_history, tools, parameters)

    async def astream(self, input: Any = "", files: Any = None, **arguments: Any) -> AsyncIterator[Any]:
        """`stream` as an async generator: of pieces of a text, or of a model that speaks, of sound."""
        async for piece in self.stream(input, files, **arguments):
            yield piece

    def request(self, input: Any, history: Any = None, tools: Tools | None = None, given: Mapping[str, Any] | None = None) -> ChatRequest:
        """What would be sent for an input: turns, tools and parameters."""
        sent = {**self._parameters, **self._checked(given or {})}
        turns, own_tools = self._turns(input, history, tools)
        return ChatRequest(turns, self.endpoint.model, own_tools, {k: v for k, v in sent.items() if v is not None})

    def _turns(self, input: Any, history: Any, tools: Tools | None) -> tuple[tuple[Message, ...], tuple[Mapping[str, Any], ...]]:
        """The turns that are sent for an input, and the tools that go with them."""
        said, files = contents.split(input)
        talk = sessions.current.get()
        earlier = talk.history(self) if history is None and talk is not None and self._prompt.has_history else history
        asked = self._prompt.ask(said, earlier, tools)
        return contents.with_files(asked.messages, files), asked.tools

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A call's parameters as they are sent; a misspelt one is refused."""
        return parameters.check(given, self._optional)

    def _option(self, stream: StreamOption | None, stream_output: StreamOption | None) -> StreamOption:
        given = stream if stream is not None else stream_output
        return self._stream if given is None else check_stream(given)

    def _open(self, input: Any, history: Any, tools: Tools | None, given: Mapping[str, Any]) -> Stream:
        """The stream of one answer. ``given`` has the call's parameters, and ``max_retries`` where that was given."""
        endpoint = self.endpoint
        if "max_retries" in given:
            endpoint = replace(endpoint, network=replace(endpoint.network, max_retries=int(given["max_retries"])))
        request = self.request(input, history, tools, {k: v for k, v in given.items() if k != "max_retries"})
        return self._send(endpoint, request, remember=history is None)

    def _send(self, endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts | None = None, *, remember: bool = True) -> Stream:
        """Open a stream, and count what it takes for every module whose call it is part of.

        Parameters
        ----------
        remember : bool
            Whether the session keeps the turn: not that of a call which brings a history of its own.
        """
        from ..runtime.answering.client import open_stream

        talk = sessions.current.get() if remember else None
        answer = open_stream(endpoint, request, timeouts=timeouts)
        answer.explain = self._explained
        return answer.on_end(partial(self._ended, usage.running.get(), talk, request))

    def _ended(self, call: usage.Call | None, talk: sessions.Session | None, request: ChatRequest, completion: Completion) -> None:
        self.recent.append((time.time(), completion))
        usage.count(completion.usage, self, call)
        if call is None:
            self.last_usage = completion.usage
        if talk is not None and (completion.text or completion.tool_calls) and completion.finish_reason != "cancelled":
            talk.record(self, request.messages, completion)

    def _made(self, completion: Completion) -> Any:
        answer = Answer(completion, self._cost(completion))
        return answer if self._formatter is None else self._formatter(answer)

    # ---- views

    def chat(self, *others: ChatModule) -> Any:
        """A chat with this model; with further models, side by side."""
        models: Iterable[ChatModule] = (self, *others)
        return registry.get("view", "chat")(list(models) if others else self)
