"""What a notebook shows of a result, in a real kernel: the table once, wherever it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

WIDGET = "application/vnd.jupyter.widget-view+json"
SETUP = "import workbench as wb\nfrom workbench import evals\nrows = [(f'q{i}', f'Q{i}') for i in range(30)]"


def outputs(home: Path, tmp_path: Path, *sources: str) -> list[list[Any]]:
    """The outputs of cells that run one after the other in one kernel."""
    v4: Any = nbformat.v4
    book = v4.new_notebook(cells=[v4.new_code_cell(source) for source in (SETUP, *sources)])
    NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}, store_widget_state=False).execute()
    return [cell.outputs for cell in book.cells[1:]]


def test_a_table_stands_once_in_every_cell_that_shows_it(home: Path, tmp_path: Path) -> None:
    compared, again, assigned, evaluated, saved = outputs(
        home,
        tmp_path,
        "r = wb.compare(str.lower, str.upper, evalset=rows)\nr",
        "r",
        "wb.compare(str.lower, str.upper, evalset=rows)\nNone",
        "m = evals.evaluate(str.upper, rows, name='pocket')\nm",
        "r.save_html('report.html')",
    )
    assert [WIDGET in o.data for o in compared] == [True]
    assert "+100.0 pts" in compared[0].data["text/plain"]  # a saved notebook has the finished table, not the empty one
    assert "<table" in compared[0].data["text/html"]
    assert [WIDGET in o.data for o in again] == [True]
    assert [WIDGET in o.data for o in assigned] == [True]
    line, table = evaluated  # the live table gives way to a line, because what follows shows the result
    assert WIDGET not in line.data
    assert line.data["text/plain"].startswith("pocket · 30 rows")
    assert "Exact match 100.0%" in line.data["text/plain"]
    assert WIDGET in table.data
    assert any("report.html" in o.data.get("text/html", "") for o in saved)
