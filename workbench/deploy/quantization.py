"""Which engine serves weights that are quantized already, and how each is told to quantize at the start, as data.

``quantization=`` may be written for every engine as people know it (``'4bit'``, ``'8bit'``, ``'bnb-4bit'``, ``'fp8'``, ``'awq'``, …): here it
becomes the engine's own argument. Sources: the engines' own lists (vLLM 0.32 with its plugins for bitsandbytes and GGUF, SGLang 0.5.23,
LMDeploy 0.18.0, LightLLM's main branch, transformers 5.23, llama.cpp's converter). Loads and reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..core.models import ModelMeta
from ..errors import ArgumentError

Where = Literal["anywhere", "gpu", "never"]

TITLES = {
    "bitsandbytes": "bitsandbytes",
    "gptq": "GPTQ",
    "awq": "AWQ",
    "fp8": "FP8",
    "compressed-tensors": "compressed-tensors",
    "mxfp4": "MXFP4",
    "gguf": "GGUF",
}
"""Forms of quantized weights, as a model's files call them."""

SERVES: Mapping[str, Mapping[str, Where]] = {
    "vllm": {
        "bitsandbytes": "gpu",
        "gptq": "anywhere",
        "awq": "anywhere",
        "fp8": "anywhere",
        "compressed-tensors": "anywhere",
        "mxfp4": "gpu",
        "gguf": "gpu",
    },
    "sglang": dict.fromkeys(TITLES, "gpu"),
    "lmdeploy": {**dict.fromkeys(TITLES, "gpu"), "bitsandbytes": "never", "gguf": "never"},
    "lightllm": {"awq": "gpu", "fp8": "gpu", "bitsandbytes": "never", "gptq": "never", "gguf": "never"},
    "transformers": {"bitsandbytes": "anywhere", "fp8": "anywhere", "mxfp4": "anywhere", "gptq": "never", "awq": "never", "gguf": "never"},
    # Its converter makes numbers of these again, and GGUF's own blocks of the numbers.
    "llama_cpp": {
        "gguf": "anywhere",
        "gptq": "anywhere",
        "fp8": "anywhere",
        "compressed-tensors": "anywhere",
        "mxfp4": "anywhere",
        "awq": "never",
        "bitsandbytes": "never",
    },
}
"""Engine → form → where it serves it. What is not here, an engine may or may not do: it is asked."""

_PER_TENSOR = "fp8 per tensor"  # one scale for a whole matrix: the build of vLLM for CPUs lacks what computes the inputs' scale

_WHY = {
    (
        "transformers",
        "gptq",
    ): "transformers needs the package gptqmodel for it, which its environment has not; an interpreter that has it serves it: python=….",
    (
        "transformers",
        "awq",
    ): "transformers needs the package gptqmodel for it, which its environment has not; an interpreter that has it serves it: python=….",
}

SPELLINGS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "vllm": {
        "4bit": {"quantization": "bitsandbytes"},
        "8bit": {"quantization": "int8_per_channel_weight_only"},
        "fp8": {"quantization": "fp8"},
        "awq": {"quantization": "awq"},
        "gptq": {"quantization": "gptq"},
        "gguf": {},
    },
    "sglang": {
        "4bit": {"quantization": "bitsandbytes", "load_format": "bitsandbytes"},
        "fp8": {"quantization": "fp8"},
        "awq": {"quantization": "awq"},
        "gptq": {"quantization": "gptq"},
        "gguf": {"quantization": "gguf", "load_format": "gguf"},
    },
    "lmdeploy": {"awq": {"model_format": "awq"}, "gptq": {"model_format": "gptq"}, "fp8": {"model_format": "fp8"}},
    "lightllm": {"8bit": {"quant_type": "vllm-w8a8"}, "fp8": {"quant_type": "vllm-fp8w8a8"}, "awq": {"quant_type": "awq"}},
    "transformers": {"4bit": {"quantization": "bnb-4bit"}, "8bit": {"quantization": "bnb-8bit"}, "fp8": {}},
    "llama_cpp": {"4bit": {"outtype": "q4_k_m"}, "8bit": {"outtype": "q8_0"}, "fp8": {}, "gptq": {}, "gguf": {}},
}
"""Engine → what people mean → its own arguments; none where it reads it from the files."""

OWN_NAME = {"lmdeploy": "model_format", "lightllm": "quant_type", "llama_cpp": "outtype"}
"""The engine's own name for ``quantization`` where it is another."""

_MEANT = {
    "4bit": "4bit 4-bit 4 int4 nf4 bnb-4bit bnb_4bit bnb4 bitsandbytes-4bit bitsandbytes bnb true",
    "8bit": "8bit 8-bit 8 int8 bnb-8bit bnb_8bit bnb8 bitsandbytes-8bit q8",
    "fp8": "fp8 float8",
    "awq": "awq awq-4bit awq4",
    "gptq": "gptq gptq-4bit gptq4 gptq-8bit gptq8",
    "gguf": "gguf",
    "": "none false no off",
}
MEANS = {word: what for what, words in _MEANT.items() for word in words.split()}
"""What people write → what they mean."""

NAMES = frozenset({"quantization", "quatization", "quantize", "load_in_4bit", "load_in_8bit"})
"""Names under which it is written: ours and the engines', Byzer-LLM's, and transformers' of old."""


def settle(engine: str, known: frozenset[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with what was said of quantization under the engine's own names.

    Raises
    ------
    ArgumentError
        For a quantization that the engine cannot do at the start, with the engines that can.
    """
    if engine not in SPELLINGS:
        return dict(arguments)
    plain = {name.strip("-").replace("-", "_"): name for name in arguments}
    said = {name: arguments[plain[name]] for name in NAMES if name in plain}
    rest = {name: value for name, value in arguments.items() if name.strip("-").replace("-", "_") not in NAMES}
    wishes = [wish for name, value in said.items() if (wish := _wish(name, value)) is not None]
    if len(wishes) > 1:
        raise ArgumentError(f"deploy.{engine} was given {' and '.join(sorted(said))}.", "They say the same thing.", "Give one of them.")
    if not wishes:
        return rest
    return {**_own(engine, known, wishes[0]), **rest}


def _wish(name: str, value: Any) -> str | None:
    if value is None or value is False:
        return None
    if name in ("load_in_4bit", "load_in_8bit"):
        return name.removeprefix("load_in_")
    return str(value).strip()


def _own(engine: str, known: frozenset[str], wish: str) -> dict[str, Any]:
    meant = MEANS.get(wish.lower())
    if meant == "":
        return {}
    ways = SPELLINGS[engine]
    if meant is not None and meant in ways:
        return dict(ways[meant])
    name = OWN_NAME.get(engine, "quantization")
    if meant is None and name in known:
        return {name: wish}  # the engine's own word, which it knows better
    able = [other for other, theirs in SPELLINGS.items() if meant in theirs]
    fix = f"Choose an engine that can: {', '.join(f'wb.deploy.{e}' for e in able)}." if able else f"It knows: {', '.join(ways)}."
    raise ArgumentError(f"deploy.{engine} cannot serve with quantization={wish!r}.", "", fix)


def check(model: ModelMeta, engine: str, *, gpu: bool, python: str = "") -> None:
    """Refuse an engine that cannot serve a model as it is quantized, before anything is loaded.

    Parameters
    ----------
    gpu : bool
        Whether the engine would compute on a GPU.
    python : str
        The interpreter that the user named: what it has beside the engine is not known.

    Raises
    ------
    ArgumentError
        Naming the engines that can.
    """
    form = form_of(model)
    reason = _WHY.get((engine, form), "")
    if serves(engine, model, gpu=gpu) or (reason and python):
        return
    able = [e for e, forms in SERVES.items() if form in forms and serves(e, model, gpu=gpu)]
    if SERVES[engine][form] == "anywhere":
        needs = f"{_title(engine)} without a GPU serves FP8 in blocks and per channel, not per tensor."
    elif SERVES[engine][form] == "gpu":
        needs = f"{_title(engine)} serves {TITLES[form]} weights on a GPU only."
    else:
        needs = reason or f"{_title(engine)} reads no such weights."
    fix = f"Write deploy_method(wb.deploy.{able[0]})." if able else f"Take {model.name} without its quantization, or a GGUF file of it."
    what = "is a GGUF file" if form == "gguf" else f"is quantized with {TITLES[form]}"
    raise ArgumentError(f"{model.name} {what}, which wb.deploy.{engine} cannot serve here.", needs, fix)


def serves(engine: str, model: ModelMeta, *, gpu: bool) -> bool:
    """Whether an engine serves the model as it is quantized, as far as that is known."""
    where = SERVES.get(engine, {}).get(form_of(model), "anywhere")
    if engine == "vllm" and where == "anywhere" and _PER_TENSOR in model.quantization.lower():
        where = "gpu"
    own_file = engine == "llama_cpp" and bool(model.gguf)  # that is what it serves, whatever lies beside
    return own_file or where == "anywhere" or (where == "gpu" and gpu)


def form_of(model: ModelMeta) -> str:
    """How a model's weights are quantized, as `TITLES` calls it; empty where they are not."""
    if model.format == "gguf":
        return "gguf"
    said = model.quantization.lower()
    return next((form for form in TITLES if said.startswith(form)), "")


def _title(engine: str) -> str:
    from .. import registry

    return str(getattr(registry.get("deploy", engine), "title", "") or engine)
