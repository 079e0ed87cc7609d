"""`AnyKind`: a module whose model may be of any type. One that chats is called as `ChatModule` says, every other one through
`TypedCalls`, the way vendors' models are. Which type it is, and where it answers, is its subclasses' matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

from ... import registry
from ...core.endpoints import Endpoint, Timeouts
from ...core.kinds import CHATS, KINDS, noun
from ...core.messages import ChatRequest, Message
from ...data.media import media
from ...errors import ArgumentError, EndpointError, unknown_argument
from ...formatters import Formatter
from ...runtime.threads import in_thread
from ..chat import ChatModule, Prompt, Tools
from ..contents import as_list
from ..streaming.printing import StreamOption
from ..streaming.switch import StreamSwitch
from . import typed_module
from .typed_calls import CODECS, TypedCalls
from .typed_inputs import is_one

_PARTS = {  # of a message, in OpenAI's and the engines' names
    "audio_url": "audio",
    "file": "file",
    "image": "image",
    "image_url": "image",
    "input_audio": "audio",
    "input_image": "image",
    "video_url": "video",
}
_TIMEOUTS = Timeouts(first_byte=3600.0, gap=600.0)  # a picture takes long without a GPU, and an engine that dies ends its connections
_CANNOT = {
    "audio": ("a sound", "Have the speech written down first: wb.TrainableModule('openai/whisper-small').start()('speech.wav')."),
    "file": ("a file of this sort", "Give its text with the question, or, to a model that sees, pictures of its pages."),
    "image": ("a picture", "Choose a model that sees, such as 'Qwen/Qwen2.5-VL-3B-Instruct'; if this one does, write type='vlm'."),
    "video": ("a video", "Choose a model that sees videos; if this one does, write type='vlm'."),
}


class AnyKind(ChatModule):
    """A `ChatModule` whose model may also be one that makes vectors, rankings, texts of speech, speech or pictures."""

    _wants_chat = False  # whether it was given something that only a chat has

    @property
    def _kind(self) -> str:
        """The type, as far as it is known without reading a file; empty where it is not."""
        raise NotImplementedError

    @property
    def _takes(self) -> tuple[str, ...]:
        """What the model can be given, such as ``text`` and ``image``; empty where that is not known."""
        return ()

    @property
    def _typed(self) -> TypedCalls | None:
        """How it is called where it does not chat."""
        kind = self._kind
        return None if not kind or kind in CHATS else TypedCalls(kind, defaults=self._parameters, timeouts=_TIMEOUTS)

    # ---- calling

    def forward(
        self,
        input: Any = "",
        files: Any = None,
        *,
        documents: Any = None,
        top_n: int | None = None,
        llm_chat_history: Any = None,
        lazyllm_files: Any = None,
        tools: Tools | None = None,
        stream: StreamOption | None = None,
        stream_output: StreamOption | None = None,
        max_retries: int | None = None,
        **parameters: Any,
    ) -> Any:
        """Answer, in the way of the model's type.

        Parameters
        ----------
        input : str, list, path, bytes, dict, …
            Of a chat: a text, the values of the prompt's slots, or OpenAI messages; also a query with files, as
            ``encode_query_with_filepaths`` makes it. For vectors: a text or a list of them, with ``cross_modal_embed`` also pictures.
            For a ranking: the query. To write down speech: the sound. Else: the text to say, or what to draw.
        files, lazyllm_files : path, bytes, image, …, or a list of them, optional
            Pictures, sounds and other files that go with the input; either name.
        documents : list, for a ranking
        top_n : int, for a ranking
            How many of the best; all when not given.
        llm_chat_history : sequence, for a chat
            Earlier turns: ``[[user, assistant], …]`` or OpenAI messages. Inside a `session` those of the session when not given.
        tools : sequence of dict, for a chat
            OpenAI tool descriptions.
        stream, stream_output : bool or dict, for a chat
            Print this answer while it comes; the module's own option when not given.
        max_retries : int, optional
            How often a request is sent again that the endpoint did not take; 2 when not given.
        **parameters
            Of a chat ``temperature``, ``max_tokens``, … under OpenAI's names; of the other types those of their calls, such as
            ``dimensions``, ``voice``, ``language``, ``size``, ``n`` and ``seed``.

        Returns
        -------
        Answer, list, Audio or Images
            A chat's text, or that of speech, as an `Answer`; a vector, or a list of them; ``[(index, score), …]``, the best first;
            a sound that a notebook plays; pictures that it shows. Or what the formatter made of it.

        Raises
        ------
        NotStarted
            Before `start`.
        ArgumentError
            For what a model of its type cannot be asked.
        EndpointError
            One of its kinds when the request fails.
        """
        endpoint, calls = self.endpoint, self._typed
        if calls is None:
            return super().forward(
                input,
                files,
                llm_chat_history=llm_chat_history,
                lazyllm_files=lazyllm_files,
                tools=tools,
                stream=stream,
                stream_output=stream_output,
                max_retries=max_retries,
                **_given(parameters, documents=documents, top_n=top_n),
            )
        self._only_chats_take(tools=tools, llm_chat_history=llm_chat_history)
        given = _given(parameters, files=files, lazyllm_files=lazyllm_files, documents=documents, top_n=top_n)
        args, kwargs = _typed_arguments(calls.type, input, given)
        try:
            value = typed_module.ask(self, calls, _with_retries(endpoint, max_retries), args, kwargs)
        except EndpointError as e:
            raise self._explained(e) from None
        return self._shaped(value)

    async def aforward(
        self,
        input: Any = "",
        files: Any = None,
        *,
        documents: Any = None,
        top_n: int | None = None,
        llm_chat_history: Any = None,
        lazyllm_files: Any = None,
        tools: Tools | None = None,
        stream: StreamOption | None = None,
        stream_output: StreamOption | None = None,
        max_retries: int | None = None,
        **parameters: Any,
    ) -> Any:
        """`forward` without blocking the event loop; ``await m.acall(…)`` comes here."""
        endpoint, calls = self.endpoint, self._typed
        if calls is None:
            return await super().aforward(
                input,
                files,
                llm_chat_history=llm_chat_history,
                lazyllm_files=lazyllm_files,
                tools=tools,
                stream=stream,
                stream_output=stream_output,
                max_retries=max_retries,
                **_given(parameters, documents=documents, top_n=top_n),
            )
        self._only_chats_take(tools=tools, llm_chat_history=llm_chat_history)
        given = _given(parameters, files=files, lazyllm_files=lazyllm_files, documents=documents, top_n=top_n)
        args, kwargs = _typed_arguments(calls.type, input, given)
        try:
            value = await typed_module.aask(self, calls, _with_retries(endpoint, max_retries), args, kwargs)
        except EndpointError as e:
            raise await in_thread(self._explained, e) from None
        return await in_thread(self._shaped, value)

    def _shaped(self, value: Any) -> Any:
        return value if self._formatter is None else self._formatter(value)

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
        """A `Stream` of a chat's answer, or a `SpeechStream`."""
        endpoint, calls = self.endpoint, self._typed
        if calls is None:
            return super()._streamed(input, files, llm_chat_history=llm_chat_history, lazyllm_files=lazyllm_files, tools=tools, **parameters)
        if calls.type != "tts":
            raise self._is_not("has no stream", "Its answer comes as a whole.")
        self._only_chats_take(tools=tools, llm_chat_history=llm_chat_history)
        retries = parameters.pop("max_retries", None)
        return typed_module.speech(self, calls, _with_retries(endpoint, retries), input, parameters, self._explained)

    # ---- what only a chat has

    def prompt(self, prompt: Prompt = None, history: Any = None) -> Self:
        """Set what stands around every input of a chat.

        Parameters
        ----------
        prompt : str, dict, prompter or None
            An instruction, or ``{'system': …, 'user': …}``; ``{slots}`` are filled from dict inputs. None takes it away.
        history : sequence, optional
            Turns that come before every call: ``[[user, assistant], …]`` or OpenAI messages.
        """
        self._only_chats_take(prompt=prompt, history=history)
        self._wants_chat = prompt is not None or history is not None
        return super().prompt(prompt, history)

    def share(
        self,
        prompt: Prompt = None,
        format: Formatter | None = None,
        stream: StreamOption | StreamSwitch | None = None,
        history: Any = None,
        copy_static_params: bool = False,
    ) -> Self:
        """Another face of the same deployment; see `ChatModule.share`. ``prompt`` and ``history`` are for chats."""
        self._only_chats_take(prompt=prompt, history=history)
        other = super().share(prompt, format, stream, history, copy_static_params)
        other._wants_chat = self._wants_chat or prompt is not None or history is not None
        return other

    def request(self, input: Any, history: Any = None, tools: Tools | None = None, given: Mapping[str, Any] | None = None) -> ChatRequest:
        """What would be sent for an input of a chat: turns, tools and parameters."""
        self._must_chat("has no turns")
        made = super().request(input, history, tools, given)
        self._check_files(made.messages)
        return made

    def chat(self, *others: ChatModule) -> Any:
        """A chat with this model; with further models, side by side."""
        self._must_chat("does not chat")
        return super().chat(*others)

    def _known_parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Default parameters, checked as far as the type is known."""
        kind = self._kind
        if not kind or kind in CHATS:
            return super()._known_parameters(given)
        known = {*registry.get("codec", CODECS[kind])({}).known, "extra", "extra_body", "model", "voice", *self._optional}
        for name in given:
            if name not in known:
                raise unknown_argument(f"A call of type {kind!r}", name, known)
        return dict(given)

    def _check_files(self, turns: Iterable[Message]) -> None:
        """Refuse a picture or a sound that the model cannot take, where that is known: engines say it late and darkly, or answer anyhow."""
        given = {_PARTS.get(str(part.get("type")), "") for turn in turns if not isinstance(turn.content, str) for part in turn.content} - {""}
        takes = self._takes if given else ()
        for kind in sorted(given - set(takes)) if takes else ():
            what, fix = _CANNOT[kind]
            cause = f"It takes {' and '.join(t.replace('image', 'picture') + 's' for t in takes)}."
            raise ArgumentError(f"{self.name} cannot be given {what}.", cause, fix)

    def _check_prompted(self, kind: str) -> None:
        """Refuse to start a model of a type that cannot do what was set."""
        if self._wants_chat and kind not in CHATS:
            raise self._is_not("takes no prompt", kind=kind)

    def _must_chat(self, what: str) -> None:
        if (kind := self._kind) and kind not in CHATS:
            raise self._is_not(what)

    def _only_chats_take(self, **given: Any) -> None:
        named = [name for name, value in given.items() if value is not None]
        if named and (kind := self._kind) and kind not in CHATS:
            raise self._is_not(f"takes no {', '.join(named)}")

    def _is_not(self, what: str, cause: str = "Only chat models do.", kind: str = "") -> ArgumentError:
        kind = kind or self._kind
        known = KINDS.get(kind, KINDS["llm"])
        return ArgumentError(f"{self.name} is {noun(kind)}: it {what}.", cause, f"Write {known.call}; it gives {known.gives}.")


def _given(more: Mapping[str, Any] | None = None, /, **values: Any) -> dict[str, Any]:
    return {**(more or {}), **{name: value for name, value in values.items() if value is not None}}


def _typed_arguments(type: str, input: Any, given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as `TypedCalls` takes them."""
    if type == "rerank":
        if "documents" not in given and "files" in given:  # m('query', […])
            given["documents"] = given.pop("files")
        input = given.pop("query", None) if input == "" and "query" in given else input
    if type in ("embed", "cross_modal_embed") and (files := given.pop("files", given.pop("lazyllm_files", None))) is not None:
        if input != "" and type == "embed":
            raise ArgumentError("An embedding model takes no files.", "This one makes vectors of texts.", "Give the text alone.")
        if input != "":
            raise ArgumentError("Files and a text make one vector only together.", "", "Write m({'text': '…', 'image': 'picture.png'}).")
        opened = [media(file) for file in as_list(files)]  # a path, taken for a text, would make a vector as well
        input = opened[0] if is_one(files) else opened
    return (input,), given


def _with_retries(endpoint: Endpoint, retries: int | None) -> Endpoint:
    return endpoint if retries is None else replace(endpoint, network=replace(endpoint.network, max_retries=int(retries)))
