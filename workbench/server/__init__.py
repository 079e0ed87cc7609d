"""The Jupyter server extension: the jobs, the machine and the models over REST, and what changes over Jupyter's event bus.

It belongs to no kernel, so its controls work while a cell blocks. It sees the store, core and runtime, nothing above.
"""

from __future__ import annotations

from .app import WorkbenchApp

__all__ = ["WorkbenchApp"]
