"""Whether a server answers: one short question to its ``/health``. Standard library only, for the supervisor asks it, too.

Knows no job and no key: every engine here answers that path without one.
"""

from __future__ import annotations

import contextlib
import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

LIMIT = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Pulse:
    """What came of one question.

    Attributes
    ----------
    answered : bool
        Whether an answer came in time, whatever it said.
    status : int
        The HTTP status, 0 without an answer.
    seconds : float
        How long that took.
    cause : str
        Why nothing came.
    """

    answered: bool
    status: int = 0
    seconds: float = 0.0
    cause: str = ""


def address(url: str) -> str:
    """Where a server tells its health: ``/health`` beside the path under which it is called."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/health"


def feel(url: str, limit: float = LIMIT) -> Pulse:
    """Ask the server that is called at ``url`` how it is, and wait ``limit`` seconds at most for each step of its answer."""
    parts = urlsplit(address(url))
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    began = time.monotonic()
    with contextlib.closing(kind(parts.hostname or "", parts.port, timeout=limit)) as connection:
        try:
            connection.request("GET", parts.path, headers={"Connection": "close"})
            status = connection.getresponse().status
        except TimeoutError:
            return Pulse(False, seconds=time.monotonic() - began, cause=f"no answer to {parts.path} in {limit:g} s")
        except (OSError, http.client.HTTPException) as e:
            return Pulse(False, seconds=time.monotonic() - began, cause=str(e) or type(e).__name__)
    return Pulse(True, status, time.monotonic() - began)
