"""How a result looks: the table widget where there is one, else the same as static HTML and text. Knows no widget by name but its
place in the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import registry
from ..errors import WorkbenchError
from . import announce, text

if TYPE_CHECKING:
    from .result import EvalResult


def mimebundle(result: EvalResult, include: Any = None, exclude: Any = None) -> Any:
    """What a notebook stores and shows for a result, the announcement for a headless runner included."""
    try:
        shown = registry.get("view", "evaltable")(result)._repr_mimebundle_(include=include, exclude=exclude)
    except WorkbenchError:
        shown = None
    data, metadata = shown if isinstance(shown, tuple) else (shown or {}, {})
    data = {"text/plain": text.plain(result), **data, announce.MIME: announce.bundle(result)}
    if "text/html" not in data:
        from . import report

        data["text/html"] = report.fragment(result)
    return data, metadata
