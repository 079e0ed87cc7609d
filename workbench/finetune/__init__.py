"""Fine-tuning backends: ``finetune.llamafactory``, ``finetune.dummy``, ``finetune.auto``, and what plugins register.

A backend turns a `FinetuneSpec` into commands and runs nothing. Names are the registry's, in any case, with or without
``Finetune`` at their end; the classes' files have other names, so that no module hides a backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import registry
from ..errors import ArgumentError

if TYPE_CHECKING:
    from .dummy_trainer import DummyFinetune as dummy
    from .llama_factory import LlamaFactory as llamafactory

__all__ = ["auto", "choose", "dummy", "llamafactory"]

_RETIRED = {
    "collie": "CoLLiE is no longer maintained; finetune.llamafactory does what it did, and takes finetuning_type='full' or 'lora'.",
    "alpacalora": "alpaca-lora is no longer maintained; finetune.llamafactory does what it did: finetuning_type='lora' is its default.",
}
_INSTEAD = {
    "easyllm": "It never trained anything: use finetune.llamafactory.",
    "flagembedding": "Fine-tuning of embedding models and rerankers is not available in this version.",
    "easyr1": "This version does supervised fine-tuning: finetune.llamafactory.",
    "grpo": "This version does supervised fine-tuning: finetune.llamafactory.",
    **dict.fromkeys(("trl", "peft"), "LLaMA-Factory trains with it: use finetune.llamafactory."),
    **dict.fromkeys(("axolotl", "swift", "unsloth", "xtuner"), "It is another trainer: finetune.llamafactory does what it does here."),
}
_LATER = {
    "embed": "embedding models",
    "rerank": "rerankers",
    "reranker": "rerankers",
    "cross_modal_embed": "models that embed pictures",
    "vlm": "vision models",
    "stt": "speech models",
    "tts": "speech models",
    "sd": "image models",
    "ocr": "models that read pictures",
}


class auto:  # people type it as a backend's name
    """Chooses the backend by the kind of model: language models go to LLaMA-Factory."""

    name = "auto"


def choose(model_type: str = "llm") -> Any:
    """The backend class for a kind of model.

    Raises
    ------
    ArgumentError
        For a kind that this version cannot fine-tune.
    """
    if model_type in ("", "llm"):
        return registry.get("finetune", "llamafactory")
    what = _LATER.get(model_type, f"models of the type {model_type!r}")
    raise ArgumentError(
        f"Fine-tuning of {what} is not available in this version.",
        f"The model's type is {model_type!r}; only 'llm' can be fine-tuned.",
        "Use a language model, or type='llm' where this one was taken for something else.",
    )


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    plain = name.lower().removesuffix("finetune") or name.lower()
    if plain in _RETIRED:
        raise AttributeError(f"finetune.{name} is retired: {_RETIRED[plain]}")
    if plain in _INSTEAD and plain not in registry.names("finetune"):
        raise AttributeError(f"No fine-tuning backend is called {name!r}. {_INSTEAD[plain]}")
    if plain == "auto":
        return auto
    if name in registry.names("finetune") or plain in registry.names("finetune"):
        return registry.get("finetune", name if name in registry.names("finetune") else plain)
    from ..errors import nearest

    near = nearest(plain, [*registry.names("finetune"), *_RETIRED, "auto"])
    raise AttributeError(f"No fine-tuning backend is called {name!r}." + (f" {near!r} is the nearest name." if near else ""))


def __dir__() -> list[str]:
    return sorted({*registry.names("finetune"), "auto", "choose"})
