"""Lets a module that is named after its one function be called like it: ``wb.settings()``, ``wb.envs()``.

Importing ``workbench.envs`` binds the name ``envs`` in the package to that *module*, whatever stood there before, so the
public function of the same name cannot live there as a plain function. Giving the module a class that can be called
(Python documents ``__class__`` of modules as assignable) makes the name mean the same before and after the import.
Knows nothing of the modules that use it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


def callable_module(name: str) -> None:
    """Make the module of that name callable as the function it holds under its own last name."""
    sys.modules[name].__class__ = _Callable
