"""llama.cpp's arguments as people write them, under one name each and with values in llama.cpp's words. Looks at no file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ArgumentError
from . import llama_cpp_values
from .gguf_files import is_quantization
from .llama_cpp_arguments import ALIASES, ARGUMENTS, CHOICES, LOADING, OPPOSITES, OUTTYPES, QUANTIZED, SLOTS

WHERE = "deploy.llama_cpp"
LENGTH = "max_model_len"
KNOWN = frozenset({*ARGUMENTS, *ALIASES, *OPPOSITES, *LOADING, *CHOICES, LENGTH})


def plainly(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing or the opposite: every name is one of ours or an alias of one.

    Raises
    ------
    ArgumentError
        For two that say different things of the same.
    """
    out: dict[str, Any] = {}
    for name, value in arguments.items():
        plain = name.strip("-").replace("-", "_")
        if value is None:
            continue
        own, said = name, value
        if plain in OPPOSITES:
            own = OPPOSITES[plain]
            said = not llama_cpp_values.settled(own, value)
        elif plain in LOADING:
            on, off = LOADING[plain]
            own, said = "load_mode", on if llama_cpp_values.switched(plain, value) else off
            if not said:
                continue
            if {said, out.get(own)} == {"mmap", "mlock"}:
                out[own] = said = "mmap+mlock"
        if own in out and out[own] != said:
            raise ArgumentError(f"{WHERE} was given {name} and {own}.", "They say different things of the same.", "Give one of them.")
        out[own] = said
    return out


def length(arguments: Mapping[str, Any], rest: Mapping[str, Any]) -> int | None:
    """``n_ctx``, which all conversations share, for vLLM's ``max_model_len``, the length of one."""
    plain = {k.strip("-").replace("-", "_"): k for k in arguments}
    if LENGTH not in plain:
        return None
    if "n_ctx" in rest:
        raise ArgumentError(f"{WHERE} was given n_ctx and max_model_len.", "Both say how long conversations may be.", "Give one of them.")
    try:
        each = int(arguments[plain[LENGTH]])
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{WHERE} does not take {LENGTH}={arguments[plain[LENGTH]]!r}.", "It is a whole number.", f"Write {LENGTH}=4096."
        ) from None
    return each * int(rest.get("n_parallel", SLOTS))


def file_is_meant(quantization: str) -> bool:
    """Whether ``quantization=`` names a file, because no conversion writes it."""
    return is_quantization(quantization) and quantization.lower() not in (*OUTTYPES, *QUANTIZED)


def valued(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The values of arguments under our names, in llama.cpp's words."""
    out = {name: llama_cpp_values.settled(name, value) if name in ARGUMENTS else value for name, value in arguments.items()}
    if (kept := out.get("cache_type_v", "f16")) not in ("f32", "f16", "bf16") and out.get("flash_attn_type") == "off":
        cause = "llama.cpp keeps values in blocks only with flash attention."
        raise ArgumentError(f"{WHERE} was given cache_type_v={kept!r} without flash attention.", cause, "Leave flash_attn= out, or write 'on'.")
    if "outtype" in out:
        out["outtype"] = str(out["outtype"]).lower()
    if "enable_lora" in out:
        out["enable_lora"] = llama_cpp_values.switched("enable_lora", out["enable_lora"])
    return out
