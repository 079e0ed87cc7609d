"""What an answer may be: a choice, a pattern, a grammar, a JSON schema. One way to write it, each engine's own way to be told.

People write vLLM's ``structured_outputs={'choice': […]}``, or its older ``guided_choice=[…]``. An engine ignores what it does not know, so that
what was wished would silently not happen. The endpoint's option ``constraints`` says how its server is told: ``structured_outputs`` (vLLM since
0.12), ``llama_cpp``, ``sglang``, ``lmdeploy``, ``lightllm``, or ``none`` where it cannot be. No option: the parameters go through as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ArgumentError, unknown_argument

KINDS = ("choice", "grammar", "json", "regex")
_GUIDED = {f"guided_{kind}": kind for kind in KINDS}
_ALONE = ("structured_outputs", *_GUIDED)
_VLLM = ("disable_additional_properties", "disable_any_whitespace", "json_object", "structural_tag", "whitespace_pattern")  # it knows these, too
_KNOWN = frozenset({*KINDS, *_VLLM})


def arranged(values: dict[str, Any], way: str) -> dict[str, Any]:
    """The parameters with the constraint in the server's own form.

    Raises
    ------
    ArgumentError
        For a constraint that the server cannot be told, several at once, and a kind that nobody knows.
    """
    if not way or not any(values.get(name) is not None for name in _ALONE):
        return values
    rest = {name: value for name, value in values.items() if name not in _ALONE}
    given = dict(_told(values.get("structured_outputs")))
    more = {name: value for name, value in given.items() if name not in KINDS}
    if unknown := next((name for name in more if name not in _KNOWN), ""):
        raise unknown_argument("structured_outputs", unknown, _KNOWN)
    found = [(kind, given[kind]) for kind in KINDS if given.get(kind) is not None]
    found += [(kind, values[name]) for name, kind in _GUIDED.items() if values.get(name) is not None]
    if len(found) != 1:
        if not found and way == "structured_outputs" and more:
            return values
        cause = f"{len(found)} were given."
        raise ArgumentError("An answer can be bound to one of choice, grammar, json and regex.", cause, "Give one of them.")
    kind, value = found[0]
    return {**rest, **_WAYS[way](kind, value, more)}


def _told(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ArgumentError(f"structured_outputs cannot be a {type(value).__name__}.", "", "Write structured_outputs={'choice': ['yes', 'no']}.")
    return value


def _vllm(kind: str, value: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    return {"structured_outputs": {**more, kind: value}}


def _llama_cpp(kind: str, value: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """llama.cpp's ``grammar`` (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md) and ``json_schema``."""
    if more:
        raise unknown_argument("structured_outputs of llama.cpp", next(iter(more)), KINDS)
    if kind == "json":
        return {"json_schema": json.loads(value) if isinstance(value, str) else value}
    if kind == "grammar":
        return {"grammar": str(value)}
    if kind == "choice":
        return {"grammar": "root ::= " + " | ".join(_literal(str(option)) for option in _options(value))}
    if "\n" in str(value):
        raise ArgumentError("A pattern for llama.cpp stands in one line.", "", "Write \\n for a new line.")
    return {"grammar": "%llguidance {}\nstart: /" + str(value).replace("/", "\\/") + "/"}


def _sglang(kind: str, value: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """SGLang's ``regex`` and ``ebnf`` (https://docs.sglang.ai/advanced_features/structured_outputs.html)."""
    if kind == "json":
        schema = json.loads(value) if isinstance(value, str) else value
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}
    if kind == "choice":
        return {"ebnf": "root ::= " + " | ".join(_literal(str(option)) for option in _options(value))}
    return {"ebnf" if kind == "grammar" else "regex": str(value)}


def _lmdeploy(kind: str, value: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """LMDeploy's ``response_format``, which also takes a pattern (https://lmdeploy.readthedocs.io/en/latest/advance/structed_output.html)."""
    if kind == "json":
        return _sglang(kind, value, more)
    if kind == "grammar":
        return _none(kind, value, more)
    pattern = "|".join(re.escape(str(option)) for option in _options(value)) if kind == "choice" else str(value)
    return {"response_format": {"type": "regex_schema", "regex_schema": f"({pattern})" if kind == "choice" else pattern}}


def _lightllm(kind: str, value: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """LightLLM's ``response_format`` takes schemas only."""
    return _sglang(kind, value, more) if kind == "json" else _none(kind, value, more)


def _none(kind: str, value: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    fix = "Serve the model with wb.deploy.llama_cpp or wb.deploy.vllm, or read the answer with a formatter."
    raise ArgumentError(f"This server cannot bind its answers to a {kind}.", "It would ignore what you wrote.", fix)


_WAYS: dict[str, Callable[[str, Any, Mapping[str, Any]], dict[str, Any]]] = {
    "structured_outputs": _vllm,
    "llama_cpp": _llama_cpp,
    "sglang": _sglang,
    "lmdeploy": _lmdeploy,
    "lightllm": _lightllm,
    "none": _none,
}


def _options(value: Any) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, list | tuple) or not value:
        raise ArgumentError("A choice is a list of texts.", f"{value!r} was given.", "Write structured_outputs={'choice': ['yes', 'no']}.")
    return list(value)


def _literal(text: str) -> str:
    """A text as a grammar has it: quoted, with what GBNF would read otherwise escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f'"{escaped}"'
