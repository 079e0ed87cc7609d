"""How a result looks: the table widget where there is one, else the same as static HTML and text. Knows the widget only by its
place in the registry.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import registry
from ..errors import WorkbenchError
from ..runtime.work.front_end import cell, display, front_end
from ..runtime.work.words import duration
from . import announce, text, words

if TYPE_CHECKING:
    from .result import EvalResult


def mimebundle(result: EvalResult, include: Any = None, exclude: Any = None) -> Any:
    """What a notebook stores and shows for a result, the announcement for a headless runner included."""
    view = _view(result) if front_end() == "notebook" else None
    data, metadata = _bundle(view, include=include, exclude=exclude) if view is not None else ({}, {})
    data = {"text/plain": text.plain(result), **data, announce.MIME: announce.bundle(result)}
    if "text/html" not in data:
        from . import report

        data["text/html"] = report.fragment(result)
    return data, metadata


def _bundle(view: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    shown = view._repr_mimebundle_(**options)
    return shown if isinstance(shown, tuple) else (shown, {})


def live(result: EvalResult, *, keep: bool) -> Callable[[], None]:
    """Show a result while it fills.

    Parameters
    ----------
    keep : bool
        Whether the table stays when it is full; otherwise a line takes its place.

    Returns
    -------
    callable
        Ends the showing.
    """
    view = _view(result) if front_end() == "notebook" else None
    if view is None:
        return _line(result, keep)
    if keep:
        display(view)
        result.shown_in = cell()
        return lambda: None  # the view itself renews what a saved notebook keeps of it
    data, metadata = _bundle(view)
    handle: Any = display(data, metadata=metadata, raw=True, display_id=True)

    def end() -> None:
        if result.state == "finished":
            handle.update({"text/plain": text.line(result)}, raw=True)
            view.close()
        else:
            data, metadata = _bundle(view)
            handle.update(data, metadata=metadata, raw=True)

    return end


def take(result: EvalResult) -> bool:
    """Whether the table stands already in the output of the cell that runs: a cell that ends with ``wb.compare(…)`` shows one."""
    number = cell()
    return number is not None and result.shown_in == number


def _view(result: EvalResult) -> Any:
    try:
        return registry.get("view", "evaltable")(result)
    except WorkbenchError:
        return None


def progress(result: EvalResult) -> str:
    """One line on a running result."""
    parts = [f"Evaluating {result.name}", words.facts(result.done, result.total, result.errors)]
    if result.eta is not None:
        parts.append(f"about {duration(result.eta)} left")
    return " · ".join(parts)


def _line(result: EvalResult, keep: bool) -> Callable[[], None]:
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
        out.write("\r" + " " * width + "\r" + ("" if keep else text.line(result) + "\n"))
        out.flush()

    return end
