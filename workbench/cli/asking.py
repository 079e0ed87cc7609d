"""``workbench query``: a deployment of any type is asked from a terminal, as its module is in a notebook.

Answers go to stdout in the form that a pipe can use: a chat's text while it comes, vectors and rankings as JSON, sounds and pictures as the
paths of their files.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import serving
from .console import key_values, note, say
from .deploying import DEPLOYMENT, deployment

if TYPE_CHECKING:
    from ..core.jobs import JobRecord

_MEDIA = ("tts", "sd", "image_editing")


def query(
    name: Annotated[str, DEPLOYMENT],
    text: Annotated[
        str,
        typer.Argument(
            metavar="[TEXT]",
            help="What to say: a question, a text, a query, or the path of a recording; read from standard input when left out or -.",
            show_default=False,
        ),
    ] = "-",
    system: Annotated[str, typer.Option(help="A system message before it, for a chat.", show_default=False)] = "",
    files: Annotated[list[str] | None, typer.Option("--file", "-f", metavar="PATH", help="A picture or another file that goes along.")] = None,
    documents: Annotated[
        list[str] | None, typer.Option("--document", "-d", metavar="TEXT", help="A document to rank; without any, the lines of standard input.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="KEY=VALUE", help="A parameter of the request, such as temperature=0 or max_tokens=50."),
    ] = None,
    out: Annotated[str, typer.Option("--out", "-o", metavar="PATH", help="Where a sound or pictures are saved.", show_default=False)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The text is JSON: the input of a served function.")] = False,
) -> None:
    """Ask a deployment of any type, or call a served function, and print the answer while it comes.

    Vectors and rankings ([[index, score], …]) are printed as JSON, sounds and pictures as the paths of their files.
    """
    from ..core.kinds import CHATS
    from ..errors import ArgumentError
    from ..runtime.deployments.deployment import Deployment

    if text == "-":
        text = _read()
    if not text.strip():
        raise ArgumentError("There is nothing to say.", "The text is empty.", f'workbench query {name} "What can you do?"')
    record, given = deployment(name), key_values(parameters or [])
    found = Deployment(record.id)
    type = "function" if record.spec.backend == "function" else found.type
    _refuse_others(record, type, system=system, file=files, document=documents, out=out, json=as_json)
    if type == "function":
        serving.ask(record, text, as_json, given)
        return
    given |= {"files": files} if files else {}
    if type in CHATS:
        module = found.module().share(prompt=system or None)
        with module.stream(text, **given) as stream:
            for piece in stream:
                if piece.tag == "text":
                    print(piece, end="", flush=True)
        say()
        return
    if type == "rerank":
        given["documents"] = documents or _read("Type the documents, one a line; end with Ctrl-D.").splitlines()
        if not given["documents"]:
            raise ArgumentError("There is nothing to rank.", "No document was given.", "Give each with -d, or one a line on standard input.")
    answer = found.module()(text, **given)
    if type in _MEDIA:
        _tell_paths(answer, out)
    else:
        say(answer if isinstance(answer, str) else json.dumps(answer))


def _refuse_others(record: JobRecord, type: str, **given: Any) -> None:
    """Refuse what means nothing to a function, or to a model of the type. Files are judged by the module, which knows what a model sees."""
    from ..core.kinds import CHATS, noun
    from ..errors import ArgumentError

    function = type == "function"
    means = {"system": type in CHATS, "file": not function, "document": type == "rerank", "out": type in _MEDIA, "json": function}
    what = "a function, not a model" if function else noun(type)
    for option, value in given.items():
        if value and not means[option]:
            raise ArgumentError(f"--{option} has no meaning here.", f"{record.name} is {what}.", "Leave it out.")


def _read(hint: str = "Type the text; end with Ctrl-D.") -> str:
    if sys.stdin.isatty():
        note(hint)
    return sys.stdin.read()


def _tell_paths(answer: Any, out: str) -> None:
    saved = answer.save(out) if out else [each.path for each in getattr(answer, "images", [answer])]
    for path in saved if isinstance(saved, list) else [saved]:
        say(str(path))
