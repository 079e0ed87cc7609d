"""One request, one answer: embeddings, images, transcription, files, jobs at a vendor … Same keys, retries and limits as chats.

A codec (registry group ``codec``) knows the format; this knows how it is sent. Codecs whose result can be had while it
arrives, such as speech, are read through `open_pieces`.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar, cast

from ... import registry
from ...core.endpoints import Endpoint, Timeouts
from ...core.messages import Usage
from ...core.protocols import Codec, FollowUp, Refused, StreamedCodec
from ...errors import EndpointError, WorkbenchError
from .. import loop
from ..answering import failures
from ..answering.arriving import Arriving
from ..answering.channel import Channel
from ..answering.pumping import pumping
from . import http
from .deadline import Deadline
from .exchange import Exchange

Told = Callable[[str], object]
Sending = http.Sending
_FAREWELL = 10.0  # seconds to end a task that nobody waits for
_farewells = set[asyncio.Task[None]]()
T = TypeVar("T")
MOST = 1 << 30  # bytes of an answer that are kept: nothing that a vendor answers comes near it


def call(
    endpoint: Endpoint,
    codec: str,
    request: Any,
    timeouts: Timeouts | None = None,
    told: Told | None = None,
    *,
    sending: Sending | None = None,
) -> Any:
    """Send a request and wait for its result; an interrupt aborts it upstream.

    Parameters
    ----------
    endpoint : Endpoint
        Its ``options`` are the codec's.
    codec : str
        A name in the registry group ``codec``.
    request : object
        What the codec encodes; a field ``model`` that is empty gets the endpoint's model.
    timeouts : Timeouts, optional
    told : callable, optional
        Called with the vendor's word for how far a task is, each time it was asked; on the background loop, so it must be quick.
    sending : callable, optional
        Called with the bytes of the first request's body that are sent, and with their whole number; there, too. From the
        beginning again when it is sent again.

    Returns
    -------
    object
        What the codec decodes, after every `FollowUp` that it asks for.

    Raises
    ------
    EndpointError
    """
    return loop.run(_call(endpoint, codec, request, timeouts or Timeouts(), told, sending))


async def acall(endpoint: Endpoint, codec: str, request: Any, timeouts: Timeouts | None = None, told: Told | None = None) -> Any:
    """`call` for async code on any event loop; cancelling the awaiting task aborts the request."""
    return await asyncio.wrap_future(loop.spawn(_call(endpoint, codec, request, timeouts or Timeouts(), told)))


def open_pieces(endpoint: Endpoint, codec: str, request: Any, timeouts: Timeouts | None = None) -> Arriving[bytes]:
    """Send a request at once and return its result in pieces while it arrives; closing it aborts the request."""
    return Arriving(lambda channel: _pieces(channel, endpoint, codec, request, timeouts or Timeouts()))


def models(endpoint: Endpoint, timeouts: Timeouts | None = None) -> list[str]:
    """The names of the models that an endpoint lists. Raises `EndpointError`."""
    return loop.run(_models(endpoint, timeouts or Timeouts(first_byte=30.0)))


async def amodels(endpoint: Endpoint, timeouts: Timeouts | None = None) -> list[str]:
    """`models` for async code on any event loop."""
    return await asyncio.wrap_future(loop.spawn(_models(endpoint, timeouts or Timeouts(first_byte=30.0))))


async def _models(endpoint: Endpoint, timeouts: Timeouts) -> list[str]:
    channel, watch = Channel(), Deadline(timeouts)
    exchange = Exchange(endpoint, registry.get("dialect", endpoint.dialect)(endpoint.options), channel, timeouts, watch)
    return await _guarded(exchange.models(patient=True), exchange)


async def _call(endpoint: Endpoint, name: str, request: Any, timeouts: Timeouts, told: Told | None = None, sending: Sending | None = None) -> Any:
    codec: Codec = registry.get("codec", name)(endpoint.options)
    channel, watch = Channel(), Deadline(timeouts)
    exchange = Exchange(endpoint, codec, channel, timeouts, watch)
    return await _guarded(_ask(exchange, codec, _named(request, endpoint), told, sending), exchange)


async def _guarded(work: Coroutine[Any, Any, T], exchange: Exchange) -> T:
    """Whatever goes wrong is told as an `EndpointError`, as are the time limits."""
    endpoint, channel, watch = exchange.endpoint, exchange.channel, exchange.watch
    try:
        return await work
    except asyncio.CancelledError:
        if watch.expired:
            raise failures.late(channel, endpoint, watch.expired) from None
        raise
    except WorkbenchError:
        raise
    except Exception as e:
        raise failures.unreadable(channel, endpoint, e) from None
    finally:
        watch.stop()


async def _ask(exchange: Exchange, codec: Codec, request: Any, told: Told | None, sending: Sending | None) -> Any:
    read: Callable[[int, Mapping[str, str], bytes], Any] = codec.decode

    async def receive(answer: http.Answer) -> Any:
        body = await _body(answer, exchange)
        try:
            return read(answer.status, answer.headers, body)
        except Refused as e:
            raise await exchange.refusal(answer.status, answer.headers, str(e)) from None

    result = await exchange.send(codec.encode(request), receive, sending)
    while isinstance(result, FollowUp):
        if told is not None:
            told(result.state)
        exchange.watch.rest()
        read = result.decode or codec.decode
        try:
            await asyncio.sleep(result.wait)
            result = await exchange.send(result.request, receive)
        except asyncio.CancelledError:
            _give_up(exchange, codec, result)
            raise
    return result


def _give_up(exchange: Exchange, codec: Codec, asked: FollowUp) -> None:
    """End at the vendor what nobody waits for any more, in a task of its own, and whatever it answers."""
    if asked.cancel is None:
        return
    other = Exchange(exchange.endpoint, codec, Channel(), exchange.timeouts, exchange.watch)
    request = asked.cancel

    async def end() -> None:
        other.watch = Deadline(Timeouts(first_byte=_FAREWELL, gap=_FAREWELL, total=_FAREWELL))
        try:
            await other.send(request, lambda answer: answer.text())
        except (EndpointError, asyncio.CancelledError):
            pass
        finally:
            other.watch.stop()

    task = asyncio.get_running_loop().create_task(end())
    _farewells.add(task)
    task.add_done_callback(_farewells.discard)


async def _body(answer: http.Answer, exchange: Exchange) -> bytes:
    exchange.channel.request_id = answer.request_id or exchange.channel.request_id
    parts, size = list[bytes](), 0
    async for chunk in answer.chunks:
        exchange.watch.beat()
        parts.append(chunk)
        size += len(chunk)
        if size > MOST:
            raise ValueError(f"the answer is larger than {MOST} bytes")
    return b"".join(parts)


async def _pieces(channel: Channel, endpoint: Endpoint, name: str, request: Any, timeouts: Timeouts) -> None:
    with pumping(channel, endpoint, timeouts) as watch:
        codec = cast("StreamedCodec", registry.get("codec", name)(endpoint.options))
        exchange = Exchange(endpoint, codec, channel, timeouts, watch)

        async def receive(answer: http.Answer) -> None:
            channel.request_id = answer.request_id
            decoder = codec.pieces(answer.headers)
            try:
                async for chunk in answer.chunks:
                    watch.beat()
                    _push(channel, decoder.feed(chunk))
                _push(channel, decoder.close())
            except Refused as e:
                if channel.first is not None:
                    raise failures.broken(channel, endpoint, str(e)) from None
                raise await exchange.refusal(answer.status, answer.headers, str(e)) from None

        channel.model, channel.usage = endpoint.model, Usage()
        await exchange.send(codec.encode_streamed(_named(request, endpoint)), receive)
        channel.finish = "stop"


def _push(channel: Channel, pieces: Any) -> None:
    if found := [p for p in pieces if p]:
        channel.push(found)


def _named(request: Any, endpoint: Endpoint) -> Any:
    """The request with the endpoint's model where it names none."""
    if dataclasses.is_dataclass(request) and not isinstance(request, type) and getattr(request, "model", None) == "":
        return dataclasses.replace(request, model=endpoint.model)
    return request
