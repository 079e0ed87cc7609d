"""Tells whoever runs the notebook that a report was written, on the display channel.

``application/vnd.workbench.report+json`` carries ``{"id", "name", "path", "summary"}``; a headless runner (``workbench eval``)
collects them, a front end that does not know it shows the path.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..runtime.work.front_end import display, front_end

if TYPE_CHECKING:
    from .result import EvalResult

MIME = "application/vnd.workbench.report+json"


def bundle(result: EvalResult, path: Path | None = None) -> dict[str, Any]:
    """What is said about a result; ``path`` when a report was written."""
    return {"id": result.id, "name": result.name, "path": str(path) if path else "", "summary": str(result)}


def saved(result: EvalResult, path: Path) -> None:
    """Say in the notebook's output that the report is there; nothing outside a notebook."""
    if not in_kernel():
        return
    link = f'<a href="{html.escape(path.as_uri())}" target="_blank">{html.escape(path.name)}</a>'
    display({MIME: bundle(result, path), "text/plain": f"Report: {path}", "text/html": f"Report: {link}"}, raw=True)


def in_kernel() -> bool:
    """Whether this process is a notebook's kernel."""
    return front_end() in ("notebook", "headless")
