"""Plain calls side by side, for whoever has no flow. Knows nothing of flows but how their branches run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def run_all(calls: Sequence[Callable[[], Any]], limit: int = 32) -> list[Any]:
    """Run calls side by side, each with a copy of the caller's context variables, and wait for all.

    The first error ends what has not begun, and is raised when those that run have ended.

    Parameters
    ----------
    calls : sequence of callables
        Without arguments.
    limit : int, optional
        How many run at once.
    """
    from .together import run

    return run(calls, limit)
