"""Which engine serves a model on a machine, and why, in a sentence for people. Starts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..core.models import ModelMeta
from ..errors import ArgumentError
from .gguf_architectures import CONVERTIBLE


class HasGpus(Protocol):
    """A machine, as far as the choice asks."""

    @property
    def gpus(self) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine's name in the registry group ``deploy``, and the reason."""

    engine: str
    why: str

    def __str__(self) -> str:
        return self.why


def choose(model: ModelMeta, machine: HasGpus | None = None) -> Choice:
    """The engine for a model.

    Parameters
    ----------
    model : ModelMeta
    machine : optional
        Anything with ``gpus``; None means no GPU.

    Raises
    ------
    ArgumentError
        When there is nothing to serve.
    """
    gpus = len(machine.gpus) if machine is not None else 0
    architecture = model.architecture or "its architecture"
    if model.adapter_of and model.format == "":
        raise ArgumentError(f"{model.name} is a LoRA adapter.", f"Its base model is {model.adapter_of}.", "Merge it into its base model first.")
    if not model.format and not model.gguf:
        raise ArgumentError(f"{model.name} has no weights that could be served.", f"Looked in {model.path}.", "Give a folder with weights.")
    if model.format == "gguf":
        return Choice("llama_cpp", "llama.cpp, because the model is a GGUF file.")
    if gpus and model.type in ("llm", "vlm"):
        return Choice("vllm", f"vLLM, because this machine has {gpus} GPU{'s' if gpus > 1 else ''} and the model is in {model.format} form.")
    if model.gguf and model.type == "llm":
        return Choice("llama_cpp", "llama.cpp, because there is no GPU and the model comes with a GGUF file.")
    if model.architecture in CONVERTIBLE and model.type == "llm":
        return Choice("llama_cpp", f"llama.cpp, because there is no GPU and it can convert {architecture}.")
    return Choice("transformers", f"transformers serve, because there is no GPU and llama.cpp cannot serve {architecture}.")
