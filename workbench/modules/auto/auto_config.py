"""The file that `AutoModel` looks models up in: YAML, a model's name to one entry or a list of them. Reads and checks it; an error
names file and line. Does not choose.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ArgumentError, DataError
from ...runtime.secrets import keys

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

VARIABLES = (
    "WORKBENCH_AUTO_MODEL_CONFIG_MAP_PATH",
    "LAZYLLM_AUTO_MODEL_CONFIG_MAP_PATH",
    "WORKBENCH_TRAINABLE_MODULE_CONFIG_MAP_PATH",
    "LAZYLLM_TRAINABLE_MODULE_CONFIG_MAP_PATH",
)
_TYPES: dict[str, tuple[type, ...]] = {
    "id": (str, int),
    "name": (str,),
    "source": (str,),
    "type": (str,),
    "task": (str,),
    "url": (str,),
    "api_key": (str, list),
    "stream": (bool, dict),
    "target_path": (str,),
    "return_trace": (bool,),
    "trust_remote_code": (bool,),
    "framework": (str,),
    "deploy_config": (dict,),
    "strict": (bool,),
    "skip_auth": (bool,),
    "static_params": (dict,),
    "timeout": (int, float),
}
_WORDS = {str: "a text", int: "a number", float: "a number", bool: "true or false", dict: "a mapping", list: "a list"}
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to a model.

    Attributes
    ----------
    id : str
        What ``config_id=`` says.
    model : str
        Under which name the file lists it.
    place : str
        File and line, for errors and explanations.
    facts : Mapping
        The rest; may hold a key, and is not shown.
    """

    id: str
    model: str
    place: str
    facts: Mapping[str, Any] = field(repr=False)

    @property
    def local(self) -> bool:
        """Whether it is about a model that is served here, and not a vendor's."""
        return bool(self.facts.get("framework") or self.facts.get("deploy_config")) or str(self.facts.get("source", "")).lower() == "local"

    @property
    def source(self) -> str:
        """Whose it is; empty where it does not say."""
        return str(self.facts.get("source", ""))

    @property
    def url(self) -> str:
        """The address that it names, or an empty text."""
        return str(self.facts.get("url") or self.facts.get("deploy_config", {}).get("url") or "")


def path_of(config: bool | str | os.PathLike[str]) -> Path | None:
    """The file to look into: the given one, or the one that a variable names; None when there is none.

    Raises
    ------
    ArgumentError
        When it is not there.
    """
    if config is False:
        return None
    where, variable, value = ("", "", str(config)) if config is not True else keys.lookup(VARIABLES)
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        said = f"{variable} ({where}) names it." if variable else ""
        raise ArgumentError(f"The config map {value!r} is not there.", said or f"There is no file {path.absolute()}.", "Check the path.")
    return path


def entries(path: Path) -> dict[str, list[Entry]]:
    """What the file lists, by model.

    Raises
    ------
    DataError
        Also a ValueError. When it is no YAML, or has a wrong type; file and line are in the message.
    """
    import yaml

    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        mark = getattr(e, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise DataError(f"{path}{line} is no YAML.", str(getattr(e, "problem", "") or type(e).__name__), "Correct the file.") from None
    if root is None:
        return {}
    return {name: list(_entries(path, name, node)) for name, node in _items(path, root, "The file")}


def _entries(path: Path, model: str, node: Node) -> Iterator[Entry]:
    from yaml.nodes import SequenceNode

    for one in node.value if isinstance(node, SequenceNode) else [node]:
        facts: dict[str, Any] = {}
        for key, value in _items(path, one, f"The entry of {model!r}"):
            facts[key] = _checked(path, value, key)
        yield Entry(str(facts.pop("id", "")), model, f"{path}:{one.start_mark.line + 1}", facts)


def _items(path: Path, node: Node, what: str) -> Iterator[tuple[str, Node]]:
    from yaml.nodes import MappingNode

    if not isinstance(node, MappingNode):
        raise DataError(f"{_at(path, node)}: {what} has to be a mapping.", "", "Write it as name: value.")
    return _pairs(node)


def _pairs(node: MappingNode) -> Iterator[tuple[str, Node]]:
    return ((str(key.value), value) for key, value in node.value)


def _checked(path: Path, node: Node, key: str) -> Any:
    value = keys.sealed({key: _expanded(_value(node), _at(path, node))})[key]
    wanted = _TYPES.get(key)
    wrong = wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted))
    if key == "api_key" and isinstance(value, list):
        wrong = not all(isinstance(v, str) for v in value)
    if wrong and wanted is not None:
        words = " or ".join(dict.fromkeys(_WORDS[t] for t in wanted))
        raise DataError(f"{_at(path, node)}: {key} cannot be a {type(value).__name__}.", "", f"Give {words}.")
    return value


def _value(node: Node) -> Any:
    import yaml

    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _expanded(value: Any, place: str) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _variable(found, place), value)
    if isinstance(value, Mapping):
        return {k: _expanded(v, place) for k, v in value.items()}
    if isinstance(value, Sequence):
        return [_expanded(v, place) for v in value]
    return value


def _variable(found: re.Match[str], place: str) -> str:
    name = found[1] or found[3]
    value = keys.lookup([name])[2] or found[2]
    if value is None:
        raise DataError(f"{place}: the variable {name} is not set.", "", f"Set {name}, or write ${{{name}:-a value}}.")
    return value


def _at(path: Path, node: Node) -> str:
    return f"{path}, line {node.start_mark.line + 1}"
