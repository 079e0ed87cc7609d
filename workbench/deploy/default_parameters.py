"""Generation parameters of a deployment: those of every request, whichever client sends it, that does not give its own.

They come under OpenAI's names; each engine takes them in another way, and none takes them all. What is here turns them into the
engine's own arguments. Knows names; applies nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ArgumentError, unknown_argument
from .llama_cpp_arguments import defaults_of as llama_cpp_sampling

SAME = {
    "max_completion_tokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "n_predict": "max_tokens",
    "repeat_penalty": "repetition_penalty",
    "temp": "temperature",
    "typ_p": "typical_p",
}
"""Other names of the same parameter → the one that is used here."""
_NUMBERS = {  # whether it is a whole number, and the smallest that means something
    "frequency_penalty": (False, -2.0),
    "max_tokens": (True, 1),
    "min_p": (False, 0.0),
    "presence_penalty": (False, -2.0),
    "repetition_penalty": (False, 0.0),
    "seed": (True, -1),
    "temperature": (False, 0.0),
    "top_k": (True, -1),
    "top_p": (False, 0.0),
    "typical_p": (False, 0.0),
}
_TEMPLATE = ("chat_template_kwargs", "enable_thinking")  # what the chat template is told
KNOWN = frozenset({*_NUMBERS, *_TEMPLATE})
_EACH = frozenset(
    [
        "best_of",
        "ignore_eos",
        "logit_bias",
        "logprobs",
        "n",
        "parallel_tool_calls",
        "response_format",
        "stop",
        "stop_token_ids",
        "tool_choice",
        "tools",
        "top_logprobs",
    ]
)

_VLLM = {n: n for n in ("frequency_penalty", "min_p", "presence_penalty", "repetition_penalty", "temperature", "top_k", "top_p")}
_LLAMA_CPP = {
    "frequency_penalty": "penalty_freq",
    "max_tokens": "n_predict",
    "min_p": "min_p",
    "presence_penalty": "penalty_present",
    "repetition_penalty": "penalty_repeat",
    "seed": "seed",
    "temperature": "temp",
    "top_k": "top_k",
    "top_p": "top_p",
    "typical_p": "typ_p",
}
_TRANSFORMERS = {n: n for n in ("min_p", "repetition_penalty", "temperature", "top_k", "top_p", "typical_p")}


TAKES: dict[str, frozenset[str]] = {
    "vllm": frozenset({*_VLLM, "max_tokens", "seed", *_TEMPLATE}),
    "llama_cpp": frozenset({*_LLAMA_CPP, *_TEMPLATE}),
    "transformers": frozenset({*_TRANSFORMERS, "max_tokens", "seed", *_TEMPLATE}),
}
"""Engine → what it can be given for every client. An engine that is not here can be given nothing."""


def checked(engine: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters under one name each, with values that can be meant.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest; and for one that this engine can only be told with each request.
    """
    out: dict[str, Any] = {}
    for name, value in defaults.items():
        plain = SAME.get(name, name)
        if plain not in KNOWN | _EACH:
            raise unknown_argument("defaults", name, {*KNOWN, *SAME})
        if plain in out:
            raise ArgumentError(f"defaults has {plain} twice.", f"{name} is another name for it.", "Give one of them.")
        if plain not in TAKES.get(engine, ()):
            fix = f"Write m.set_default_parameters({name}={value!r}): calls through m then give it."
            raise ArgumentError(f"deploy.{engine} cannot be given {name} for every client.", "It takes it with each request only.", fix)
        if value is not None:
            out[plain] = _value(plain, value)
    return out


def _value(name: str, value: Any) -> Any:
    if name == "chat_template_kwargs":
        fits, like = isinstance(value, Mapping), "a dict such as {'enable_thinking': False}"
    elif name == "enable_thinking":
        fits, like = isinstance(value, bool), "True or False"
    else:
        whole, least = _NUMBERS[name]
        fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= least and (not whole or value == int(value))
        like = f"a {'whole ' if whole else ''}number from {least:g}"
    if not fits:
        raise ArgumentError(f"The default {name} cannot be {value!r}.", "", f"Give {like}.")
    return int(value) if name in _NUMBERS and _NUMBERS[name][0] else value


def template_values(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What the chat template is told with every request."""
    thinking = {"enable_thinking": defaults["enable_thinking"]} if "enable_thinking" in defaults else {}
    return {**(defaults.get("chat_template_kwargs") or {}), **thinking}


def for_vllm(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """vLLM's arguments: ``override_generation_config`` and ``default_chat_template_kwargs``."""
    config = {_VLLM[k]: v for k, v in defaults.items() if k in _VLLM}
    if "max_tokens" in defaults:
        config["max_new_tokens"] = defaults["max_tokens"]  # transformers' name, which vLLM reads
    found = {"override_generation_config": config, "default_chat_template_kwargs": template_values(defaults)}
    return {k: v for k, v in found.items() if v} | ({"seed": defaults["seed"]} if "seed" in defaults else {})


def for_llama_cpp(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """llama.cpp's arguments."""
    found: dict[str, Any] = {_LLAMA_CPP[k]: v for k, v in defaults.items() if k in _LLAMA_CPP}
    told = template_values(defaults)
    return {**found, "default_template_kwargs": told} if told else found


def for_transformers(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of transformers' ``GenerationConfig``; a temperature of 0 is the likeliest token, any other samples."""
    found: dict[str, Any] = {_TRANSFORMERS[k]: v for k, v in defaults.items() if k in _TRANSFORMERS}
    if "temperature" in found:
        found["do_sample"] = found["temperature"] > 0
        if not found["do_sample"]:
            del found["temperature"]
    elif set(found) - {"repetition_penalty"}:
        found["do_sample"] = True
    return found


def of_model(engine: str, generation: Mapping[str, Any]) -> dict[str, Any]:
    """What an engine takes from a model's ``generation_config.json``, under OpenAI's names.

    llama.cpp is told of it by us, in transformers' sense: a model that does not say ``do_sample`` takes the likeliest token. vLLM does
    not look at ``do_sample``, and takes the length for the most that anybody may have.
    """
    if not generation or engine not in TAKES:
        return {}
    length = generation.get("max_new_tokens")
    if engine == "vllm":
        found = {name: generation[name] for name in sorted(_VLLM) if generation.get(name) is not None}
        return {**found, "max_tokens": length} if length is not None else found
    names: dict[str, str] = {theirs: ours for ours, theirs in _LLAMA_CPP.items()}
    found = {names.get(name, name): value for name, value in llama_cpp_sampling(dict(generation)).items()}
    return {**found, "max_tokens": max(1024, int(length or 0))} if engine == "transformers" else found


def from_arguments(engine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that an engine's own settled arguments stand for, under OpenAI's names."""
    if engine == "llama_cpp":
        return {ours: arguments[theirs] for ours, theirs in _LLAMA_CPP.items() if theirs in arguments}
    config = arguments.get("override_generation_config") if engine == "vllm" else None
    return {SAME.get(str(name), str(name)): value for name, value in config.items()} if isinstance(config, Mapping) else {}
