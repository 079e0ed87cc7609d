"""Runs the Python blocks of one page of documentation, in order, in one namespace, as a reader would in a notebook.

Usage: ``python docs_page.py PAGE.md [BLOCK-LINE …]``. Exit status 1 when a block raises or a value is not the one shown; every
complaint names the page's own line. A fence ``python`` runs, ``python no-run`` is only shown. What stands behind ``# →``, at the
end of a statement or on the lines right below it, must be the repr of its value, of what it assigned, or what it printed when
it has no value; ``…`` stands for anything, and ``Name: text`` for an error that is expected. ``await`` works at the top level.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)$")
_SHOWN = re.compile(r"# → ?(.*)$")
_ERROR = re.compile(r"^(?:\w+\.)*([A-Z]\w*)(?:: |$)")


@dataclass(frozen=True, slots=True)
class Block:
    """Code between two fences; ``line`` is the page's line of its first one."""

    line: int
    code: str
    runs: bool


def blocks(text: str) -> list[Block]:
    """The Python blocks of a page."""
    found: list[Block] = []
    inside: list[str] | None = None
    ticks = indent = info = ""
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        fence = _FENCE.match(line)
        if inside is None and fence:
            inside, ticks, indent, info, start = [], fence["ticks"], fence["indent"], fence["info"].strip(), number + 1
        elif inside is not None and fence and fence["ticks"].startswith(ticks) and not fence["info"].strip():
            words = info.split()
            if words and words[0] in ("python", "py"):
                found.append(Block(start, "\n".join(inside), "no-run" not in words[1:]))
            inside = None
        elif inside is not None:
            inside.append(line.removeprefix(indent))
    if inside is not None:
        raise SyntaxError(f"line {start - 1}: this fence is never closed")
    return found


def expected(lines: list[str], statement: ast.stmt) -> str | None:
    """What the page says the statement gives, or None."""
    last = statement.end_lineno or statement.lineno
    compound = hasattr(statement, "body")  # its last line is a statement of its own
    own = None if compound else _SHOWN.search(lines[last - 1].encode()[statement.end_col_offset or 0 :].decode())
    shown = [own[1]] if own else []
    rest = lines[last:]
    if not own:
        first = _SHOWN.match(rest[0].strip()) if rest else None
        if not first:
            return None
        shown, rest = [first[1]], rest[1:]
    for line in rest:
        if line.strip() != "#" and not line.strip().startswith("#   "):
            break
        shown.append(line.strip()[4:])
    return "\n".join(s.strip() for s in shown).strip()


def fits(shown: str, actual: str) -> bool:
    """Whether a value is the one shown, however its lines were broken."""

    def plain(text: str) -> str:
        return " ".join(text.split())

    pattern = ".*".join(re.escape(part.strip()) for part in plain(shown).split("…"))
    return re.fullmatch(pattern.replace(r"\ .*", r"\ ?.*"), plain(actual), re.DOTALL) is not None


def complaints(page: Path) -> Iterator[str]:
    """What is wrong with a page; stops at the first block that raises."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for block in blocks(page.read_text(encoding="utf-8")):
            if not block.runs:
                continue
            lines = block.code.split("\n")
            try:
                tree = ast.parse("\n" * (block.line - 1) + block.code, str(page))
            except SyntaxError as e:
                yield f"{page.name}:{e.lineno}: {e}"
                return
            padded = [""] * (block.line - 1) + lines
            for statement in tree.body:
                told = _run(statement, padded, namespace, runner, page)
                if told:
                    yield f"{page.name}:{statement.lineno}: {told}"
                    if told.startswith("Traceback"):
                        return


def _run(statement: ast.stmt, lines: list[str], namespace: dict[str, Any], runner: asyncio.Runner, page: Path) -> str:
    shown = expected(lines, statement)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said) if shown is not None else contextlib.nullcontext():
            value = _value(statement, namespace, runner, page)
    except Exception as e:
        error = _ERROR.match(shown or "")
        if not (error and error[1] == type(e).__name__):
            return traceback.format_exc()
        return "" if fits(shown or "", f"{type(e).__name__}: {e}") else f"shows {shown!r}, but raises {type(e).__name__}: {e}"
    if shown is None:
        return ""
    actual = said.getvalue() if value is None and said.getvalue() else repr(value)
    return "" if fits(shown, actual) else f"shows {shown}\n    but gives {actual}"


def _value(statement: ast.stmt, namespace: dict[str, Any], runner: asyncio.Runner, page: Path) -> Any:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    expression = isinstance(statement, ast.Expr)
    tree: ast.mod = ast.Expression(statement.value) if isinstance(statement, ast.Expr) else ast.Module([statement], [])
    code = compile(tree, str(page), "eval" if expression else "exec", flags=flags, dont_inherit=True)
    value = eval(code, namespace)
    if code.co_flags & 0x80:  # inspect.CO_COROUTINE: it awaits

        async def awaited() -> Any:
            return await value

        value = runner.run(awaited())
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return namespace[statement.targets[0].id]
    return value


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    wrong = 0
    for complaint in complaints(Path(sys.argv[1])):
        print(complaint)
        wrong += 1
    sys.exit(1 if wrong else 0)
