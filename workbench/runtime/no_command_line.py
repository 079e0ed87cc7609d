"""Lets httpx be imported without its command line, which is two thirds of its time: rich, click and pygments.

httpx takes ``httpx.main`` from a module of its own when it is imported. While the block runs, a small module stands there,
whose ``main`` fetches the real one when somebody calls it. Knows nothing else of httpx.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_NAME = "httpx._main"


@contextmanager
def without_command_line() -> Iterator[None]:
    """Around ``import httpx``; does nothing when it is imported already."""
    if "httpx" in sys.modules:
        yield
        return
    stand_in = ModuleType(_NAME)
    stand_in.main = _main  # type: ignore[attr-defined]  # what httpx looks for
    sys.modules[_NAME] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(_NAME) is stand_in:
            del sys.modules[_NAME]


def _main(*args: Any, **kwargs: Any) -> Any:
    return importlib.import_module(_NAME).main(*args, **kwargs)
