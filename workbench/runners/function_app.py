"""The HTTP application around a served function: its addresses, its key, its answers. Runs in the server's process.

==========================  =============================================================================
``POST /generate``          call it; JSON in, JSON out, server-sent events when the caller accepts them
``POST /call/{method}``     call one of its methods
decorated methods           the routes that `FastapiApp` was used for, by FastAPI
``GET /openapi.json``       all of that, described
``GET /docs``               a page to read and try it; needs neither network nor key
``GET /health``             ``{"status": "ok", "server": "workbench"}``; needs no key
==========================  =============================================================================

The key comes as ``Authorization: Bearer …`` or ``Security-Key: …``. Does not know how the function is run
(`function_calls`), nor what it is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.runners.function_calls import Calls, refusal
from workbench.runners.serving_guard import Guard

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

OWN = {"/generate", "/call/{method}", "/_call/{method}", "/openapi.json", "/docs", "/health"}
OPEN = {"/docs", "/health"}
EVENTS = "text/event-stream"


def application(loaded: dict[str, Any], spec: dict[str, Any], keys: Sequence[str]) -> ASGIApp:
    """The ASGI application.

    Parameters
    ----------
    loaded : dict
        ``function``, ``pre`` and ``post``.
    spec : dict
        `FunctionSpec` as JSON.
    keys : sequence of str
        Any of them is accepted.
    """
    from starlette.applications import Starlette
    from starlette.responses import RedirectResponse
    from starlette.routing import Mount, Route

    from workbench.runners import function_docs, function_routes

    function = loaded["function"]
    server = _Server(Calls(loaded, keys), bool(spec.get("stream")))
    page = (Path(__file__).parent / "function_docs.html").read_bytes()
    decorated = function_routes.fastapi_app(function, OWN, server.calls.problem)
    document = json.dumps(function_docs.openapi(spec["model"], function, decorated)).encode()

    async def health(request: Request) -> Response:
        return _json(b'{"status":"ok","server":"workbench"}')

    async def openapi(request: Request) -> Response:
        return _json(document)

    async def docs(request: Request) -> Response:
        return _json(page, type="text/html; charset=utf-8")

    async def root(request: Request) -> Response:
        return RedirectResponse("docs")

    routes: list[Route | Mount] = [
        Route("/generate", server.generate, methods=["POST"]),
        Route("/call/{method}", server.method, methods=["POST"]),
        Route("/_call/{method}", server.method, methods=["POST"]),
        Route("/health", health),
        Route("/openapi.json", openapi),
        Route("/docs", docs),
    ]
    open_paths = set(OPEN)
    if decorated is None or not any(getattr(route, "path", "") == "/" for route in decorated.routes):
        routes.append(Route("/", root))
        open_paths.add("/")
    if decorated is not None:
        routes.append(Mount("/", decorated))
    refused = refusal("AuthenticationFailed", "Authentication failed: send the server's key as 'Authorization: Bearer …'.")
    return Guard(Starlette(routes=routes), *keys, open_paths=open_paths, header=b"security-key", refused=refused)


class _Server:
    """The addresses that call something."""

    def __init__(self, calls: Any, stream: bool) -> None:
        self.calls, self._stream = calls, stream

    async def generate(self, request: Request) -> Response:
        """Call the function."""
        return await self._answer(request, "")

    async def method(self, request: Request) -> Response:
        """Call a method of it."""
        return await self._answer(request, request.path_params["method"])

    async def _answer(self, request: Request, method: str) -> Response:
        from starlette.responses import StreamingResponse

        body = await request.body()
        accepted = request.headers.get("accept", "")
        streamed = EVENTS in accepted or (self._stream and "application/json" not in accepted)
        call = self.calls.begin(method, body, request.headers.get("x-workbench-session", ""), streamed)
        if streamed:
            return StreamingResponse(call.events(), media_type=EVENTS, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        try:
            answer = await call.whole(request.receive)
        except asyncio.CancelledError:  # the server is being stopped, and has waited for this call long enough
            call.close()
            return _json(refusal("EndpointDown", "The server was stopped."), 503)
        response = _json(answer.body, answer.status)
        if answer.usage:
            response.headers["X-Workbench-Usage"] = json.dumps(answer.usage)
        return response


def _json(content: bytes, status: int = 200, type: str = "application/json") -> Response:
    from starlette.responses import Response

    return Response(content, status, media_type=type)
