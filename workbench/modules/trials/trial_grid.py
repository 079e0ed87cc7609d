"""A module with options → one copy for each combination of their values, each with a target of its own. Runs nothing."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.options import Option, OptionIter, named_options
from ...errors import ArgumentError
from ...evals.identity import digest, of_subject
from ..wishes import wished

if TYPE_CHECKING:
    from ..base import ModuleBase


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination.

    Attributes
    ----------
    key : str
        See `TrialRow.key`.
    options : Mapping
        Values as they are shown, by option.
    module : ModuleBase
        The module with these values in place.
    """

    key: str
    options: Mapping[str, Any]
    module: ModuleBase


def grid(module: ModuleBase) -> list[Trial]:
    """Every combination, the last option changing fastest; combinations that come out alike are one.

    Raises
    ------
    ArgumentError
        When there is no option, or a value is one that the module refuses.
    """
    named = names(module)
    if not named:
        fix = "Write .finetune_method(…, learning_rate=wb.Option(1e-4, 2e-4)), for example."
        raise ArgumentError(f"{module.name} has nothing to try.", "None of its methods' arguments and attributes is an Option.", fix)
    found: dict[str, Trial] = {}
    for _ in OptionIter(dict.fromkeys(option for _, option in named)):
        made = copy.deepcopy(module)
        key = digest([{k: v for k, v in of_subject(made).items() if not k.endswith("finetuned_model_path")}, _questions(module, made)])
        for one in made.modules():
            _aim(one, key)
        found.setdefault(key, Trial(key, {name: shown(copy.deepcopy(option)) for name, option in named}, made))
    return list(found.values())


def names(module: ModuleBase) -> list[tuple[str, Option]]:
    """The options of a tree, each under the shortest name that no other has: ``learning_rate``, else ``finetune.learning_rate``."""
    found = [([one.name, *name.split(".")], option) for one in module.modules() for name, option in _own(one)]
    return [(_shortest(path, [p for p, _ in found], i), option) for i, (path, option) in enumerate(found)]


def paths(module: ModuleBase) -> list[tuple[str, Option]]:
    """The options of a tree by method and argument: ``finetune.learning_rate``, ``prompt``."""
    return [found for one in module.modules() for found in _own(one)]


def target(module: Any) -> str:
    """Where the first model of a tree that is fine-tuned goes; empty when none is."""
    found = (str(one._target) for one in module.modules() if hasattr(one, "_target") and one._trainset is not None)
    return next(found, "")


def _own(module: ModuleBase) -> list[tuple[str, Option]]:
    found = [*_in_methods(module), *wished(module), *_in_attributes(module)]
    known = [option for _, option in found]
    return [*found, *(("option", o) for o in module._method_options() if not any(o is k for k in known) and not _unused(module, o))]


def _unused(module: ModuleBase, option: Option) -> bool:
    """Whether an option belongs to a method that the module's mode does not use."""
    methods = getattr(module, "_methods", {})
    return any(option is o for method in methods.values() for _, o in named_options(method.arguments))


def _in_methods(module: ModuleBase) -> list[tuple[str, Option]]:
    methods = getattr(module, "_methods", {})
    used = [g for g in methods if g != "train" or getattr(module, "_mode", None) == "train"]
    return [found for group in used for found in named_options(methods[group].arguments, group)]


def _in_attributes(module: ModuleBase) -> list[tuple[str, Option]]:
    found = []
    for name, value in vars(module).items():
        if isinstance(value, Option) or (name.endswith("_args") and isinstance(value, Mapping)):
            found += named_options(value, name.strip("_").removesuffix("_args"))
    return found


def _shortest(path: list[str], every: list[list[str]], at: int) -> str:
    for length in range(1, len(path) + 1):
        if Counter(tuple(p[-length:]) for p in every)[tuple(path[-length:])] == 1:
            return ".".join(path[-length:])
    return f"{'.'.join(path)} ({at + 1})"


def _questions(module: ModuleBase, made: ModuleBase) -> list[Any]:
    """The rows that differ from trial to trial; rows that are the same for all are no part of what is tried."""
    return [here._evalset for there, here in zip(module.modules(), made.modules(), strict=True) if "evalset" in there._wishes]


def _aim(module: Any, key: str) -> None:
    """Give what is fine-tuned a target of its own, beside the module's; the digest keeps grids and trials apart."""
    if hasattr(module, "target_path") and (module._trainset is not None or module._mode is not None):
        target = module.target_path or f"{Path(module.base_model).name}-finetuned"
        module.target_path = f"{target}-t{key[:6]}"


def shown(value: Any) -> Any:
    """A value as it stands in a table: numbers, text and None as they are, what has a name by its name, data by its size."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= 80 else value[:77] + "…"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping):
        return f"{shown(value[0])}({', '.join(f'{k}={v}' for k, v in value[1].items())})"
    if isinstance(value, list | tuple) and (len(value) > 6 or any(isinstance(v, Mapping) for v in value)):
        return f"{len(value):,} rows"
    for attribute in ("name", "__name__"):
        if isinstance(named := getattr(value, attribute, None), str) and named:
            return named
    if hasattr(value, "columns") and hasattr(value, "shape"):
        return f"{value.shape[0]:,} rows"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
