"""Runs an ASGI application until this process is told to end. Standard library only until it serves; needs uvicorn then."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from typing import Any

_IDLE_SECONDS = 75


async def serve(app: Any, sock: socket.socket, ready: Callable[[], object], grace: int) -> None:
    """Serve until SIGTERM or SIGINT; ``ready()`` is called once it does.

    Parameters
    ----------
    grace : int
        Seconds that requests have to end in.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=grace,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]  # it would end the process by the signal itself

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    serves = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started and not serves.done():
        await asyncio.sleep(0.005)
    if server.started:
        ready()
    await serves
