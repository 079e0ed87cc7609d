"""Lets torchvision be imported beside a torch for CPUs where the package index has only its build for GPUs.

Copied into an environment, and imported there at every start of Python (a ``.pth`` file beside it says so). torchvision's compiled
part cannot be loaded then, and one module of it takes for granted that two of its operators exist. They are declared here and
compute nothing: what transforms pictures works, what finds boxes in them does not. A torchvision that fits is left as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

ASKS = "torchvision._meta_registrations"
BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class Declares(MetaPathFinder):
    """Finds nothing; sees when the module is looked for that needs the operator."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        if name == ASKS and not sys.modules["torchvision.extension"]._has_ops():
            for operator in ("nms", "qnms"):
                sys.modules["torch"].library.define(f"torchvision::{operator}", BOXES)


sys.meta_path.insert(0, Declares())
