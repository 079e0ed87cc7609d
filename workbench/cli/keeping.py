"""``workbench keys``: a face of `workbench.runtime.secrets.key_table`. A key is never an argument: other users of a machine can read those."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from .console import note, say

app = typer.Typer(help="Keys of vendors, in the system's keyring. None is ever shown.", no_args_is_help=True)
SOURCE = typer.Argument(metavar="SOURCE", help="A vendor, such as openai; wb.providers() lists them.")
PART = typer.Option("--part", metavar="NAME", help="Only this part of the key, such as secret_key.", show_default=False)


@app.command("set")
def keep(source: Annotated[str, SOURCE], part: Annotated[str, PART] = "") -> None:
    """Ask for a key and keep it; piped in, one line for each part."""
    from ..runtime.secrets import key_table

    note(key_table.keep(source, _ask, part))


@app.command("list")
def listing(everyone: Annotated[bool, typer.Option("--all", help="Vendors without a key, too.")] = False) -> None:
    """List the vendors whose key is there, and where it comes from."""
    from ..runtime.secrets.key_table import key_table

    say(repr(key_table(everyone)))


@app.command()
def remove(source: Annotated[str, SOURCE], part: Annotated[str, PART] = "") -> None:
    """Take a key out of the keyring."""
    from ..runtime.secrets import key_table

    note(key_table.forget(source, part))


def _ask(question: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(question)
    return sys.stdin.readline()
