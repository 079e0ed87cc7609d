"""The arguments of ``deploy_method`` that are the workbench's own and not an engine's, in one table: which field of `DeploySpec` each
fills, and what makes a value of what people write. Knows no engine; deploys nothing.

To add one: a line in `OWN`, and a function that takes what was written and the model's path and gives the field's value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.options import Option
from ...errors import ArgumentError
from . import adapters, deploy_template

_HUNG_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Own:
    """One argument.

    Attributes
    ----------
    settle : Callable
        ``(value, model) -> value of the field``; ``model`` is the path of the model's files. Raises `ArgumentError` for a value that means nothing.
    field : str
        The field of `DeploySpec`; empty for one that says how to start a deployment, not what it is.
    early : bool
        Whether a value can be checked without a model, in ``deploy_method`` already.
    """

    settle: Callable[[Any, str], Any]
    field: str = ""
    early: bool = True


@dataclass(frozen=True, slots=True)
class Wishes:
    """Our own arguments, settled: ``fields`` are those of `DeploySpec`, ``start`` says how to start it."""

    fields: Mapping[str, Any]
    start: Mapping[str, Any]


def split(arguments: Mapping[str, Any], model: str) -> tuple[Wishes, dict[str, Any]]:
    """Our own arguments, settled, and those that are left for the engine."""
    fields: dict[str, Any] = {}
    start: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in arguments.items():
        own = OWN.get(name)
        if own is not None:
            into, key = (fields, own.field) if own.field else (start, name)
            into[key] = own.settle(value, model)
        elif name not in OWN_ARGUMENTS:
            rest[name] = value
    return Wishes(fields, start), rest


def held(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments without the key: what stands for it is a reference to where this process keeps it (`workbench.runtime.secrets.held_keys`).

    Raises
    ------
    ArgumentError
        For a key without an address: what is deployed here gets a key of its own.
    """
    key = arguments.get("api_key")
    if key is None:
        return {name: value for name, value in arguments.items() if name != "api_key"}
    if "url" not in arguments:
        cause = "What is deployed gets a key of its own, in a file that only you can read: m.endpoint.key_file."
        raise ArgumentError("api_key= goes with url=.", cause, "Leave it out.")
    from ...runtime.secrets import keys

    return {**arguments, "api_key": key if str(key).startswith("held:") else keys.hold(key)}


def check(arguments: Mapping[str, Any]) -> None:
    """Refuse, before anything is started, what none of our own arguments can be.

    Raises
    ------
    ArgumentError
        Naming the argument, and what it takes.
    """
    for name, value in arguments.items():
        own = OWN.get(name)
        if own is None or not own.early:
            continue
        for one in value.values if isinstance(value, Option) else (value,):
            own.settle(one, "")


# ---- what people write, as the fields take it


def _port(value: Any, model: str) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit() or int(value) > 65535:
        raise ArgumentError(f"Port {value} is impossible.", "", "Give port= a number from 1024 to 65535, or 0 for any free one.")
    return int(value)


def _python(value: Any, model: str) -> str:
    return str(value or "")


def _ttl(value: Any, model: str) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ArgumentError(f"ttl cannot be {value!r}.", "It is the seconds without a request after which a deployment ends.", "Write ttl=600, or 0.")
    return float(value)


def _restarts(value: Any, model: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ArgumentError(f"restarts cannot be {value!r}.", "It is how often a dead engine is started again.", "Write restarts=3, or 0 for never.")
    return value


def _restart_hung(value: Any, model: str) -> float:
    if value is None or isinstance(value, bool):
        return _HUNG_SECONDS if value else 0.0
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        cause = "It is the seconds after which an engine that does nothing and does not answer is started again."
        raise ArgumentError(f"restart_hung cannot be {value!r}.", cause, "Write restart_hung=True for a minute, 300, or False for never.")
    return float(value)


def _defaults(value: Any, model: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ArgumentError(f"defaults cannot be {value!r}.", "They are generation parameters.", "Write defaults={'temperature': 0.2}.")
    return dict(value)


def _adapters(value: Any, model: str) -> dict[str, str]:
    found = adapters.several(value) if value else {}
    for name, folder in found.items():
        adapters.check_base(adapters.Adapter(name, folder), model)
    return found


def _variant(value: Any, model: str) -> str:
    return "" if value is None else str(value)


def _yes_or_no(value: Any, model: str) -> bool:
    if not isinstance(value, bool):
        raise ArgumentError(f"{value!r} is neither yes nor no.", "", "Write True or False.")
    return value


OWN: dict[str, Own] = {
    "port": Own(_port, "port"),
    "python": Own(_python, "python"),
    "ttl": Own(_ttl, "ttl"),
    "restarts": Own(_restarts, "restarts"),
    "restart_hung": Own(_restart_hung, "restart_hung"),
    "chat_template": Own(deploy_template.settle, "chat_template"),
    "defaults": Own(_defaults, "defaults"),
    "adapters": Own(_adapters, "adapters", early=False),
    "variant": Own(_variant, "variant"),
    "replace": Own(_yes_or_no),
    "check_fit": Own(_yes_or_no),
}
ATTACHING = frozenset({"url", "key_env", "api_key"})
"""Those that attach to a server that runs already."""
_TAKEN = frozenset({"openai_api"})  # whatever is deployed speaks that form
OWN_ARGUMENTS = frozenset({*OWN, *ATTACHING, *_TAKEN})
