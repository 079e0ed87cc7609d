"""Calls of a served function, or of any server that takes and gives JSON. A `Feed` is one answer while it arrives: whole, or in
pieces.

The same keys, refusals and words as every other request (`workbench.runtime.network.exchange`), but a call is never sent twice: nobody
knows what the function does. Values travel in the form of `workbench.core.wire`. Does not know what is called.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import quote

from ...core import wire
from ...core.endpoints import Endpoint, Timeouts
from ...core.events import Piece
from ...core.messages import Usage
from ...core.protocols import HttpRequest
from .. import loop
from ..answering import failures
from ..answering.arriving import Arriving
from ..answering.channel import Channel
from ..answering.pumping import pumping
from ..network import http
from ..network.deadline import Deadline
from ..network.exchange import Exchange
from ..network.lines import LineSplitter
from .service_errors import base, raised, refused

__all__ = ["EVENTS", "FUNCTION", "JSON", "Feed", "Request", "ask_is_ours", "base", "is_ours"]

FUNCTION, JSON = "function", "json"  # dialects of an endpoint: a server of ours, any other
EVENTS = "text/event-stream"
_PATIENT = Timeouts(first_byte=None, gap=None)
_AHEAD = 2_000  # pieces that may wait for their reader before no more are taken from the socket
_BREATH = 0.005  # seconds


@dataclass(frozen=True, slots=True)
class Request:
    """One call.

    Attributes
    ----------
    body : object
        JSON values.
    path : str
        On the server; the endpoint's own address when empty.
    stream : bool
        Ask for pieces.
    session : str
        The session's name, for models inside.
    """

    body: Any
    path: str = ""
    stream: bool = False
    session: str = ""


@dataclass(slots=True)
class _Outcome:
    """What came: the pieces, and the result once the server has told it."""

    on_usage: Callable[[Usage], object]
    items: list[Any] = field(default_factory=list)
    result: Any = None
    told: bool = False

    def value(self) -> Any:
        if self.told:
            return self.result
        if self.items and all(isinstance(i, str) for i in self.items):
            return "".join(self.items)
        return list(self.items)


class Feed(Arriving[Any]):
    """One answer while it arrives: iterate it for its pieces (`Piece` for text, other values as they are), or `join` it.

    Parameters
    ----------
    endpoint : Endpoint
    request : Request
    timeouts : Timeouts, optional
        Without them a call may take as long as it takes.
    on_usage : callable, optional
        Told the tokens that models inside the server took for the call.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        request: Request,
        timeouts: Timeouts | None = None,
        *,
        on_usage: Callable[[Usage], object] = lambda usage: None,
    ) -> None:
        self._outcome = outcome = _Outcome(on_usage)
        super().__init__(lambda channel: _pump(channel, outcome, endpoint, request, timeouts or _PATIENT))

    def join(self) -> Any:
        """Wait for the end and return the result: the function's value; of a generator its pieces, joined when all are texts.

        Raises
        ------
        EndpointError
            When the request fails.
        Exception
            What the function raised: the same builtin or workbench error, else `ServerError`.
        """
        for _ in self:
            pass
        return self.result

    async def ajoin(self) -> Any:
        """`join` for async code."""
        async for _ in self:
            pass
        return self.result

    @property
    def result(self) -> Any:
        """What has come of the result; whole once the pieces are all read."""
        return self._outcome.value()


async def is_ours(endpoint: Endpoint) -> bool:
    """Whether a server of ours answers at the endpoint's address.

    Raises
    ------
    EndpointDown
        When nobody answers.
    """
    url = base(endpoint.url) + "/health"
    try:
        async with http.send("GET", url, None, {}, network=endpoint.network) as answer:
            said = json.loads(await answer.text())
            return isinstance(said, dict) and said.get("server") == "workbench"
    except http.ConnectFailed as e:
        raise failures.unreachable(Channel(), endpoint, str(e)) from None
    except (http.Disconnected, http.NotHttp, ValueError):
        return False


def ask_is_ours(endpoint: Endpoint) -> bool:
    """`is_ours`, waited for."""
    return loop.run(is_ours(endpoint))


class _Told(Exception):
    """A refusal, read: carried past the exchange's own handlers, because a call is not sent again."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class _Wire:
    """The key, and refusals."""

    name = FUNCTION

    def authorize(self, key: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {key}", "Security-Key": key}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        return _Told(refused(endpoint, status, body))


async def _pump(channel: Channel, outcome: _Outcome, endpoint: Endpoint, request: Request, timeouts: Timeouts) -> None:
    with pumping(channel, endpoint, timeouts) as watch:
        exchange = Exchange(endpoint, _Wire(), channel, timeouts, watch)

        async def receive(answer: http.Answer) -> None:
            if EVENTS in answer.headers.get("content-type", ""):
                await _read_events(answer, channel, outcome, endpoint, watch)
            else:
                await _read_whole(answer, channel, outcome, request.stream, watch)

        try:
            await exchange.send(_http(endpoint, request), receive)
        except _Told as e:
            channel.end(e.error)


def _http(endpoint: Endpoint, request: Request) -> HttpRequest:
    headers = {"Accept": EVENTS if request.stream else "application/json"}
    if request.session:
        headers["X-Workbench-Session"] = quote(request.session)
    path = base(endpoint.url) + request.path if request.path else endpoint.url
    return HttpRequest("POST", path, headers={**headers, "Content-Type": "application/json"}, content=_body(request.body), repeatable=False)


def _body(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


async def _read_whole(answer: http.Answer, channel: Channel, outcome: _Outcome, wanted: bool, watch: Deadline) -> None:
    parts = []
    async for chunk in answer.chunks:
        watch.beat()
        parts.append(chunk)
    if told := answer.headers.get("x-workbench-usage"):
        outcome.on_usage(_usage(json.loads(told)))
    body = b"".join(parts)
    if "json" in answer.headers.get("content-type", "application/json"):
        outcome.result = wire.loads(body) if body.strip() else None
    else:
        outcome.result = body.decode("utf-8", "replace")
    outcome.told = True
    if wanted and isinstance(outcome.result, str) and outcome.result:
        channel.push([Piece(outcome.result)])


async def _read_events(answer: http.Answer, channel: Channel, outcome: _Outcome, endpoint: Endpoint, watch: Deadline) -> None:
    lines, ours, over = LineSplitter(), endpoint.dialect == FUNCTION, False
    async for chunk in answer.chunks:
        watch.beat()
        pieces: list[Any] = []
        try:
            for line in lines.feed(chunk):
                if line.startswith("data:"):
                    text = line[5:].strip()
                    over = over or (_take(json.loads(text), endpoint, outcome, pieces) if ours else _foreign(text, pieces))
        finally:  # an error that came in the same read comes after them
            if pieces:
                outcome.items += pieces
                channel.texts += [p for p in pieces if isinstance(p, str)]
                channel.push(pieces)
        while len(channel.pieces) > _AHEAD:  # who reads slowly holds up who writes, through the socket
            watch.beat()
            await asyncio.sleep(_BREATH)
    if ours and not over:
        raise http.Disconnected("the answer has no end")


def _take(event: Mapping[str, Any], endpoint: Endpoint, outcome: _Outcome, pieces: list[Any]) -> bool:
    """One event of a server of ours; whether it is the last."""
    if "delta" in event:
        pieces.append(Piece(event["delta"], event.get("tag", "text"), event.get("source", ""), event.get("color", "")))
    elif "item" in event:
        pieces.append(wire.decode(event["item"]))
    elif "error" in event:
        raise _Told(raised(endpoint, event["error"]))
    elif "result" in event:
        outcome.result, outcome.told = wire.decode(event["result"]), True
    if "usage" in event:
        outcome.on_usage(_usage(event["usage"]))
    return not ("delta" in event or "item" in event)


def _usage(told: Mapping[str, Any]) -> Usage:
    known = {f.name for f in fields(Usage)}
    return Usage(**{name: value for name, value in told.items() if name in known})


def _foreign(text: str, pieces: list[Any]) -> bool:
    """One event of any other server: a JSON value, or a text."""
    if text == "[DONE]":
        return True
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict) and isinstance(value.get("delta"), str):
        value = value["delta"]
    pieces.append(Piece(value) if isinstance(value, str) else value)
    return False
