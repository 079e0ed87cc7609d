"""Puts `serving_guard.Guard` before every web application of a process: Python imports this file at its start, when the folder is on its path.

The guard stands in ``Starlette.__call__``, through which each request to a FastAPI or Starlette application goes, whatever server
carries it (uvicorn, gunicorn, hypercorn). Standard library only until such an application is made. A process without one is left as it is.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = "starlette.applications"


class Hook(importlib.abc.MetaPathFinder):
    """Finds a module where the others do, and changes it once it is loaded."""

    def __init__(self, target: str, change: Callable[[Any], object]) -> None:
        self.target, self.change = target, change

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.target:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            self.change(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def guard(module: Any) -> None:
    """Let no request into an application without the key."""
    sys.path.insert(0, os.path.dirname(HERE))
    try:
        before: Any = importlib.import_module("serving_guard")
        serving: Any = importlib.import_module("serving")
    finally:
        sys.path.pop(0)
    key = serving.key()
    if not key:
        serving.fail("There is no key to guard the server with.")
    inner = module.Starlette.__call__

    async def call(app: Any, scope: Any, receive: Any, send: Any) -> None:
        async def within(scope: Any, receive: Any, send: Any) -> None:
            await inner(app, scope, receive, send)

        await before.Guard(within, key)(scope, receive, send)

    module.Starlette.__call__ = call


def read_the_next() -> None:
    """Run the ``sitecustomize`` that this one hides, as Python would have."""
    rest = [p for p in sys.path if os.path.abspath(p) != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get("WORKBENCH_GUARD") == "1":
    sys.meta_path.insert(0, Hook(TARGET, guard))
if os.environ.get("WORKBENCH_VLLM_CPU") == "1":
    importlib.import_module("cpu_tiles").ask()
    sys.meta_path.insert(0, Hook("vllm.lora.ops.torch_ops.lora_ops", importlib.import_module("cpu_lora").mend))
read_the_next()
