"""Engines that serve models: ``deploy.auto`` chooses one; ``deploy.llama_cpp``, ``.transformers``, ``.vllm``, ``.dummy``.

Each is a backend class, resolved through the registry when it is first used, so plugins appear here as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import registry
from .choose import Choice, choose

if TYPE_CHECKING:
    from .dummy_server import DummyDeploy as dummy
    from .llama_cpp_server import LlamaCpp as llama_cpp
    from .transformers_serve import TransformersServe as transformers
    from .vllm_server import VLLM as vllm

__all__ = ["Choice", "auto", "choose", "dummy", "llama_cpp", "transformers", "vllm"]


class auto:
    """The engine that fits the model and the machine; `choose` says which and why.

    It takes no arguments of its own: an argument names an engine's, so choose the engine to give one.
    """

    name = "auto"
    choose = staticmethod(choose)

    @staticmethod
    def arguments() -> list[str]:
        """None: each engine has its own."""
        return []


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in registry.names("deploy"):
        raise AttributeError(f"workbench.deploy has no engine {name!r}; it has auto, {', '.join(registry.names('deploy'))}")
    return registry.get("deploy", name)


def __dir__() -> list[str]:
    return sorted({*__all__, *registry.names("deploy")})
