"""``workbench serve``: a function of a file over HTTP, and asking it. It is the same as a notebook's `ServerModule`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import say

if TYPE_CHECKING:
    from ..core.jobs import JobRecord


def serve(
    target: Annotated[str, typer.Argument(metavar="FILE:NAME", help="A file and what in it is served, app.py:answer, or a module, shop.app:answer.")],
    name: Annotated[str, typer.Option(help="What to call it; the function's name by default.", show_default=False)] = "",
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes any free port.")] = 0,
    host: Annotated[str, typer.Option(help="0.0.0.0 lets other machines call, too.")] = "127.0.0.1",
    pre: Annotated[str, typer.Option(help="A name in the same file: makes the input.", show_default=False)] = "",
    post: Annotated[str, typer.Option(help="A name in the same file: makes the output.", show_default=False)] = "",
    stream: Annotated[bool, typer.Option("--stream", help="Answer in pieces those who do not say how.")] = False,
    python: Annotated[str, typer.Option(help="Another interpreter of the same version.", show_default=False)] = "",
    pythonpath: Annotated[str, typer.Option(help="Folders to look for modules first.", show_default=False)] = "",
) -> None:
    """Serve a function, flow or module over HTTP on this machine.

    Prints the address and the file that holds its key. The same function is served once: asking again gives the server that is there,
    and after a change of the file a new one.
    """
    from ..modules.served.server_module import ServerModule

    module, attribute = _module(target)
    served, before, after = (_attribute(module, n) if n else None for n in (attribute, pre, post))
    server = ServerModule(
        served, before, after, stream=stream, port=port or None, pythonpath=pythonpath or None, host=host, python=python, name=name
    ).start()
    endpoint = server.endpoint
    say(f"{server.name} answers.")
    say(f"  address   {endpoint.url}")
    say(f"  docs      {endpoint.url.removesuffix('/generate')}/docs")
    say(f"  key file  {endpoint.key_file}")
    say(f'  try       workbench query {server.name} "hello"')


def ask(record: JobRecord, text: str, as_json: bool, parameters: dict[str, Any]) -> None:
    """Call a served function and print what it gives: texts as they are and as they come, other values as JSON."""
    from ..core import wire
    from ..modules.served.url_module import UrlModule

    value = wire.loads(text) if as_json else text
    feed = UrlModule(url=record.id).stream(value, **parameters)
    begun = False
    for piece in feed:
        begun = True
        print(piece if isinstance(piece, str) else _json(piece), end="" if isinstance(piece, str) else "\n", flush=True)
    result = feed.result
    say("" if begun and isinstance(result, str) else result if isinstance(result, str) else "" if begun else _json(result))


def _json(value: Any) -> str:
    from ..core import wire

    return json.dumps(wire.encode(value), ensure_ascii=False)


def _module(target: str) -> tuple[Any, str]:
    """The module that a user means, and the name in it."""
    from ..errors import ArgumentError

    place, colon, attribute = target.rpartition(":")
    if not colon or not place or not attribute:
        raise ArgumentError(f"{target!r} names no function.", "It is a file and a name, with a colon.", "workbench serve app.py:answer")
    if place.endswith(".py"):
        file = Path(place).expanduser().absolute()
        if not file.is_file():
            raise ArgumentError(f"There is no file {place}.", f"Looked at {file}.", "Check the path.")
        sys.path.insert(0, str(file.parent))
        place = file.stem
    else:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(place), attribute
    except Exception as e:
        raise ArgumentError(f"{target.rpartition(':')[0]} cannot be imported.", f"{type(e).__name__}: {e}", "Check the file.") from e


def _attribute(module: Any, name: str) -> Any:
    from ..errors import ArgumentError, nearest

    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = nearest(part, dir(found))
            raise ArgumentError(f"{module.__name__} has no {name!r}.", f"{near!r} is the nearest name." if near else "", "Check the name.")
        found = getattr(found, part)
    return found
