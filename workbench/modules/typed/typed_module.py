"""`TypedModule`: a module around a model that does not chat. Knows calls, their progress and the count of tokens; where the model
answers is its subclasses' matter.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...core.endpoints import Endpoint
from ...core.messages import Completion, FinishReason, Timing, Usage
from ...errors import EndpointError
from ...runtime.threads import in_thread
from .. import usage
from ..base import ModuleBase
from ..usage import running
from ..waiting import Waiting
from .typed_calls import Outcome, TypedCalls

if TYPE_CHECKING:
    from ...runtime.answering.arriving import Arriving
    from .results import Audio


class TypedModule(ModuleBase):
    """Base of the modules whose model makes vectors, rankings, transcripts, speech or pictures.

    Parameters
    ----------
    calls : TypedCalls
    return_trace, name
        As in `ModuleBase`.
    """

    def __init__(self, calls: TypedCalls, *, return_trace: bool = False, name: str = "") -> None:
        super().__init__(return_trace=return_trace, name=name)
        self._calls = calls

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers."""
        raise NotImplementedError

    @property
    def type(self) -> str:
        """What kind of model it is, in capitals, such as ``EMBED``."""
        return self._calls.type.upper()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Ask the model; see the subclass for the arguments of each type."""
        return ask(self, self._calls, self.endpoint, args, kwargs)

    async def aforward(self, *args: Any, **kwargs: Any) -> Any:
        """The same without blocking the event loop."""
        return await aask(self, self._calls, self.endpoint, args, kwargs)

    def stream(self, input: str, **parameters: Any) -> SpeechStream:
        """Speech while it is made.

        Returns
        -------
        SpeechStream
            Iterate it (``for`` or ``async for``) for bytes, or ``join()`` it for the whole `Audio`.
        """
        return speech(self, self._calls, self.endpoint, input, parameters)


def ask(module: ModuleBase, calls: TypedCalls, endpoint: Endpoint, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Ask a model that does not chat: one call, with its progress and its tokens."""
    from ...runtime import loop

    with Waiting(module.name) as waiting, _Noted(module, endpoint) as noted:
        return noted.made(loop.run(calls.begin(endpoint, *args, told=waiting.told, **kwargs)))


async def aask(module: ModuleBase, calls: TypedCalls, endpoint: Endpoint, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`ask` without blocking the event loop."""
    from ...runtime import loop

    with Waiting(module.name) as waiting, _Noted(module, endpoint) as noted:
        asked = await in_thread(calls.begin, endpoint, *args, told=waiting.told, **kwargs)
        return await in_thread(noted.made, await asyncio.wrap_future(loop.spawn(asked)))


def speech(
    module: ModuleBase,
    calls: TypedCalls,
    endpoint: Endpoint,
    input: Any,
    parameters: Mapping[str, Any],
    explain: Callable[[EndpointError], EndpointError] | None = None,
) -> SpeechStream:
    """Speech while it is made, noted at its end; ``explain`` makes a better error of one."""
    from ...runtime.network.calls import open_pieces

    where, request, mime, rate = calls.spoken(endpoint, input, parameters)
    pieces = open_pieces(where, calls.codec, request, calls.timeouts)
    pieces.explain = explain
    pieces.on_end(partial(_said, module))
    return SpeechStream(pieces, mime, rate, where.model)


def _said(module: ModuleBase, completion: Completion) -> None:
    _remember(module, replace(completion, details={"made": int(completion.finish_reason == "stop")}))


def _remember(module: ModuleBase, completion: Completion) -> None:
    """Tell the module's ``recent``, where it has that."""
    if (recent := getattr(module, "recent", None)) is not None:
        recent.append((time.time(), completion))


class _Noted:
    """One call: its tokens are counted, and the module's ``recent``, where it has that, tells of it as of a chat's answer.

    In place of a text ``details['made']`` says how many things it gave; an error of the server's is one that gave none.
    """

    def __init__(self, module: ModuleBase, endpoint: Endpoint) -> None:
        self._module, self._model = module, endpoint.model

    def made(self, outcome: Outcome) -> Any:
        """The value, made here and not on the background loop, which streams what others say."""
        usage.count(outcome.usage, self._module, running.get())
        self._note("stop", outcome.usage, outcome.made)
        return outcome.make()

    def _note(self, reason: FinishReason, used: Usage, made: int) -> None:
        timing = Timing(total=time.monotonic() - self._began)
        _remember(self._module, Completion("", finish_reason=reason, usage=used, timing=timing, model=self._model, details={"made": made}))

    def __enter__(self) -> _Noted:
        self._began = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, EndpointError):
            self._note("unknown", Usage(), 0)


class SpeechStream:
    """Speech while it is made: iterate it for its pieces. Closing it, or leaving its loop, ends the request.

    Attributes
    ----------
    mime : str
        What the pieces put together are; ``audio/pcm`` for bare 16-bit samples of one channel.
    sample_rate : int
        Of bare samples.
    """

    def __init__(self, pieces: Arriving[bytes], mime: str, sample_rate: int, model: str) -> None:
        self._pieces, self.mime, self.sample_rate, self._model = pieces, mime, sample_rate, model
        self._heard: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._heard.append(piece)
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            self._heard.append(piece)
            yield piece

    def join(self) -> Audio:
        """Wait for the end and return the whole sound, pieces read before included."""
        for _ in self:
            pass
        return self._audio()

    async def ajoin(self) -> Audio:
        """`join` for async code."""
        async for _ in self:
            pass
        return self._audio()

    def _audio(self) -> Audio:
        from ...core.media import of_bytes
        from .results import Audio
        from .typed_calls import playable

        whole = b"".join(self._heard)
        media = of_bytes(whole, self.mime if self.mime == "audio/pcm" and whole[:4] != b"RIFF" else "")
        if media.kind != "audio":
            media = of_bytes(whole, self.mime or "audio/mpeg")
        return Audio(playable(media, self.sample_rate), Usage(), self._model)

    def close(self) -> None:
        """End the request; pieces that have come stay."""
        self._pieces.close()

    def __enter__(self) -> SpeechStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> SpeechStream:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SpeechStream {self.mime or 'audio'}, {sum(map(len, self._heard))} bytes read>"
