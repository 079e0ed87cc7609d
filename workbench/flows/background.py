"""Calls of a flow that run in the background (`FlowBase.set_sync`). Knows threads and futures only."""

from __future__ import annotations

import contextvars
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..runtime import threads

if TYPE_CHECKING:
    from .base import FlowBase


class Background:
    """The calls of one flow that have not been waited for."""

    def __init__(self) -> None:
        self._calls: list[Future[Any]] = []

    def begin(self, flow: FlowBase, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        """Start a call in a thread."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        context = contextvars.copy_context()

        def job() -> None:
            try:
                future.set_result(context.run(flow._run, args, kwargs))
            except BaseException as e:
                future.set_exception(e)

        self._calls.append(future)
        threads.start(job)
        return future

    def wait(self) -> None:
        """Wait for all; raise the first error."""
        calls, self._calls = self._calls, []
        errors = [e for e in [c.exception() for c in calls] if e is not None]
        if errors:
            raise errors[0]
