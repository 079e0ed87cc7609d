"""The HTTP side of our own model servers: key, OpenAI's errors, JSON and forms with limits, models, metrics, a graceful end.

A runner loads a model, makes a `serving_work.Worker` around it, and gives `main` an `App` with its paths:

====================  =====================================================================
``GET /health``       ``{"status": "ok"}``; needs no key
``GET /v1/models``    the one model; also under its name, ``/v1/models/NAME``
``GET /metrics``      Prometheus text: ``workbench:requests_running``, ``…_waiting``, ``…_total``, and the worker's counts
its own paths         ``async handler(Call)`` gives a dict, an `Answer` or a `Pieces`
====================  =====================================================================

Needs what the environment has: uvicorn, starlette, and python-multipart for forms. Standard library only until it serves.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import engine_progress, serving, serving_uvicorn
    from .metrics_readings import exposition
    from .serving_fields import Fields, Refusal, Upload, fields_of_json
    from .serving_guard import Guard
    from .serving_work import Dropped, QueueFull, Worker
else:
    import engine_progress
    import serving
    import serving_uvicorn
    from metrics_readings import exposition
    from serving_fields import Fields, Refusal, Upload, fields_of_json
    from serving_guard import Guard
    from serving_work import Dropped, QueueFull, Worker

BODY_BYTES = 64 << 20
_GRACE_SECONDS = 2


@dataclass(frozen=True)
class Answer:
    """A body that is no JSON."""

    body: bytes
    mime: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pieces:
    """A body that comes piece by piece. Its first piece decides: what fails before it is an error with a status."""

    pieces: AsyncIterator[bytes]
    mime: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Call:
    """One request, as a handler sees it."""

    def __init__(self, request: Any, worker: Worker, limit: int) -> None:
        self._request, self.worker, self._limit = request, worker, limit
        self.headers: Mapping[str, str] = request.headers

    async def fields(self) -> Fields:
        """The fields of its body, JSON or a form.

        Raises
        ------
        Refusal
            For a body that is neither, or too large.
        """
        from starlette.requests import Request

        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        bounded = Request(self._request.scope, self._bounded)
        if kind not in ("multipart/form-data", "application/x-www-form-urlencoded"):
            return fields_of_json(await bounded.body())
        values, files = dict[str, Any](), list[Upload]()
        async with bounded.form(max_files=64, max_fields=256, max_part_size=self._limit) as form:
            for name, value in form.multi_items():
                if isinstance(value, str) and name.endswith("[]"):
                    values.setdefault(name.removesuffix("[]"), []).append(value)
                elif isinstance(value, str):
                    values[name] = value
                else:
                    files.append(Upload(name, value.filename or "", value.content_type or "", await value.read()))
        return Fields(values, files)

    async def all(self, kind: Any, units: Sequence[Any]) -> list[Any]:
        """The worker's results for these units, in order; given up when the caller hangs up."""
        return await self.worker.all(kind, units, self.hung_up)

    def each(self, kind: Any, units: Sequence[Any]) -> AsyncIterator[Any]:
        """The same, each as soon as it is there."""
        return self.worker.each(kind, units, self.hung_up)

    async def hung_up(self) -> None:
        """Until the caller has gone. Only after the body has been read."""
        while (await self._request.receive())["type"] != "http.disconnect":
            pass

    async def _bounded(self) -> Any:
        """The next part of the body. What is too much is read to its end and forgotten, so that the caller gets to read why."""
        message = await self._request.receive()
        self._read = getattr(self, "_read", 0) + len(message.get("body", b""))
        if self._read <= self._limit:
            return message
        while message.get("more_body"):
            message = await self._request.receive()
        raise Refusal(f"The body is larger than {self._limit >> 20} MiB.", 413, code="body_too_large")


Handler = Callable[[Call], Awaitable[Any]]


class App:
    """The application.

    Parameters
    ----------
    model : str
        The name that callers use. Requests that name another one are answered as well: there is only one.
    worker : Worker
    paths : Mapping of str to handler
        What is done at ``POST`` requests to each path.
    options : Mapping, optional
        Goes into the endpoint's options.
    limit : int
        The most bytes of a body.
    """

    def __init__(
        self, model: str, worker: Worker, paths: Mapping[str, Handler], *, options: Mapping[str, Any] | None = None, limit: int = BODY_BYTES
    ) -> None:
        self.model, self.worker, self.paths, self.limit = model, worker, dict(paths), limit
        self.options = dict(options or {})

    def asgi(self, key: str) -> Guard:
        """The ASGI application behind its guard."""
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.responses import JSONResponse, Response
        from starlette.routing import Route

        entry = {"id": self.model, "object": "model", "owned_by": "workbench"}

        async def health(request: Any) -> Response:
            return JSONResponse({"status": "ok"})

        async def models(request: Any) -> Response:
            return JSONResponse({"object": "list", "data": [entry]})

        async def one(request: Any) -> Response:
            if request.path_params["model"] != self.model:
                raise HTTPException(404)
            return JSONResponse(entry)

        async def metrics(request: Any) -> Response:
            return Response(exposition(**self.worker.metrics()), media_type="text/plain; version=0.0.4")

        async def wrong(request: Any, e: Exception) -> Response:
            status = e.status_code if isinstance(e, HTTPException) else 500
            said = {404: f"There is nothing at {request.url.path}.", 405: f"{request.url.path} does not take {request.method}."}
            refusal = Refusal(said.get(status, str(getattr(e, "detail", e))), status, "invalid_request_error" if status < 500 else "server_error")
            return JSONResponse(refusal.body, status)

        routes = [Route("/health", health), Route("/v1/models", models), Route("/v1/models/{model:path}", one), Route("/metrics", metrics)]
        routes += [Route(path, self._endpoint(handler), methods=["POST"]) for path, handler in self.paths.items()]
        return Guard(Starlette(routes=routes, exception_handlers={HTTPException: wrong}), key)

    def _endpoint(self, handler: Handler) -> Callable[[Any], Awaitable[Any]]:
        from starlette.exceptions import HTTPException
        from starlette.responses import JSONResponse, Response, StreamingResponse

        async def endpoint(request: Any) -> Response:
            try:
                answer = await handler(Call(request, self.worker, self.limit))
                if isinstance(answer, Answer):
                    return Response(answer.body, headers=dict(answer.headers), media_type=answer.mime)
                if isinstance(answer, Pieces):
                    first = await anext(answer.pieces, b"")
                    return StreamingResponse(_with_first(first, answer.pieces), headers=dict(answer.headers), media_type=answer.mime)
                return JSONResponse(answer)
            except HTTPException:
                raise
            except Exception as e:
                refusal = refusal_of(e)
                headers = {"Retry-After": "1"} if refusal.status == 503 else None
                return JSONResponse(refusal.body, refusal.status, headers=headers)

        return endpoint


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    try:
        async for piece in rest:
            yield piece
    except Dropped:
        return
    finally:
        close = getattr(rest, "aclose", None)
        if close is not None:
            await close()


def refusal_of(error: Exception) -> Refusal:
    """What the caller reads about an exception; what nobody expected goes to the log as a whole."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, QueueFull):
        return Refusal(f"The server has too much to do: {error}", 503, "overloaded_error", "queue_full")
    if isinstance(error, Dropped):
        return Refusal("The work was given up.", 499, "request_cancelled")
    traceback.print_exception(error)
    return Refusal(f"{type(error).__name__}: {error}", 500, "server_error", "out_of_memory" if "out of memory" in str(error).lower() else "")


def listen(wanted: int) -> socket.socket:
    """A socket at one of `serving.ports`, with a notice where one is taken. Held from here on: nobody else gets it."""
    for candidate in serving.ports(wanted):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sends without delay only where TCP is named
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", candidate))
        except OSError as e:
            sock.close()
            serving.report("notice", level="warning", text=f"Port {candidate} cannot be used ({e.strerror}); another one is taken.")
            continue
        sock.listen(512)
        return sock
    serving.fail("No port of 127.0.0.1 can be used.")
    raise AssertionError


def main(load: Callable[[dict[str, Any]], App]) -> None:
    """Read the spec that the command line names, load the model, serve it, and end with the process that started this one."""
    with open(sys.argv[1], encoding="utf-8") as f:
        spec = json.load(f)
    sys.path.pop(0)  # this folder's modules are not for the engine
    serving.begin()
    key = serving.key()
    if not key:
        serving.fail("There is no key to guard the server with.")
    try:
        with engine_progress.listening("torch"):
            app = load(spec)
    except Exception as e:
        traceback.print_exc()
        serving.fail(str(e) or type(e).__name__, type(e).__name__)
    asyncio.run(run(app, listen(int(spec.get("port") or 0)), key, float(spec.get("ttl") or 0)))
    serving.report("exit", code=0)
    sys.stdout.flush()
    os._exit(0)  # the model's thread has nothing to save


async def run(app: App, sock: socket.socket, key: str, ttl: float = 0.0) -> None:
    """Serve until SIGTERM or SIGINT, or until nobody has asked for ``ttl`` seconds; report ``ready`` when it does."""

    def ready() -> None:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        serving.report("ready", url=url, model=app.model, options=app.options)
        serving.watch(url, key, "workbench", ttl)

    await serving_uvicorn.serve(app.asgi(key), sock, ready, _GRACE_SECONDS)
