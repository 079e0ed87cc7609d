"""One request, sent until it is answered: its address, its key, and when it may be sent again.

Every request of the workbench to an endpoint goes through here, chats (`workbench.runtime.answering.client`) and one-shot calls
(`workbench.runtime.network.calls`) alike. Knows no wire format and no socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

from ... import registry
from ...core.endpoints import Endpoint, Timeouts
from ...core.protocols import HttpRequest, Wire
from ...errors import AuthenticationFailed, EndpointDown, EndpointError, JobNotFound, QuotaExhausted, RateLimited
from ..answering import advice, failures
from ..answering.channel import Channel
from ..deployments.endpoints import last_words
from ..secrets import keys
from ..secrets.keys import Secret, credentials_of
from . import http, rate, refusals
from .deadline import Deadline
from .http_body import body_of

PATIENCE = 60.0  # the longest Retry-After that is waited for, in seconds
_LOG_SECONDS = 0.2  # engines refuse first and write the reason into their log after that
_VERSION = re.compile(r"v\d+(?:beta\d*)?")
T = TypeVar("T")


class Exchange:
    """Sends requests to one endpoint.

    Parameters
    ----------
    endpoint : Endpoint
    wire : Wire
        The dialect or codec: it reads refusals and knows how the key is carried.
    channel : Channel
        What has come so far, for the errors.
    timeouts : Timeouts
    watch : Deadline
    """

    def __init__(self, endpoint: Endpoint, wire: Wire, channel: Channel, timeouts: Timeouts, watch: Deadline) -> None:
        self.endpoint, self.wire, self.channel, self.timeouts, self.watch = endpoint, wire, channel, timeouts, watch
        self._credentials: Mapping[str, Secret] | None = None
        self._proof: Mapping[str, Secret] = {}  # what the key became in the last request, such as a token
        self._advising = False
        self._waited = 0.0  # seconds, for an engine to come back

    async def send(self, call: HttpRequest, receive: Callable[[http.Answer], Awaitable[T]], sending: http.Sending | None = None) -> T:
        """Send; again only while nothing of an answer has come, and only where the endpoint says so or never got it.

        Raises
        ------
        EndpointError
        """
        channel, endpoint, attempt = self.channel, self.endpoint, 0
        closed = ""  # how a connection ended that had been made: what may have ended an engine is not sent to it again when it has come back
        keys_left = keys.count(endpoint) - 1
        self.watch.rest()
        while True:
            attempt += 1
            last = attempt > endpoint.network.max_retries
            try:
                async with rate.turn(endpoint):
                    return await self._once(call, receive, sending)
            except http.ConnectFailed as e:
                if not closed and (again := await self._back(call)) is not None:
                    call, endpoint, attempt = again, self.endpoint, attempt - 1
                    continue
                if last or endpoint.job_id:  # a deployment that does not come back is not there the next time either
                    raise (failures.silent(channel, endpoint, closed) if closed else failures.unreachable(channel, endpoint, str(e))) from None
                pause = 0.1 * 2.0**attempt
            except http.Disconnected as e:
                closed = str(e)
                if self.watch.heard:
                    raise failures.broken(channel, endpoint, str(e)) from None
                if last or not call.repeatable:
                    raise failures.silent(channel, endpoint, str(e)) from None
                pause = 0.1 * 2.0**attempt
            except http.NotHttp as e:
                raise failures.unusable(channel, endpoint, str(e)) from None
            except (AuthenticationFailed, RateLimited, EndpointDown) as e:
                if isinstance(e, RateLimited):
                    refusals.tell(e)
                if keys_left and not isinstance(e, EndpointDown) and keys.rotate(endpoint, self.credentials):
                    keys_left, attempt, self._credentials = keys_left - 1, attempt - 1, None
                    continue
                if isinstance(e, AuthenticationFailed):
                    raise
                pause = e.retry_after if e.retry_after is not None else 0.5 * 2.0 ** (attempt - 1)
                if last or isinstance(e, QuotaExhausted) or pause > PATIENCE:
                    raise
            self.watch.rest()
            await asyncio.sleep(pause * random.uniform(1.0, 1.25))  # apart from others that were refused in the same moment

    async def _back(self, call: HttpRequest) -> HttpRequest | None:
        """The request for a deployment that could not be reached, once its engine has been started again; None where it is not."""
        if not self.endpoint.job_id or not self.timeouts.restart:
            return None
        from ..deployments.comeback import comeback

        self.watch.rest()
        began, before = time.monotonic(), self.endpoint
        left = self.timeouts.restart - self._waited
        found = None
        with contextlib.suppress(JobNotFound, OSError, sqlite3.Error):  # its record cannot be read: the failed request says more
            found = await comeback(before, left) if left > 0 else None
        self._waited += time.monotonic() - began
        if found is None:
            return None
        self.endpoint = found
        return replace(call, path=call.path.replace(_origin(before.url), _origin(found.url), 1)) if "://" in call.path else call

    async def _once(self, call: HttpRequest, receive: Callable[[http.Answer], Awaitable[T]], sending: http.Sending | None = None) -> T:
        url, body, headers = self._prepare(call)
        self.watch.start()

        def tell(sent: int, size: int) -> None:
            self.watch.start()  # the wait for an answer begins when everything is sent
            if sending is not None:
                sending(sent, size)

        network = self.endpoint.network
        async with http.send(call.method, url, body, headers, connect_timeout=self.timeouts.connect, network=network, sending=tell) as answer:
            if answer.status >= 300:
                raise await self._refusal(answer)
            return await receive(answer)

    def _prepare(self, call: HttpRequest) -> tuple[str, bytes | None, dict[str, str]]:
        """The address, the body and the headers, with the key in its place."""
        body, kind = body_of(call)
        endpoint = self.endpoint
        headers = {**endpoint.headers, **({"Content-Type": kind} if kind else {}), **call.headers}
        url = call.path if "://" in call.path else _joined(endpoint.url.rstrip("/"), call.path)
        if call.query:
            url += ("&" if "?" in url else "?") + urlencode(call.query, quote_via=quote)
        if not call.authorized:
            return url, body, headers
        credentials = self.credentials
        for part in call.key_parts:
            body = (body or b"").replace(f'"{{{part}}}"'.encode(), json.dumps(str(credentials.get(part, ""))).encode(), 1)
        if endpoint.auth:
            url, proof = registry.get("auth", endpoint.auth)(credentials, replace(call, json=None, files=(), content=body, headers=headers), url)
        else:
            key = credentials.get("key")
            proof = self.wire.authorize(key) if key else {}
        self._proof = {name: Secret(value.removeprefix("Bearer ")) for name, value in proof.items()}
        return url, body, {**headers, **{name: Secret(value) for name, value in proof.items()}}

    @property
    def credentials(self) -> Mapping[str, Secret]:
        """The parts of the key, looked up once."""
        if self._credentials is None:
            self._credentials = credentials_of(self.endpoint)
        return self._credentials

    async def _refusal(self, answer: http.Answer) -> Exception:
        return await self.refusal(answer.status, answer.headers, await answer.text())

    async def refusal(self, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The error for an answer that says no, without the key, with the engine's last words where it is one of ours."""
        error = self.wire.error(self.endpoint, status, headers, keys.masked(keys.masked(body, self.credentials), self._proof))
        if status >= 500 and isinstance(error, EndpointError) and self.endpoint.job_id:
            await asyncio.sleep(_LOG_SECONDS)
            error.log_tail = last_words(self.endpoint)
        if isinstance(error, EndpointError) and not self._advising:
            self._advising = True
            await advice.advise(error, self.endpoint, self.models)
            self._advising = False
        return error

    async def models(self, *, patient: bool = False) -> list[str]:
        """The names of the models that the server lists; ``patient`` tries again as `send` does. Raises ValueError, too."""

        async def receive(answer: http.Answer) -> list[str]:
            return advice.names_in(b"".join([chunk async for chunk in answer.chunks]))

        return await (self.send if patient else self._once)(advice.models_request(self.wire), receive)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _joined(base: str, path: str) -> str:
    """People write ``…/v1`` at the end of a base address whether or not the format's own paths begin with it."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return base + path[len(first) + 1 :] if _VERSION.fullmatch(first) and base.endswith(f"/{first}") else base + path
