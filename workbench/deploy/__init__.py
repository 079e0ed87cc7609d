"""Engines that serve models: ``deploy.auto`` chooses one; ``deploy.vllm``, ``.llama_cpp``, ``.transformers`` and others are taken by name.

Each is a backend class, resolved through the registry when it is first used, so plugins appear here as well. The names that
other frameworks have for them are understood, in any case; of a name that has gone, the error says what took its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import registry
from ..errors import ArgumentError, nearest
from .choose import Choice, choose
from .retired import ALIASES, RETIRED, known_as

if TYPE_CHECKING:
    from .diffusers_server import DiffusersServer as diffusers
    from .dummy_server import DummyDeploy as dummy
    from .infinity_server import Infinity as infinity
    from .lightllm_server import LightLLM as lightllm
    from .llama_cpp_server import LlamaCpp as llama_cpp
    from .lmdeploy_server import LMDeploy as lmdeploy
    from .sensevoice_server import SenseVoiceServer as sensevoice
    from .sentence_transformers_server import SentenceTransformers as sentence_transformers
    from .sglang_server import SGLang as sglang
    from .speech_server import SpeechServer as speech
    from .transformers_serve import TransformersServe as transformers
    from .vllm_server import VLLM as vllm

__all__ = [
    "Choice",
    "auto",
    "choose",
    "diffusers",
    "dummy",
    "infinity",
    "lightllm",
    "llama_cpp",
    "lmdeploy",
    "sensevoice",
    "sentence_transformers",
    "sglang",
    "speech",
    "transformers",
    "vllm",
]


class auto:
    """The engine that fits the model and the machine; `choose` says which and why.

    It takes no arguments of its own; those that are given go to the engine that it chooses, which refuses what it does not know.
    """

    name = "auto"
    choose = staticmethod(choose)

    def __init__(self, *given: Any, **arguments: Any) -> None:
        if given or arguments:
            cause = "A deployment belongs to a module, which knows the model."
            raise ArgumentError(
                "deploy.auto is named, not called.", cause, "Write TrainableModule('…').start(); it is what a module takes by itself."
            )

    @staticmethod
    def arguments() -> list[str]:
        """None: each engine has its own."""
        return []


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    known = registry.names("deploy")
    plain = known_as(name)
    for found in (name, name.lower(), plain, ALIASES.get(plain, "")):
        if found == auto.name:
            return auto
        if found in known:
            return registry.get("deploy", found)
    if plain in RETIRED:
        raise AttributeError(f"workbench.deploy has no engine {name!r}. {RETIRED[plain]}")
    near = nearest(plain, [auto.name, *known, *ALIASES])
    hint = f"{near!r} is the nearest name" if near else f"it has auto, {', '.join(known)}"
    raise AttributeError(f"workbench.deploy has no engine {name!r}; {hint}")


def __dir__() -> list[str]:
    return sorted({*__all__, *registry.names("deploy")})
