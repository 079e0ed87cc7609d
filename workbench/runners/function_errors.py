"""An error of a served function as the caller gets it: type, message, where it happened, without secrets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import traceback
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

_RUNNERS = Path(__file__).resolve().parent
_OURS = (str(_RUNNERS), str(_RUNNERS.parent / "core"))
_LIMIT = 16_000  # characters of a traceback
_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.I)
_SHORTEST = 8


def secrets(keys: Sequence[str]) -> frozenset[str]:
    """What must not be told: the server's keys, and the values of variables that are called like secrets."""
    named = (value for name, value in os.environ.items() if _SECRET.search(name))
    return frozenset(s for s in (*keys, *named) if len(s) >= _SHORTEST)


def describe(error: BaseException, hidden: Collection[str]) -> dict[str, Any]:
    """What is told of an error.

    Returns
    -------
    dict
        ``type``, ``module``, ``message``, ``traceback``; ``args`` where they are JSON; ``what``, ``cause`` and ``fix`` of a
        workbench error.
    """

    def masked(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, "***")
        return text

    kind = type(error)
    try:
        message = str(error)
    except Exception as e:
        message = f"(its text cannot be had: {type(e).__name__})"
    told: dict[str, Any] = {"type": kind.__qualname__, "module": kind.__module__, "message": masked(message)}
    if all(hasattr(error, name) for name in ("what", "cause", "fix")):
        told |= {name: masked(str(getattr(error, name))) for name in ("what", "cause", "fix")}
    else:
        with contextlib.suppress(TypeError, ValueError, RecursionError):
            told["args"] = json.loads(masked(json.dumps(error.args, allow_nan=False)))
    told["traceback"] = masked(_text(error))[-_LIMIT:]
    return told


def _text(error: BaseException) -> str:
    """The traceback from the function's own first line on; empty for an error of the server's own."""
    inner = error.__traceback__
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_OURS):
        inner = inner.tb_next
    if inner is None:
        return ""
    return "".join(traceback.format_exception(type(error), error, inner)).rstrip()
