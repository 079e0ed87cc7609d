"""The values of llama.cpp's arguments: in llama.cpp's own words, refused when they mean nothing, and as its parameters and command line want them.

Knows the table of `llama_cpp_arguments`; asks no server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, nearest
from .llama_cpp_arguments import ARGUMENTS


def _alike(words: str) -> dict[str, str]:
    return {word: word.replace("-", "_") for word in words.split()}


WORDS: dict[str, dict[str, str]] = {
    "cache": _alike("f32 f16 bf16 q8_0 q4_0 q4_1 iq4_nl q5_0 q5_1"),
    "draft": _alike(
        "none draft-simple draft-eagle3 draft-mtp draft-dflash draft-dspark ngram-simple ngram-map-k ngram-map-k4v ngram-mod ngram-cache"
    ),
    "drafting": _alike("greedy probabilistic"),
    "loading": {**_alike("auto none mmap mlock"), "mmap+mlock": "mmap_mlock", "dio": "direct_io"},
    "numa": _alike("distribute isolate numactl"),
    "onoff": {"on": "enabled", "off": "disabled", "auto": "auto"},
    "pooling": _alike("none mean cls last rank"),
    "prio": _alike("low normal medium high realtime"),
    "rope": _alike("none linear yarn"),
    "split": _alike("none layer row tensor"),
    "thought": _alike("none auto deepseek deepseek-legacy"),
}
"""Kind → llama.cpp's words on the command line → the end of the name in its enumeration."""
_SAME = {
    "onoff": {"true": "on", "1": "on", "yes": "on", "enabled": "on", "false": "off", "0": "off", "no": "off", "disabled": "off", "-1": "auto"},
    "prio": {"-1": "low", "0": "normal", "1": "medium", "2": "high", "3": "realtime"},
}
_SWITCH = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "on", "enabled"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "off", "disabled"), False),
}
_LAYERS = {"auto": -1, "all": -2}
_EXPERTS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU"
_MIB = 1 << 20
_GPUS, _TARGETS, _CPUS = 128, 16, 512  # the lengths of xllamacpp's arrays


def settled(name: str, value: Any) -> Any:
    """A value in llama.cpp's own words.

    Raises
    ------
    ArgumentError
        When it can mean nothing, with the words or numbers that do.
    """
    kind = ARGUMENTS[name].kind
    if kind in WORDS:
        return _word(name, kind, value)
    read, wanted = _KINDS[kind]
    try:
        return read(value)
    except (ValueError, TypeError, OverflowError):
        raise ArgumentError(f"deploy.llama_cpp does not take {name}={value!r}.", f"It is {wanted}.", f"Write {name}= {wanted}.") from None


def switched(name: str, value: Any) -> bool:
    """What a switch says that is no argument of its own. Raises `ArgumentError`."""
    try:
        return _switch(value)
    except ValueError:
        raise ArgumentError(f"deploy.llama_cpp does not take {name}={value!r}.", "", f"Write {name}= True or False.") from None


def _word(name: str, kind: str, value: Any) -> str:
    words = WORDS[kind]
    said = [str(v) for v in value] if isinstance(value, list | tuple) else str(value).split(",") if kind == "draft" else [str(value)]
    plain = {w.replace("_", "-"): w for w in words}
    found = []
    for one in said:
        low = one.strip().lower()
        word = _SAME.get(kind, {}).get(low, low)
        word = plain.get(word.replace("_", "-"), word)
        if word not in words:
            near = nearest(word, words)
            cause = f"{near!r} is the nearest." if near else ""
            raise ArgumentError(f"deploy.llama_cpp does not take {name}={value!r}.", cause, f"Write one of: {', '.join(words)}.")
        found.append(word)
    if kind != "draft" and len(found) != 1:
        raise ArgumentError(f"deploy.llama_cpp does not take {name}={value!r}.", "It is one word.", f"Write one of: {', '.join(words)}.")
    return ",".join(found)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or float(value) != int(float(value)):
        raise ValueError
    return int(float(value)) if not isinstance(value, int) else value


def _number(value: Any) -> float | int:
    if isinstance(value, bool):
        raise ValueError
    return value if isinstance(value, int | float) else float(value)


def _switch(value: Any) -> bool:
    found = _SWITCH.get(str(value).lower())
    if found is None:
        raise ValueError
    return found


def _texts(value: Any) -> str:
    return ";".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _numbers(value: Any) -> list[float | int]:
    parts = value if isinstance(value, list | tuple) else str(value).replace("/", ",").split(",") if isinstance(value, str) else [value]
    return [_number(int(p) if isinstance(p, str) and p.strip().isdigit() else p) for p in parts]


def _layers(value: Any) -> int | str:
    low = str(value).strip().lower()
    return low if low in _LAYERS else _whole(value)


def _mapping(value: Any) -> dict[str, Any]:
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, Mapping):
        raise TypeError
    return {str(k): v for k, v in found.items()}


def _mask(value: Any) -> str:
    text = str(value).lower().removeprefix("0x")
    if int(text, 16) <= 0 or int(text, 16).bit_length() > _CPUS:
        raise ValueError
    return text


_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "int": (_whole, "a whole number"),
    "number": (_number, "a number"),
    "switch": (_switch, "True or False"),
    "text": (str, "a text"),
    "texts": (_texts, "names with ; between them"),
    "file": (str, "the path of a GGUF file"),
    "numbers": (_numbers, "numbers, such as [3, 1]"),
    "layers": (_layers, "a whole number, 'auto' or 'all'"),
    "mapping": (_mapping, "a dictionary"),
    "mask": (_mask, "a mask of CPUs in hexadecimal digits"),
    "adapters": (lambda value: dict(adapters(value)), "a path, several, or numbers by path"),
}


def placed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """llama.cpp's parameters for settled arguments: place in ``CommonParams`` → a value that JSON carries."""
    out: dict[str, Any] = {}
    for name, value in arguments.items():
        argument = ARGUMENTS[name]
        words = WORDS.get(argument.kind, {})
        written: Any = value
        if words:
            written = ["none", *(words[w] for w in value.split(","))] if argument.kind == "draft" else words[value]
        elif argument.kind == "layers":
            written = _LAYERS.get(value, value)
        if name == "lazy_mode":
            written = value  # its enumeration says on and off
        out |= dict.fromkeys(argument.places, written)
    return {**out, **_made(arguments)}


def _made(given: Mapping[str, Any]) -> dict[str, Any]:
    """What llama.cpp's parser makes of arguments that are no parameter themselves."""
    out: dict[str, Any] = {}
    template = dict(given.get("default_template_kwargs") or {})
    if "enable_reasoning" in given:
        out["enable_reasoning"] = {"on": 1, "off": 0, "auto": -1}[given["enable_reasoning"]]
        if given["enable_reasoning"] != "auto":
            template.setdefault("enable_thinking", given["enable_reasoning"] == "on")
    for name, key in (("reasoning_effort", "reasoning_effort"), ("reasoning_preserve", "preserve_reasoning")):
        if name in given:
            template.setdefault(key, given[name])
    if template:
        out["default_template_kwargs"] = template
    if "spec_draft_sampling" in given:
        out["speculative.draft.probabilistic"] = given["spec_draft_sampling"] == "probabilistic"
    if given.get("rope_scale"):
        out["rope_freq_scale"] = 1.0 / given["rope_scale"]
    if "tensor_split" in given:
        out["tensor_split"] = _filled(given["tensor_split"], _GPUS, 0.0)
    if "fit_target" in given:
        bytes_each = [int(n * _MIB) for n in given["fit_target"]]
        out["fit_params_target"] = _filled(bytes_each, _TARGETS, bytes_each[0] if len(bytes_each) == 1 else 1024 * _MIB)
    if "moe_cache_mib" in given:
        out["moe_cache_size"] = given["moe_cache_mib"] * _MIB
    if "cpu_mask" in given:
        mask = int(given["cpu_mask"], 16)
        for group in ("cpuparams", "cpuparams_batch"):
            out |= {f"{group}.cpumask": [bool(mask >> i & 1) for i in range(_CPUS)], f"{group}.mask_valid": True}
    if given.get("lora_adapters"):
        out["lora_adapters"] = [list(pair) for pair in adapters(given["lora_adapters"])]
    if overrides := _overrides(given):
        out["tensor_buft_overrides"] = overrides
    return out


def _overrides(given: Mapping[str, Any]) -> str:
    """Which weights stay with the CPU, as llama.cpp's parser writes it."""
    parts = [given["override_tensor"]] if given.get("override_tensor") else []
    parts += [_EXPERTS] if given.get("cpu_moe") else []
    parts += [rf"blk\.{i}{_EXPERTS}" for i in range(int(given.get("n_cpu_moe") or 0))]
    parts += [rf"blk\.{i}\.ffn_(up|down|gate)\.=CPU" for i in range(int(given.get("n_cpu_ffn") or 0))]
    return ",".join(parts)


def _filled(values: list[Any], length: int, rest: Any) -> list[Any]:
    return [*values, *[rest] * (length - len(values))][:length]


def flags(arguments: Mapping[str, Any]) -> list[str]:
    """``llama-server``'s command line for settled arguments."""
    line: list[str] = []
    for name, value in arguments.items():
        kind, flag = ARGUMENTS[name].kind, f"--{ARGUMENTS[name].flag}"
        if name in ("cpu_strict", "fit_params"):
            line += [flag, ("1" if value else "0") if name == "cpu_strict" else "on" if value else "off"]
        elif kind == "switch":
            opposite = "--" + flag.removeprefix("--no-") if flag.startswith("--no-") else flag.replace("--", "--no-", 1)
            line += [flag] if value else [opposite] if name not in ONE_WAY else []
        elif name == "lora_adapters":
            line += [part for path, scale in adapters(value) for part in (["--lora", path] if scale == 1 else ["--lora-scaled", f"{path}:{scale:g}"])]
        elif kind == "numbers":
            line += [flag, ",".join(f"{n:g}" for n in value)]
        elif kind == "prio":
            line += [flag, str({w: n for n, w in _SAME["prio"].items()}[value])]
        else:
            line += [flag, json.dumps(value) if isinstance(value, Mapping) else str(value)]
    return line


ONE_WAY = frozenset(_alike("cpu_moe swa_full no_host check_tensors special embedding ignore_eos backend_sampling enable_chat_template"))
"""Switches that have no flag for off."""


def adapters(value: Any) -> list[tuple[str, float]]:
    """LoRA adapters for every answer, and how strongly each counts: a path, several, or strengths by path."""
    if isinstance(value, Mapping):
        return [(str(path), float(scale)) for path, scale in value.items()]
    return [(str(path), 1.0) for path in (value if isinstance(value, list | tuple) else str(value).split(","))]


def file_of(value: str, beside: Path) -> Path:
    """The file that a name means: one beside the model, or a path."""
    near = beside / value
    return near if near.is_file() else Path(value).expanduser().absolute()
