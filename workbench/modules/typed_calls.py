"""Calls of models that do not chat: vectors, rankings, transcripts, speech, pictures. One for vendors and local deployments.

A `TypedCalls` knows a type and a codec; where the model answers is given with every call. It checks arguments, cuts long lists
into requests, asks several at once, fetches results that lie at an address, and makes what a user gets. Knows no vendor, no key
and no wire format.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

from .. import registry
from ..core.endpoints import Endpoint, Timeouts
from ..core.media import Media
from ..core.messages import Usage
from ..core.typed import DrawRequest, EmbedRequest, Files, Item, Ranking, RerankRequest, SpeakRequest, TranscribeRequest, Transcript, Vectors
from ..errors import ArgumentError, BadRequest, ContextTooLong, EndpointError
from . import contents
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
T = TypeVar("T")


class Outcome(NamedTuple):
    """What a call gives its user, and the tokens it took."""

    value: Any
    usage: Usage


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

    async def ask(self, endpoint: Endpoint, *args: Any, told: Callable[[str], object] | None = None, **kwargs: Any) -> Outcome:
        """One call with a user's arguments.

        Raises
        ------
        ArgumentError, DataError
            For arguments that cannot be meant.
        EndpointError
        """
        ways: dict[str, Callable[..., Awaitable[Outcome]]] = {
            "embed": self._embed,
            "cross_modal_embed": self._embed,
            "rerank": self._rerank,
            "stt": self._transcribe,
            "tts": self._speak,
            "sd": self._draw,
            "image_editing": self._draw,
        }
        return await ways[self.type](OneCall(self, endpoint, told), *args, **kwargs)

    def spoken(self, endpoint: Endpoint, text: str, kwargs: Mapping[str, Any]) -> tuple[Endpoint, SpeakRequest, str, int]:
        """For speech in pieces: where to ask, what, and the mime type and samples a second of the pieces."""
        if self.type != "tts":
            raise ArgumentError(f"A model of type {self.type!r} does not stream.", "", "Call it instead.")
        call = OneCall(self, endpoint, None)
        request = replace(self._speech_request(call, text, dict(kwargs)), stream=True)
        codec = registry.get("codec", self.codec)(endpoint.options)
        return call.endpoint, request, codec.mime(request), codec.sample_rate

    # ---- vectors

    async def _embed(self, call: OneCall, input: Any = None, modality: str | None = None, **given: Any) -> Outcome:
        parameters = call.parameters(given)
        single = is_one(input)
        items = tuple(item_of(i, modality) for i in ([input] if single else input))
        if not items:
            return Outcome([], Usage())
        size = self.batch_size or call.reader.batch_size
        ready = 0

        async def batch(start: int) -> Vectors:
            nonlocal ready
            found = await self._batch(call, items[start : start + size], parameters, start)
            ready += len(found.vectors)
            if call.told is not None:
                call.told(f"{ready:,} of {len(items):,}")
            return found

        done = await self._side_by_side([partial(batch, i) for i in range(0, len(items), size)])
        rows = [row for vectors in done for row in vectors.vectors]
        usage = sum((v.usage for v in done), Usage())
        return Outcome(rows[0] if single else rows, usage)

    async def _batch(self, call: OneCall, items: Sequence[Item], parameters: Mapping[str, Any], start: int) -> Vectors:
        """The vectors of some inputs, ``start`` being the number of the first; in two halves when the server finds them too many."""
        try:
            found: Vectors = await call.send(EmbedRequest(tuple(items), call.endpoint.model, parameters))
        except EndpointError as e:
            if not _too_much(e):
                raise
            if len(items) < 2:
                e.what += f" It was input {start} of the list." if start else ""
                raise
            middle = len(items) // 2
            first = await self._batch(call, items[:middle], parameters, start)  # a request that is wrong for another reason ends here
            second = await self._batch(call, items[middle:], parameters, start + middle)
            return Vectors((*first.vectors, *second.vectors), first.usage + second.usage, first.model, second.request_id)
        if len(found.vectors) != len(items):
            raise EndpointError(
                f"{call.endpoint.source} gave {len(found.vectors)} vectors for {len(items)} inputs.",
                "It does not understand the request's form.",
                "Try batch_size=1, or check that the model makes vectors.",
                source=call.endpoint.source,
                model=call.endpoint.model,
                request_id=found.request_id,
            )
        return found

    async def _side_by_side(self, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
        """All results in order, some requests at once; the first error ends the others."""
        turns = asyncio.Semaphore(self.num_worker)

        async def one(call: Callable[[], Awaitable[T]]) -> T:
            async with turns:
                return await call()

        tasks = [asyncio.ensure_future(one(c)) for c in calls]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    # ---- rankings

    async def _rerank(self, call: OneCall, query: Any, documents: Any = None, top_n: int | None = None, **given: Any) -> Outcome:
        parameters = call.parameters(given)
        if documents is None:
            raise ArgumentError("A reranker needs documents.", "", "Write m('query', documents=['…', '…'], top_n=2).")
        if isinstance(documents, str | Mapping):
            documents = [documents]
        items = tuple(item_of(d, None) for d in documents)
        if top_n is not None and (not isinstance(top_n, int) or top_n < -1):
            raise ArgumentError(f"top_n cannot be {top_n!r}.", "", "Give a whole number, or None for all documents.")
        wanted = len(items) if top_n is None or top_n < 1 else min(top_n, len(items))
        if not items:
            return Outcome([], Usage())
        size = self.batch_size or call.reader.batch_size
        asked = partial(self._ranked, call, item_of(query, None), parameters, wanted)
        done = await self._side_by_side([partial(asked, items[i : i + size], i) for i in range(0, len(items), size)])
        pairs = sorted((p for found in done for p in found.pairs), key=lambda p: (-p[1], p[0]))
        return Outcome(pairs[:wanted], sum((found.usage for found in done), Usage()))

    async def _ranked(self, call: OneCall, query: Item, parameters: Mapping[str, Any], wanted: int, items: Sequence[Item], start: int) -> Ranking:
        """The ranking of some documents, ``start`` being the number of the first: a reranker judges each by itself."""
        found: Ranking = await call.send(RerankRequest(query, tuple(items), min(wanted, len(items)), call.endpoint.model, parameters))
        return replace(found, pairs=tuple((start + i, score) for i, score in found.pairs if 0 <= i < len(items)))

    # ---- sound

    async def _transcribe(self, call: OneCall, input: Any = "", *, files: Any = None, lazyllm_files: Any = None, **given: Any) -> Outcome:
        from ..core.answers import Answer
        from ..core.messages import Completion
        from ..data.media import media

        sounds = files_of(input, files, lazyllm_files)
        if len(sounds) != 1:
            raise ArgumentError(
                "Transcription takes one sound.", f"{len(sounds)} were given.", "Write m('speech.wav'); for several, call it for each."
            )
        audio = media(sounds[0], "audio")
        parameters = call.parameters(given)
        if not audio.data and call.reader.needs_content:
            audio = await call.fetch(audio, given=True)
        found: Transcript = await call.send(TranscribeRequest(audio, call.endpoint.model, parameters))
        completion = Completion(found.text, "", (), "stop", found.usage, model=found.model or call.endpoint.model, request_id=found.request_id)
        return Outcome(Answer(completion), found.usage)

    async def _speak(self, call: OneCall, input: Any = "", **given: Any) -> Outcome:
        from .results import Audio

        found: Files = await call.send(self._speech_request(call, input, given))
        media = found.media[0]
        if not media.data:
            media = await call.fetch(media)
        return Outcome(Audio(playable(media, found.sample_rate), found.usage, call.endpoint.model), found.usage)

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

    # ---- pictures

    async def _draw(self, call: OneCall, input: Any = "", *, files: Any = None, lazyllm_files: Any = None, mask: Any = None, **given: Any) -> Outcome:
        from ..data.media import media
        from .results import Images

        prompt, own = contents.split(input)
        pictures = tuple(media(f) for f in contents.once(own, files, lazyllm_files))
        if not isinstance(prompt, str) or not prompt.strip():
            raise ArgumentError("There is no text that says what to make.", "", "Write m('a cat').")
        if self.type == "image_editing" and not pictures:
            raise ArgumentError("There is no picture to change.", "", "Write m('make it blue', files=['picture.png']).")
        parameters = call.parameters(given)
        hole = media(mask) if mask is not None else None
        if getattr(call.reader, "needs_content", False):
            pictures = tuple([p if p.data else await call.fetch(p, given=True) for p in pictures])
            hole = await call.fetch(hole, given=True) if hole is not None and not hole.data else hole
        found: Files = await call.send(DrawRequest(prompt, pictures, hole, call.endpoint.model, parameters))
        made = await asyncio.gather(*(_had(call, m) for m in found.media))
        return Outcome(Images(made, found.usage, found.model or call.endpoint.model, found.text), found.usage)


def playable(media: Media, rate: int) -> Media:
    """A sound that players know: bare samples get the head of a WAV file."""
    if media.mime != "audio/pcm":
        return media
    from ..data.media import wav

    return Media("audio", "audio/wav", wav(media.data, 1, rate or 24000), "", "speech.wav")


async def _had(call: OneCall, media: Media) -> Media:
    return media if media.data else await call.fetch(media)


def _too_much(error: EndpointError) -> bool:
    """Whether fewer inputs might be accepted. llama.cpp, for one, says so with HTTP 500."""
    return isinstance(error, BadRequest | ContextTooLong) or bool(re.search(r"too (?:large|many|long)", error.cause))
