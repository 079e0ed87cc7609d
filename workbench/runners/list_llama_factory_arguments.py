"""Prints every argument that LLaMA-Factory's training takes, as JSON: ``PYTHON list_llama_factory_arguments.py > FILE``.

Executed by the interpreter of the ``llamafactory`` environment when its pins change; the output is committed as
``workbench/finetune/llama_factory_arguments.json``, so that arguments can be checked before any environment exists.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import sys
import types
import typing
from importlib import metadata
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stubs"))


def describe(kind: Any) -> tuple[list[str], list[Any]]:
    """Names of the types that a value may have, and the only values, where they are listed."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        names: list[str] = []
        choices: list[Any] = []
        for part in typing.get_args(kind):
            n, c = describe(part)
            names += [x for x in n if x not in names]
            choices += c
        return names, choices if not set(names) - {"str", "none"} else []
    if origin is typing.Literal:
        return ["str"], list(typing.get_args(kind))
    if kind is type(None):
        return ["none"], []
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return ["str"], [e.value for e in kind]
    return [getattr(origin or kind, "__name__", "any")], []


def default_of(field: dataclasses.Field[Any]) -> Any:
    """The default as JSON."""
    value = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    if value is dataclasses.MISSING:
        return None
    value = value.value if isinstance(value, enum.Enum) else value
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)


def main() -> None:
    """Print the list."""
    from llamafactory.hparams import parser

    found: dict[str, Any] = {}
    for group in parser._TRAIN_ARGS:
        hints = typing.get_type_hints(group)
        for field in dataclasses.fields(group):
            if not field.init or field.name.startswith("_"):
                continue
            kinds, choices = describe(hints[field.name])
            text = re.sub(r"\s+", " ", str(field.metadata.get("help", ""))).strip()
            found[field.name] = {
                "group": group.__name__,
                "types": kinds,
                "default": default_of(field),
                "choices": choices or list(field.metadata.get("choices", [])),
                "help": text if len(text) <= 240 else text[:237] + "…",
            }
    versions = {name: metadata.version(name) for name in ("llamafactory", "transformers")}
    print(json.dumps({"versions": versions, "arguments": dict(sorted(found.items()))}, indent=1))


if __name__ == "__main__":
    main()
