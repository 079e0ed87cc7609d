"""Who hears that an endpoint said "too many requests", besides the request that waits and repeats itself. A context variable,
so that it reaches from whoever asks many at once into whatever flow makes the request. Knows no endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from ...errors import RateLimited

heard: ContextVar[Callable[[RateLimited], None] | None] = ContextVar("workbench_refusals", default=None)


def tell(error: RateLimited) -> None:
    """Say it to who listens in this call."""
    listener = heard.get()
    if listener is not None:
        listener(error)
