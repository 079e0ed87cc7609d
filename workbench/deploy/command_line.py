"""Engines that are a command line of their own: their flags, and the stage that runs them. Knows no engine by name.

`workbench/runners/serve_command.py` is what runs in the stage.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from ..core.protocols import Stage
from ..core.specs import DeploySpec
from .common import runner, spec_file


def flags(
    arguments: Mapping[str, Any],
    *,
    underscores: bool = False,
    negatable: Container[str] | None = None,
    lists: Container[str] = (),
    repeated: Container[str] = (),
) -> list[str]:
    """A command line for some arguments, in their order.

    ``True`` is a bare flag, ``False`` its ``--no-`` form, a list several values, a mapping JSON; None says nothing.

    Parameters
    ----------
    underscores : bool
        Some engines write their flags with underscores.
    negatable : container of str, optional
        The names that have a ``--no-`` form, where not all have one: ``False`` says nothing for the others.
    lists, repeated : container of str
        Names whose list is one JSON text, and names that stand once before each value.
    """
    out: list[str] = []
    for name, value in arguments.items():
        plain = name.strip("-")
        flag = "--" + (plain if underscores else plain.replace("_", "-"))
        if value is None:
            continue
        if isinstance(value, bool):
            out += [flag] if value else ["--no-" + flag[2:]] if negatable is None or plain in negatable else []
        elif isinstance(value, Mapping) or (isinstance(value, list | tuple) and plain in lists):
            out += [flag, json.dumps(value)]
        elif isinstance(value, list | tuple) and plain in repeated:
            out += [word for one in value for word in (flag, str(one))]
        elif isinstance(value, list | tuple):
            out += [flag, *(json.dumps(v) if isinstance(v, Mapping) else str(v) for v in value)]
        else:
            out += [flag, str(value)]
    return out


def command_stage(
    spec: DeploySpec,
    argv: Sequence[str],
    *,
    title: str,
    environment: str,
    key_env: str,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    grace: float = 8.0,
    **more: Any,
) -> Stage:
    """The stage that runs a command line and tells when it answers.

    Parameters
    ----------
    spec : DeploySpec
        What is served: its name, port and idle time are taken from here.
    argv : sequence of str
        The command; ``{python}`` and ``{port}`` stand for the environment's interpreter and the chosen port.
    title, environment : str
        The engine's name for people, and whose interpreter runs it.
    key_env : str
        The variable in which the engine looks for its key.
    env, files : Mapping, optional
        Variables for it, and text files of the job's folder that it reads.
    grace : float
        Seconds it may take to end.
    more
        Other fields of the runner's spec: ``health``, ``guarded``, ``base``, ``endpoint``, ``progress``, ``metrics``.
    """
    body = spec_file(spec, argv=list(argv), title=title, env=dict(env or {}), key_env=key_env, ttl=spec.ttl, grace=grace, **more)
    return Stage(
        "serve",
        f"Starting {title}",
        environment,
        (runner("serve_command"), "../serve.json"),
        files={**(files or {}), "serve.json": body},
        serves=True,
        stop_grace=grace + 4.0,
    )
