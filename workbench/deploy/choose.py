"""Which engine serves a model on a machine, and why, in a sentence for people; and which pairings cannot be. Starts nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .. import registry
from ..core.kinds import CHATS, KINDS, noun
from ..core.models import ModelMeta
from ..errors import ArgumentError
from . import foreign_weights, quantization, vllm_architectures
from .gguf_architectures import CONVERTIBLE, SEEING

_NOBODY = {
    "classify": "It sorts into classes: serve a function that runs it, wb.ServerModule(function).",
    "text2video": "For single pictures write type='sd'. For films serve a function that runs its pipeline, wb.ServerModule(function), "
    "or use a vendor's: wb.OnlineModule(type='text2video').",
    "text2audio": "Serve a function that runs its pipeline, wb.ServerModule(function).",
}
CONVERTS = frozenset({"convert", "hf_overrides", "runner", "task"})  # arguments that make something else of a model than its files say
_SERVES_NO_MODEL = ("dummy", "function")
_HEARS_OTHERWISE = ("sensevoice", "funasr", "paraformer", "am.mvn")


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
        Its ``type`` is what it is to be served as.
    machine : optional
        Anything with ``gpus``; None means no GPU.

    Raises
    ------
    ArgumentError
        When there is nothing to serve, or no engine that serves it; the message says what would help.
    """
    _whole(model)
    if model.type in _NOBODY:
        raise ArgumentError(f"No engine serves {model.name}.", f"It is of type {model.type!r}: {model.told_by}.", _NOBODY[model.type])
    if not model.format and not model.gguf:
        raise ArgumentError(f"{model.name} has no weights that could be served.", f"Looked in {model.path}.", "Give a folder with weights.")
    gpus = len(machine.gpus) if machine is not None else 0
    candidates = (c for c in _candidates(model, gpus) if serves(c.engine, model.type))
    found = next((c for c in candidates if quantization.serves(c.engine, model, gpu=bool(gpus))), None)
    if found is not None:
        return found
    if model.format == "gguf":
        cause = f"It is a GGUF file, and llama.cpp serves no models of type {model.type!r}."
        others = _able(model.type)
        fix = f"wb.deploy.{others[0]} could serve its safetensors folder: give that." if others else "Give its safetensors folder."
        raise ArgumentError(f"No engine serves {model.name}.", cause, fix)
    if model.quantization and any(serves(c.engine, model.type) for c in _candidates(model, gpus)):
        cause = f"Its weights are quantized ({model.quantization}), which no engine reads {'here' if gpus else 'without a GPU'}."
        raise ArgumentError(
            f"No engine serves {model.name} on this machine.", cause, "Serve it on a machine with a GPU, or take the model unquantized."
        )
    raise ArgumentError(f"No engine serves {model.name}.", f"It is of type {model.type!r}.", f"Write type= one of: {', '.join(KINDS)}.")


def check_pairing(model: ModelMeta, type: str = "", engine: str = "", arguments: Collection[str] = ()) -> None:
    """Refuse what cannot be, before anything is loaded.

    Parameters
    ----------
    type : str
        What the user wants the model to be; empty for what its files say.
    engine : str
        The engine that the user chose; empty for none.
    arguments : collection of str
        Names of the engine's arguments; those of `CONVERTS` stand above what the files say.

    Raises
    ------
    ArgumentError
        For an adapter without its base, a type that the model's files speak against, and an engine that does not serve the type.
    """
    _whole(model)
    if type and type != model.type and type not in model.also and model.told_by and not CONVERTS & set(arguments):
        others = "".join(f" or type={t!r}" for t in model.also if t in KINDS)
        fix = f"Leave type= out, or write type={model.type!r}{others}." if model.type in KINDS else _NOBODY.get(model.type, "")
        if type == "rerank" and model.type in CHATS:
            fix += " If it was trained to rank, write 'pipeline_tag: text-ranking' between two lines of --- at the head of its README.md."
        raise ArgumentError(f"{model.name} is {noun(model.type)}, not {noun(type)}.", _says(model), fix)
    if engine:
        check_engine(engine, type or model.type, f"{model.name} is {noun(type or model.type)}." + ("" if type else f" {_says(model)}"))


def check_engine(engine: str, type: str, cause: str = "") -> None:
    """Refuse an engine that does not serve a type. Raises `ArgumentError`, which names one that does."""
    if serves(engine, type):
        return
    able = [e for e in _able(type) if e not in _SERVES_NO_MODEL]
    line = f"Leave deploy_method out, or write deploy_method(wb.deploy.{able[0]})." if able else _NOBODY.get(type, "")
    raise ArgumentError(f"deploy.{engine.rpartition(':')[2]} does not serve models of type {type!r}.", cause, line)


def _whole(model: ModelMeta) -> None:
    if model.adapter_of and model.format == "":
        line = f"wb.TrainableModule({model.adapter_of!r}).deploy_method(wb.deploy.vllm, adapters=[{model.path!r}])"
        fix = f"Write {line}, or merge it into its base model."
        raise ArgumentError(f"{model.name} is a LoRA adapter, not a whole model.", f"Its base model is {model.adapter_of}.", fix)
    if foreign := foreign_weights.form_of(model.path, model.type):
        raise ArgumentError(f"No engine serves {model.name}.", foreign.what, foreign.fix)


def _says(model: ModelMeta) -> str:
    """What told a model's type, as a sentence."""
    by = model.told_by
    return f"{by[:1].upper() if by.startswith(('the ', 'its ')) else by[:1]}{by[1:]} says so." if by else ""


def serves(engine: str, type: str) -> bool:
    """Whether an engine serves models of a type; one that does not say may serve any."""
    if ":" not in engine and engine not in registry.names("deploy"):
        return False
    types = getattr(registry.get("deploy", engine), "types", ())
    return not types or type in types


def _able(type: str) -> list[str]:
    """The engines that serve a type, those that need no GPU first."""
    order = ("sentence_transformers", "diffusers", "speech", "llama_cpp", "transformers", "vllm")
    found = [e for e in order if serves(e, type)]
    return found + [e for e in registry.names("deploy") if e not in found and serves(e, type)]


def _candidates(model: ModelMeta, gpus: int) -> Iterator[Choice]:
    """Engines for the model's type, the best first."""
    here = f"this machine has {gpus} GPU{'s' if gpus > 1 else ''}"
    if model.format == "gguf":
        yield Choice("llama_cpp", "llama.cpp, because the model is a GGUF file.")
        return
    if model.type in CHATS:
        yield from _chats(model, gpus, here)
        return
    if gpus and vllm_architectures.serves(model.architecture, model.type):
        yield Choice("vllm", f"vLLM, because {here} and it serves {model.architecture} as {noun(model.type)}.")
    if model.type in ("embed", "cross_modal_embed", "rerank"):
        yield Choice("sentence_transformers", f"sentence-transformers, because {_no_vllm(model, gpus)}.")
    elif model.type == "stt":
        if any(sign in f"{model.architecture} {model.name} {model.told_by}".lower() for sign in _HEARS_OTHERWISE):
            yield Choice("sensevoice", "SenseVoice's own engine, because transformers does not know this family.")
        yield Choice("speech", f"transformers behind our speech server, because {_no_vllm(model, gpus)}.")
        yield Choice("transformers", f"transformers serve, because {_no_vllm(model, gpus)}.")
    elif model.type == "tts":
        yield Choice("speech", "transformers behind our speech server, the engine for models that speak.")
    elif model.type in ("sd", "image_editing"):
        yield Choice("diffusers", "diffusers, the engine for models that make pictures.")


def _chats(model: ModelMeta, gpus: int, here: str) -> Iterator[Choice]:
    architecture = model.architecture or "its architecture"
    if gpus:
        yield Choice("vllm", f"vLLM, because {here} and the model is in {model.format} form.")
    if model.gguf and model.type == "llm":
        yield Choice("llama_cpp", "llama.cpp, because there is no GPU and the model comes with a GGUF file.")
    if model.architecture in CONVERTIBLE and model.type == "llm":
        yield Choice("llama_cpp", f"llama.cpp, because there is no GPU and it can convert {architecture}.")
    seen = (
        f"takes {architecture} with pictures only when it is named"
        if model.architecture in SEEING
        else f"would need {architecture} with its eyes as GGUF files"
    )
    what = f"cannot serve {architecture}" if model.type == "llm" else seen
    if not quantization.serves("llama_cpp", model, gpu=bool(gpus)):
        what = f"reads no weights that are quantized with {quantization.TITLES[quantization.form_of(model)]}"
    yield Choice("transformers", f"transformers serve, because there is no GPU and llama.cpp {what}.")
    if model.quantization:
        yield Choice("vllm", f"vLLM, because the weights are quantized ({model.quantization}), which no other engine reads without a GPU.")


def _no_vllm(model: ModelMeta, gpus: int) -> str:
    """Why it is not vLLM that serves the model."""
    if not gpus:
        return "there is no GPU"
    return f"vLLM does not serve {model.architecture or 'its architecture'} as {noun(model.type)}"
