"""How a result looks: the table widget where there is one, else the same as static HTML and text. Knows the widget only by its
place in the registry.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import registry
from ..errors import WorkbenchError
from . import announce, text, words

if TYPE_CHECKING:
    from .result import EvalResult

HEADLESS = "WORKBENCH_HEADLESS"  # set by who runs a notebook without a front end


def mimebundle(result: EvalResult, include: Any = None, exclude: Any = None) -> Any:
    """What a notebook stores and shows for a result, the announcement for a headless runner included."""
    view = None if os.environ.get(HEADLESS) else _view(result)
    shown = view._repr_mimebundle_(include=include, exclude=exclude) if view is not None else None
    data, metadata = shown if isinstance(shown, tuple) else (shown or {}, {})
    data = {"text/plain": text.plain(result), **data, announce.MIME: announce.bundle(result)}
    if "text/html" not in data:
        from . import report

        data["text/html"] = report.fragment(result)
    return data, metadata


def live(result: EvalResult) -> Callable[[], None]:
    """Show a result while it fills. Returns what ends the showing."""
    view = _view(result) if announce.in_kernel() and not os.environ.get(HEADLESS) else None
    if view is None:
        return _line(result)
    from IPython.display import display

    handle: Any = display(view, display_id=True)  # type: ignore[no-untyped-call]  # IPython ships no types for it

    def end() -> None:
        if handle is not None:
            handle.update(view)  # what a saved notebook keeps is then the finished table

    return end


def _view(result: EvalResult) -> Any:
    try:
        return registry.get("view", "evaltable")(result)
    except WorkbenchError:
        return None


def progress(result: EvalResult) -> str:
    """One line on a running result."""
    parts = [f"Evaluating {result.name}", words.facts(result.done, result.total, result.errors)]
    if result.eta is not None:
        parts.append(f"about {words.seconds(result.eta)} left")
    return " · ".join(parts)


def _line(result: EvalResult) -> Callable[[], None]:
    """A progress line that rewrites itself, on a terminal or under a headless runner; nothing into a file or pipe."""
    out = sys.stdout if announce.in_kernel() else sys.stderr
    if not announce.in_kernel() and not out.isatty():
        return lambda: None
    width = 0

    def draw() -> None:
        nonlocal width
        line = progress(result)
        out.write("\r" + line + " " * (width - len(line)))
        out.flush()
        width = len(line)

    forget = result.on_change(draw, interval=0.5)

    def end() -> None:
        forget()
        out.write("\r" + " " * width + "\r")
        out.flush()

    return end
