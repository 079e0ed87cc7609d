"""Calls of models that do not chat: vectors, rankings, transcripts, speech, pictures. One for vendors and local deployments.

A `TypedCalls` knows a type and a codec; where the model answers is given with every call. It checks arguments, reads files, and
says what a user gets; long lists are `workbench.modules.typed.typed_batches`. Knows no vendor, no key and no wire format.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ... import registry
from ...core.answers import Answer
from ...core.endpoints import Endpoint, Timeouts
from ...core.media import Media
from ...core.messages import Completion, Usage
from ...core.typed import DrawRequest, Files, SpeakRequest, TranscribeRequest, Transcript
from ...core.vectors import Ranked, VectorList
from ...data.media import media, wav
from ...errors import ArgumentError
from .. import contents
from .results import Audio, Images
from .typed_batches import ranking, vectors
from .typed_call import OneCall
from .typed_inputs import files_of, is_one, item_of

CODECS = {
    "embed": "embeddings",
    "cross_modal_embed": "embeddings",
    "rerank": "rerank",
    "stt": "transcription",
    "tts": "speech",
    "sd": "images",
    "image_editing": "image_edits",
}
TIMEOUTS = Timeouts(first_byte=600.0, gap=120.0, total=3600.0)
_WORKERS = 4


class Outcome(NamedTuple):
    """What makes the value that a call gives its user, the tokens it took, and how many things it made: vectors, pictures, …"""

    make: Callable[[], Any]
    usage: Usage
    made: int = 1


class TypedCalls:
    """Calls of one type of model.

    Parameters
    ----------
    type : str
        ``embed cross_modal_embed rerank stt tts sd image_editing``.
    codec : str, optional
        A name in the registry group ``codec``; the usual one of the type when empty.
    batch_size : int, optional
        The most inputs of one request; what the vendor takes when not given.
    num_worker : int, optional
        How many requests of one call are under way at once.
    timeouts : Timeouts, optional
    defaults : Mapping, optional
        Parameters of every call that does not give its own.
    """

    def __init__(
        self,
        type: str,
        codec: str = "",
        *,
        batch_size: int | None = None,
        num_worker: int = _WORKERS,
        timeouts: Timeouts | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        if type not in CODECS:
            raise ArgumentError(f"There is no type {type!r}.", "", f"Choose one of: {', '.join(CODECS)}.")
        for name, value in (("batch_size", batch_size), ("num_worker", num_worker)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ArgumentError(f"{name} cannot be {value!r}.", "", "Give a whole number from 1.")
        self.type, self.codec = type, codec or CODECS[type]
        self.batch_size, self.num_worker = batch_size, num_worker
        self.timeouts = timeouts or TIMEOUTS
        self.defaults = dict(defaults or {})

    def begin(self, endpoint: Endpoint, *args: Any, told: Callable[[str], object] | None = None, **kwargs: Any) -> Coroutine[Any, Any, Outcome]:
        """Check a user's arguments and read the files; what it gives asks the model when it is awaited.

        Raises
        ------
        ArgumentError, DataError
            For arguments that cannot be meant. Awaiting raises `EndpointError`.
        """
        ways: dict[str, Callable[..., Coroutine[Any, Any, Outcome]]] = {
            "embed": self._embed,
            "cross_modal_embed": self._embed,
            "rerank": self._rerank,
            "stt": self._transcribe,
            "tts": self._speak,
            "sd": self._draw,
            "image_editing": self._draw,
        }
        return ways[self.type](OneCall(self, endpoint, told), *args, **kwargs)

    def spoken(self, endpoint: Endpoint, text: str, kwargs: Mapping[str, Any]) -> tuple[Endpoint, SpeakRequest, str, int]:
        """For speech in pieces: where to ask, what, and the mime type and samples a second of the pieces."""
        if self.type != "tts":
            raise ArgumentError(f"A model of type {self.type!r} does not stream.", "", "Call it instead.")
        call = OneCall(self, endpoint, None)
        request = replace(self._speech_request(call, text, dict(kwargs)), stream=True)
        codec = registry.get("codec", self.codec)(endpoint.options)
        return call.endpoint, request, codec.mime(request), codec.sample_rate

    def _embed(self, call: OneCall, input: Any = None, modality: str | None = None, **given: Any) -> Coroutine[Any, Any, Outcome]:
        parameters, single = call.parameters(given), is_one(input)
        items = tuple(item_of(i, modality) for i in ([input] if single else input))

        async def ask() -> Outcome:
            rows, usage = await vectors(call, items, parameters)
            return Outcome(lambda: rows[0] if single else VectorList(rows), usage, len(rows))

        return ask()

    def _rerank(self, call: OneCall, query: Any, documents: Any = None, top_n: int | None = None, **given: Any) -> Coroutine[Any, Any, Outcome]:
        parameters = call.parameters(given)
        if documents is None:
            raise ArgumentError("A reranker needs documents.", "", "Write m('query', documents=['…', '…'], top_n=2).")
        asked = item_of(query, None)
        items = tuple(item_of(d, None) for d in ([documents] if isinstance(documents, str | Mapping) else documents))
        if top_n is not None and (not isinstance(top_n, int) or top_n < -1):
            raise ArgumentError(f"top_n cannot be {top_n!r}.", "", "Give a whole number, or None for all documents.")
        wanted = len(items) if top_n is None or top_n < 1 else min(top_n, len(items))

        async def ask() -> Outcome:
            pairs, usage = await ranking(call, asked, items, wanted, parameters)
            return Outcome(lambda: Ranked(pairs, items), usage)

        return ask()

    def _transcribe(
        self, call: OneCall, input: Any = "", *, files: Any = None, lazyllm_files: Any = None, **given: Any
    ) -> Coroutine[Any, Any, Outcome]:
        parameters = call.parameters(given)
        sounds = files_of(input, files, lazyllm_files)
        if len(sounds) != 1:
            cause, fix = f"{len(sounds)} were given.", "Write m('speech.wav'); for several, call it for each."
            raise ArgumentError("Transcription takes one sound.", cause, fix)
        audio = media(sounds[0], "audio")

        async def ask() -> Outcome:
            sound = audio if audio.data or not call.reader.needs_content else await call.fetch(audio, given=True)
            found: Transcript = await call.send(TranscribeRequest(sound, call.endpoint.model, parameters))
            said = Completion(
                found.text,
                finish_reason="stop",
                usage=found.usage,
                model=found.model or call.endpoint.model,
                request_id=found.request_id,
                details=found.details,
            )
            return Outcome(lambda: Answer(said), found.usage)

        return ask()

    def _speak(self, call: OneCall, input: Any = "", **given: Any) -> Coroutine[Any, Any, Outcome]:
        request = self._speech_request(call, input, given)

        async def ask() -> Outcome:
            found: Files = await call.send(request)
            sound = await call.had(found.media[0])
            return Outcome(lambda: Audio(playable(sound, found.sample_rate), found.usage, call.endpoint.model), found.usage)

        return ask()

    def _speech_request(self, call: OneCall, input: Any, given: dict[str, Any]) -> SpeakRequest:
        said = contents.split(input).said
        if not isinstance(said, str) or not said.strip():
            raise ArgumentError("There is no text to say.", f"The input is {type(said).__name__} {str(said)[:40]!r}.", "Write m('Good morning!').")
        if "format" in given:
            given["response_format"] = given.pop("format")
        voice = given.pop("voice", None) or self.defaults.get("voice") or ""
        parameters = call.parameters(given)
        parameters.pop("voice", None)
        return SpeakRequest(str(said), str(voice), call.endpoint.model, parameters)

    def _draw(
        self, call: OneCall, input: Any = "", *, files: Any = None, lazyllm_files: Any = None, mask: Any = None, **given: Any
    ) -> Coroutine[Any, Any, Outcome]:
        prompt, own = contents.split(input)
        pictures = [media(f) for f in contents.once(own, files, lazyllm_files)]
        if not isinstance(prompt, str) or not prompt.strip():
            raise ArgumentError("There is no text that says what to make.", "", "Write m('a cat').")
        if self.type == "image_editing" and not pictures:
            raise ArgumentError("There is no picture to change.", "", "Write m('make it blue', files=['picture.png']).")
        parameters = call.parameters(given)
        hole = media(mask) if mask is not None else None

        async def ask() -> Outcome:
            sent, cut = pictures, hole
            if getattr(call.reader, "needs_content", False):
                sent = [await call.had(p, given=True) for p in pictures]
                cut = await call.had(hole, given=True) if hole is not None else None
            found: Files = await call.send(DrawRequest(prompt, tuple(sent), cut, call.endpoint.model, parameters))
            made = await asyncio.gather(*(call.had(m) for m in found.media))
            return Outcome(lambda: Images(made, found.usage, found.model or call.endpoint.model, found.text), found.usage, len(made))

        return ask()


def playable(sound: Media, rate: int) -> Media:
    """A sound that players know: bare samples get the head of a WAV file."""
    if sound.mime != "audio/pcm":
        return sound
    return Media("audio", "audio/wav", wav(sound.data, 1, rate or 24000), "", "speech.wav")
