"""What was asked, and of whom: digests by which an interrupted evaluation knows whether the rest of it is still the same question.

A module is its class's code, its attributes and those of all modules below it; what only counts or runs is left out. Attributes
that changed while the evaluation ran (a counter, a cache) are no change of the module. Digests are equal in every process, so an
evaluation can be completed on another day. Does not know modules by type.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

Digests = dict[str, str]
_PASSING = frozenset(
    {"module_id", "usage", "last_usage", "eval_result", "return_trace", "recent", "progress", "name", "_name", "_evalset", "_evaluation"}
    | {"_hooks", "_used_by", "_usage_in", "_serving", "_tuning", "_shown_in", "_stream", "_lock"}
)
_HIDDEN = ("key", "secret", "token", "password", "credential", "auth")
_DEPTH = 6


@dataclass
class Identity:
    """The digests of an evaluation.

    Attributes
    ----------
    cases, scorers : str
        Of the evaluation set and of the scorers.
    models : list of dict
        One a model, by attribute, when it began.
    after : list of dict or None
        The same when it ended; None when nobody saw its end.
    """

    cases: str = ""
    scorers: str = ""
    models: list[Digests] = field(default_factory=list)
    after: list[Digests] | None = None

    def to_json(self) -> dict[str, Any]:
        """Without `after`, which is written when it is known."""
        return {"cases": self.cases, "scorers": self.scorers, "models": self.models}

    @classmethod
    def from_json(cls, d: Mapping[str, Any]) -> Identity:
        """The inverse of `to_json`."""
        return cls(d.get("cases", ""), d.get("scorers", ""), list(d.get("models", [])))

    def changed(self, now: Identity) -> list[str]:
        """What differs from this evaluation, in words; empty when it may be completed."""
        found = [name for name, a, b in (("the evaluation set", self.cases, now.cases), ("the scorers", self.scorers, now.scorers)) if a != b]
        if len(self.models) != len(now.models):
            return [*found, "the models"]
        ends = self.after or self.models
        attributes = [name for before, after, here in zip(self.models, ends, now.models, strict=True) for name in _differences(before, after, here)]
        return [*found, *(f"the model ({name})" for name in attributes[:3])]


def _differences(before: Digests, after: Digests, now: Digests) -> list[str]:
    passing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return [name for name in sorted((before.keys() | now.keys()) - passing) if before.get(name) != now.get(name)]


def of_subject(subject: Any) -> Digests:
    """A module by its attributes and those of its tree, a function by its code."""
    if not hasattr(subject, "module_id"):
        return {"code": digest(subject)}
    found: Digests = {}
    for number, module in enumerate(_tree(subject)):
        where = f"{type(module).__name__}." if number == 0 else f"{number}.{type(module).__name__}."
        found[where + "forward"] = digest(getattr(type(module), "forward", None))
        for name, value in vars(module).items():
            if name not in _PASSING and not any(word in name for word in _HIDDEN):
                found[where + name.lstrip("_")] = digest(value)
        if path := getattr(module, "finetuned_model_path", ""):
            found[where + "finetuned_model_path"] = digest(Path(path) / "config.json")
    return found


def _tree(module: Any) -> Iterable[Any]:
    seen: dict[str, Any] = {}

    def walk(one: Any) -> None:
        if one.module_id not in seen:
            seen[one.module_id] = one
            for child in one.submodules:
                walk(child)

    walk(module)
    return seen.values()


def digest(value: Any) -> str:
    """Sixteen letters that are equal for equal values, in every process."""
    text = json.dumps(_plain(value, _DEPTH, ()), sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _plain(value: Any, depth: int, above: tuple[int, ...]) -> Any:
    """A value as JSON values that say what it is, not where it lies in memory."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if depth == 0 or id(value) in above:
        return _kind(value)
    within = (*above, id(value))

    def inner(x: Any) -> Any:
        return _plain(x, depth - 1, within)

    if isinstance(value, Mapping):
        return {str(k): inner(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(json.dumps(inner(v), sort_keys=True, default=str) for v in value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [inner(v) for v in value]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Path):
        return _file(value)
    if isinstance(value, str):
        return str(value) if type(value).__repr__ is str.__repr__ else _kind(value)  # a text that hides itself stays hidden
    return _of_object(value, inner)


def _of_object(value: Any, inner: Any) -> Any:
    if isinstance(value, CodeType):
        return [value.co_code.hex(), *(inner(c) for c in value.co_consts), list(value.co_names)]
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if not _empty(cell)]
        return [inner(value.__code__), inner(value.__defaults__), inner(value.__kwdefaults__), [inner(c) for c in cells]]
    if isinstance(value, MethodType):
        return [inner(value.__func__), inner(value.__self__)]
    if isinstance(value, type) or inspect.isroutine(value):
        return f"{getattr(value, '__module__', '')}.{value.__qualname__}"
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        from pandas.util import hash_pandas_object

        return [list(map(str, value.columns)), hash_pandas_object(value.astype(str), index=False).to_list()]
    if hasattr(value, "module_id"):
        return _kind(value)  # the tree lists it by itself
    if is_dataclass(value):
        return [_kind(value), *(inner(getattr(value, f.name)) for f in fields(value) if f.repr)]
    return [_kind(value), *(inner(v) for v in [getattr(value, "__dict__", {})] if v)]


def _kind(value: Any) -> str:
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is cell  # never: an empty cell raises
    except ValueError:
        return True


def _file(path: Path) -> list[Any]:
    try:
        known = path.stat()
    except OSError:
        return [str(path)]
    return [str(path), known.st_mtime_ns, known.st_size]
