"""What a notebook that was run without a front end keeps of its widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from workbench.core.jobs import JobRecord

from ..support.job_helpers import submit  # noqa: F401


@pytest.fixture
def run(submit: Callable[..., JobRecord], tmp_path: Path) -> Callable[..., nbformat.NotebookNode]:  # noqa: F811
    """Run cells in a kernel of their own; the home is the test's."""

    def go(*cells: str) -> nbformat.NotebookNode:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
        return notebook

    return go


def html(cell: nbformat.NotebookNode) -> str:
    return "".join(str(o["data"].get("text/html", "")) for o in cell.outputs if "data" in o)


def test_the_curve_of_a_job_that_ended_after_it_was_shown(
    submit: Callable[..., JobRecord],  # noqa: F811
    run: Callable[..., nbformat.NotebookNode],
) -> None:
    submit("train(0, 40, 0.05)")
    notebook = run("import time, workbench as wb\njob = wb.job('scripted')\ndisplay(job.monitor())\njob.wait()\ntime.sleep(1)")
    shown = html(notebook.cells[0])
    assert "Finished" in shown
    assert "step 40 / 40" in shown
    assert shown.count("<svg") == 1


def test_a_widget_that_is_shown_again_in_its_cell_stands_there_once(run: Callable[..., nbformat.NotebookNode]) -> None:
    notebook = run("import workbench as wb\ng = wb.gpu()\nh = display(g, display_id=True)\nh.update(g)\ng")
    views = [o for o in notebook.cells[0].outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]
    assert len(views) == 1
    assert "Memory" in html(notebook.cells[0])
