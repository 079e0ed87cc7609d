"""Engines that are a command line of their own: their flags, and the stage that runs them. Knows no engine by name.

`workbench/runners/serve_command.py` is what runs in the stage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.protocols import Stage
from ..core.specs import DeploySpec
from .common import runner, spec_file


def flags(arguments: Mapping[str, Any], *, negative: str = "--no-", underscores: bool = False) -> list[str]:
    """A command line for some arguments, in their order.

    ``True`` is a bare flag, ``False`` its negative form (nothing where ``negative`` is empty), a list several values, a
    mapping JSON; None says nothing. Some engines write their flags with ``underscores``.
    """
    out: list[str] = []
    for name, value in arguments.items():
        plain = name.strip("-")
        flag = "--" + (plain if underscores else plain.replace("_", "-"))
        if value is None:
            continue
        if isinstance(value, bool):
            out += [flag] if value else [flag.replace("--", negative, 1)] if negative else []
        elif isinstance(value, Mapping):
            out += [flag, json.dumps(value)]
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
