"""What each engine can do, and the test that proves it: ``docs/engine_table.json``, as the page ``docs/engines.md`` shows it.

``python tests/support/engine_table.py`` writes the table into the page. A cell of the file is the place of a test
(``tests/…/test_x.py::test_name``, with the class between where there is one): it is proven there; the same behind ``by hand:``: the test has
passed, and runs only where somebody has the engine installed; ``not tried``: the engine is said to do it, and no test has seen it here; empty:
it does not.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE, DATA = ROOT / "docs" / "engines.md", ROOT / "docs" / "engine_table.json"
BEGIN, END = "<!-- engine table: tests/support/engine_table.py writes it -->", "<!-- end of the engine table -->"
COLUMNS = ("chat", "stream", "tools", "schema", "LoRA", "embed", "rerank", "speech", "image", "vision", "quantization", "auth")
NOT_TRIED, BY_HAND = "not tried", "by hand: "


def data() -> dict[str, dict[str, str]]:
    """Engine → column → cell."""
    loaded: dict[str, dict[str, str]] = json.loads(DATA.read_text(encoding="utf-8"))
    return loaded


def tests_in(file: Path) -> set[str]:
    """The tests of a file, as a cell names them."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{n.name}" for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


def shown(cell: str) -> str:
    """A cell on the page."""
    if not cell:
        return "—"
    if cell == NOT_TRIED:
        return "not tried here"
    file, _, test = cell.removeprefix(BY_HAND).partition("::")
    return f"[{'(✓)' if cell.startswith(BY_HAND) else '✓'}](../{file}#{test.replace('::', '.')})"


def table() -> str:
    """The table as Markdown."""
    rows = [["engine", *COLUMNS], ["---"] * (len(COLUMNS) + 1)]
    rows += [[f"`{engine}`", *(shown(cells.get(column, "")) for column in COLUMNS)] for engine, cells in data().items()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def on_the_page() -> str:
    """The table that the page has."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(f"{text[: text.index(BEGIN) + len(BEGIN)]}\n\n{table()}\n\n{text[text.index(END) :]}", encoding="utf-8")
