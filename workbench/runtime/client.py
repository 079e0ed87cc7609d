"""Requests to endpoints: an endpoint and a request make a `Stream`. Local and online models go through here alike.

Knows retries, time limits, keys and how failures are told; wire formats are `workbench.dialects`, sockets are
`workbench.runtime.http`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .. import registry
from ..core.endpoints import Endpoint, Timeouts
from ..core.messages import ChatRequest, Completion
from ..core.protocols import Dialect, HttpRequest
from ..errors import EndpointDown, EndpointError, RateLimited
from . import failures, http
from .channel import Channel, estimate_tokens
from .deadline import Deadline
from .endpoints import last_words
from .lines import LineSplitter
from .reader import Reader
from .stream import Stream

ATTEMPTS = 3
PATIENCE = 30.0  # the longest Retry-After that is waited for, in seconds
_DRAIN = 0.5  # how long the connection's end is waited for when the answer has ended
_LOG_SECONDS = 0.2  # engines refuse first and write the reason into their log after that


class Secret(str):
    """A text that tools which show variables (tracebacks, debuggers) do not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


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
    watch = Deadline(timeouts)
    try:
        await _attempts(channel, endpoint, request, timeouts, watch)
        channel.end()
    except asyncio.CancelledError:
        if watch.expired:
            channel.end(failures.late(channel, endpoint, watch.expired))
        else:
            channel.cancelled = not channel.ended or channel.cancelled
            channel.end()
    except EndpointError as e:
        channel.end(e)
    except Exception as e:
        channel.end(failures.unreadable(channel, endpoint, e))
    finally:
        watch.stop()


async def _attempts(channel: Channel, endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts, watch: Deadline) -> None:
    """Send; once more only while nothing of an answer has come, and only where the endpoint says so or never got it."""
    dialect: Dialect = registry.get("dialect", endpoint.dialect)()
    request = replace(request, model=request.model or endpoint.model)
    channel.prompt_size = sum(estimate_tokens(m.content) for m in request.messages if isinstance(m.content, str))
    key = _key(endpoint)
    call = dialect.encode(request)
    headers = {**endpoint.headers, **call.headers, **{k: Secret(v) for k, v in (dialect.authorize(key) if key else {}).items()}}
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await _exchange(channel, endpoint, dialect, call, headers, key, timeouts, watch)
            return
        except http.ConnectFailed as e:
            if attempt == ATTEMPTS:
                raise failures.unreachable(channel, endpoint, str(e)) from None
            pause = 0.1 * attempt
        except http.Disconnected as e:
            if watch.heard:
                raise failures.broken(channel, endpoint, str(e)) from None
            if attempt == ATTEMPTS:
                raise failures.silent(channel, endpoint, str(e)) from None
            pause = 0.1 * attempt
        except http.NotHttp as e:
            raise failures.unusable(channel, endpoint, str(e)) from None
        except (RateLimited, EndpointDown) as e:
            pause = e.retry_after if e.retry_after is not None else 0.5 * attempt
            if attempt == ATTEMPTS or pause > PATIENCE:
                raise
        await asyncio.sleep(pause)


async def _exchange(
    channel: Channel,
    endpoint: Endpoint,
    dialect: Dialect,
    call: HttpRequest,
    headers: Mapping[str, str],
    key: Secret,
    timeouts: Timeouts,
    watch: Deadline,
) -> None:
    url = endpoint.url.rstrip("/") + call.path
    watch.start()
    async with http.send(call.method, url, call.json, headers, connect_timeout=timeouts.connect) as answer:
        if answer.status >= 300:
            raise await _refusal(answer, endpoint, dialect, key)
        reader = Reader(channel, endpoint)
        lines, decoder = LineSplitter(), dialect.decoder()
        feed = decoder.feed
        chunks = answer.chunks
        async for chunk in chunks:
            watch.beat()
            reader.take(e for line in lines.feed(chunk) for e in feed(line))
            if decoder.done:
                break
        if not decoder.done:
            reader.take(e for line in lines.close() for e in feed(line))
            reader.take(decoder.close())
        reader.close()
        if not (answer.measured or decoder.done or channel.finish):
            raise http.Disconnected("the answer has no end")
        channel.end()
        if decoder.done:  # reading to the connection's end lets the next request use it
            try:
                async with asyncio.timeout(_DRAIN):
                    async for _ in chunks:
                        pass
            except (TimeoutError, http.Disconnected):
                pass


async def _refusal(answer: http.Answer, endpoint: Endpoint, dialect: Dialect, key: Secret) -> Exception:
    said = (await answer.text()).replace(key, "***") if key else await answer.text()
    error = dialect.error(endpoint, answer.status, answer.headers, said)
    if answer.status >= 500 and isinstance(error, EndpointError) and endpoint.job_id:
        await asyncio.sleep(_LOG_SECONDS)
        error.log_tail = last_words(endpoint)
    return error


def _key(endpoint: Endpoint) -> Secret:
    if endpoint.key_file:
        try:
            return Secret(Path(endpoint.key_file).read_text().strip())
        except OSError as e:
            raise failures.no_key(endpoint, f"{endpoint.key_file}: {e.strerror}") from None
    if endpoint.key_env:
        key = Secret(os.environ.get(endpoint.key_env, "").strip())
        if not key:
            raise failures.no_key(endpoint, f"The variable {endpoint.key_env} is empty.")
        return key
    return Secret()
