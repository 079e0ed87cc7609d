"""DashScope's tasks: a request starts one, its state is asked for until it has ended. Shared by pictures and transcription.

Format: https://help.aliyun.com/zh/model-studio/manage-asynchronous-tasks. Asks nothing itself: it says what to ask next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from ..core.protocols import FollowUp, HttpRequest, Refused
from .codec import read

ASYNC = {"X-DashScope-Async": "enable"}
_ENDED_BADLY = ("FAILED", "CANCELED", "UNKNOWN")
WAIT = 2.0  # seconds between two questions


def follow(body: bytes, done: Callable[[Any], Any], wait: float = WAIT) -> Any:
    """What ``done`` makes of the answer of a task that has succeeded, or the next question.

    Raises
    ------
    Refused
        When the task has failed, was cancelled or is not known any more.
    """
    found = read(body)
    output = found.get("output") or {}
    state, task = str(output.get("task_status") or ""), str(output.get("task_id") or "")
    if state in _ENDED_BADLY:
        raise Refused(body.decode("utf-8", "replace"))
    if state == "SUCCEEDED" or not task:
        return done(found)
    place = f"/tasks/{quote(task, safe='')}"
    return FollowUp(
        HttpRequest("GET", place),
        wait,
        lambda status, headers, answer: follow(answer, done, min(wait * 1.25, 10.0)),
        state=state,
        cancel=HttpRequest("POST", f"{place}/cancel"),
    )


def fetch_json(url: str, done: Callable[[Any], Any]) -> FollowUp:
    """Ask for a file of JSON that a task has written, without the key, and give it to ``done``."""
    from .codec import fetchable

    def decode(status: int, headers: Mapping[str, str], body: bytes) -> Any:
        return done(read(body))

    return FollowUp(HttpRequest("GET", fetchable(url), authorized=False), 0.0, decode, state="READING")
