"""Requests to endpoints: an endpoint and a request make a `Stream`. Local and online models go through here alike.

Knows what a chat's answer is made of and how failures are told; retries and keys are `workbench.runtime.network.exchange`, wire
formats are `workbench.dialects`, sockets are `workbench.runtime.network.http`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ... import registry
from ...core.endpoints import Endpoint, Timeouts
from ...core.events import UNREADABLE, StreamEvent
from ...core.messages import ChatRequest, Completion
from ...core.protocols import Dialect
from ..network import http
from ..network.deadline import Deadline
from ..network.exchange import Exchange
from ..network.lines import LineSplitter
from ..secrets.keys import Secret
from . import failures
from .channel import Channel, estimate_tokens
from .pumping import pumping
from .reader import Reader, Reported
from .stream import Stream

__all__ = ["Secret", "acomplete", "open_stream"]

_SHOWN = 120  # bytes of an answer that nobody understands
_DRAIN = 0.5  # how long the connection's end is waited for when the answer has ended


def open_stream(endpoint: Endpoint, request: ChatRequest, *, timeouts: Timeouts | None = None) -> Stream:
    """Send a request at once and return its answer while it arrives.

    Parameters
    ----------
    endpoint : Endpoint
    request : ChatRequest
        Its ``model`` may be empty: the endpoint's is taken.
    timeouts : Timeouts, optional

    Returns
    -------
    Stream
        Raises when read, as `Stream.join` says.
    """
    return Stream(lambda channel: _pump(channel, endpoint, request, timeouts or Timeouts()))


async def acomplete(endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts | None = None) -> Completion:
    """The whole answer, for async code on any event loop; cancelling the awaiting task aborts the request.

    Raises
    ------
    EndpointError
    """
    return await open_stream(endpoint, request, timeouts=timeouts).ajoin()


async def _pump(channel: Channel, endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts) -> None:
    with pumping(channel, endpoint, timeouts) as watch:
        await _ask(channel, endpoint, request, timeouts, watch)


async def _ask(channel: Channel, endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts, watch: Deadline) -> None:
    dialect: Dialect = registry.get("dialect", endpoint.dialect)(endpoint.options)
    request = replace(request, model=request.model or endpoint.model)
    channel.prompt_size = sum(estimate_tokens(m.content) for m in request.messages if isinstance(m.content, str))
    exchange = Exchange(endpoint, dialect, channel, timeouts, watch)

    async def receive(answer: http.Answer) -> None:
        try:
            begun = await _read(answer, channel, dialect, watch)
            if not (channel.texts or channel.reasoning or channel.calls or channel.finish or channel.usage):
                raise failures.strange(channel, endpoint, f"It sent {begun!r}." if begun else "It sent nothing.")
            channel.end()
        except Reported as e:
            if channel.texts or channel.reasoning or channel.calls:
                raise failures.broken(channel, endpoint, e.event.message) from None
            if e.event.code == UNREADABLE:
                raise failures.strange(channel, endpoint, e.event.message) from None
            raise await exchange.refusal(e.event.status or answer.status, answer.headers, e.event.body) from None

    await exchange.send(dialect.encode(request), receive)


async def _read(answer: http.Answer, channel: Channel, dialect: Dialect, watch: Deadline) -> str:
    """Read it all; returns how it began, as text."""
    begun = b""
    reader, decoder, chunks = Reader(channel), dialect.decoder(), answer.chunks
    feed: Callable[[Any], Iterable[StreamEvent]] = decoder.feed
    if not channel.request_id:
        channel.request_id = answer.request_id
    if dialect.reads == "bytes":
        async for chunk in chunks:
            watch.beat()
            begun = begun or chunk[:_SHOWN]
            reader.take(feed(chunk))
            if decoder.done:
                break
    else:
        lines = LineSplitter()
        async for chunk in chunks:
            watch.beat()
            begun = begun or chunk[:_SHOWN]
            reader.take(e for line in lines.feed(chunk) for e in feed(line))
            if decoder.done:
                break
        if not decoder.done:
            reader.take(e for line in lines.close() for e in feed(line))
    if not decoder.done:
        reader.take(decoder.close())
    reader.close()
    if not (answer.measured or decoder.done or channel.finish):
        raise http.Disconnected("the answer has no end")
    if channel.finish:
        channel.end()
    if decoder.done:  # reading to the connection's end lets the next request use it
        try:
            async with asyncio.timeout(_DRAIN):
                async for _ in chunks:
                    pass
        except (TimeoutError, http.Disconnected):
            pass
    return begun.decode("utf-8", "replace").strip()
