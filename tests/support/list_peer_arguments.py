"""Prints the options that an engine's own parser has, as JSON: ``PYTHON list_peer_arguments.py {sglang,lmdeploy,lightllm}``.

Executed by an interpreter that has the engine; where a file follows, each of its lines (JSON lists of words) is read by the parser as well, and
what it says of it is printed beside the options.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any


def parser_of(engine: str) -> argparse.ArgumentParser:
    """The parser of the engine's server."""
    if engine == "sglang":
        from sglang.srt.server_args import ServerArgs

        found = argparse.ArgumentParser()
        ServerArgs.add_cli_args(found)
        return found
    if engine == "lmdeploy":
        from lmdeploy.cli.serve import SubCliServe

        SubCliServe.add_parsers()
        return SubCliServe.subparsers.choices["api_server"]
    from lightllm.server.api_cli import make_argument_parser

    return make_argument_parser()


def refusal(parser: argparse.ArgumentParser, words: list[str]) -> str:
    """What the parser says against a line; empty where it takes it."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            parser.parse_args(words)
    except SystemExit:
        return said.getvalue().strip().splitlines()[-1]
    return ""


def main() -> None:
    engine, lines = sys.argv[1], sys.argv[2:]
    with contextlib.redirect_stdout(sys.stderr):
        parser = parser_of(engine)
        options: dict[str, Any] = {}
        for action in parser._actions:
            for flag in action.option_strings:
                options[flag] = {
                    "kind": type(action).__name__,
                    "nargs": action.nargs,
                    "type": getattr(action.type, "__name__", None),
                    "choices": [str(c) for c in action.choices or ()],
                }
        refused = {}
        for line in json.loads(Path(lines[0]).read_text(encoding="utf-8")) if lines else []:
            if why := refusal(parser, line):
                refused[" ".join(line)] = why
    print(json.dumps({"options": options, "refused": refused}))


if __name__ == "__main__":
    main()
