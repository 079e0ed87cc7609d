"""``workbench env``: a face of `workbench.envs`."""

from __future__ import annotations

from typing import Annotated

import typer

from ..core.sizes import size
from .console import note, say

app = typer.Typer(help="Environments: the interpreters that trainers and engines run in.", no_args_is_help=True)
NAME = typer.Argument(metavar="NAME", help="As workbench env list shows it.")


@app.command("list")
def listing() -> None:
    """List environments: state, size, main packages, what for."""
    from ..envs import envs

    say(repr(envs()))


@app.command()
def create(
    name: Annotated[str, NAME],
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build it anew although it is there.")] = False,
) -> None:
    """Build an environment now, with progress; most are otherwise built when they are first needed."""
    from ..envs import create as build
    from ..envs.definitions import definition
    from ..runtime.work.front_end import StatusLine, describe

    if reason := definition(name).on_word:
        note(reason)
    line = StatusLine()
    try:
        info = build(name, lambda progress: line.show(describe(progress)), rebuild=rebuild)
    finally:
        line.clear()
    say(f"{info.name} is ready: {info.python}")


@app.command()
def remove(name: Annotated[str, NAME]) -> None:
    """Delete what was built for an environment."""
    from ..envs import remove as delete

    freed = delete(name)
    if freed:
        say(f"{name} is removed: {size(freed)} freed.")
    else:
        note(f"Nothing was built for {name}.")


@app.command()
def doctor(name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this one.", show_default=False)] = "") -> None:
    """Start every built environment, import what matters, and say what is wrong; exit code 1 when something is."""
    from ..envs import doctor as examine

    report = examine(name)
    say(repr(report))
    if not report.healthy:
        raise typer.Exit(1)
