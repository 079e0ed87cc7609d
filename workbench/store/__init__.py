"""Where jobs are remembered: one SQLite file and a folder per job. Knows nothing of what jobs do or how they are run."""

from __future__ import annotations

from .liveness import Owner
from .reader import Store
from .writer import JobWriter, OwnershipLost

__all__ = ["JobWriter", "Owner", "OwnershipLost", "Store"]
