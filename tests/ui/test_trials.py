"""A grid of trials in a real notebook: the table fills while the cell runs and stands there at the end."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

GRID = """
import workbench as wb
rows = [{'instruction': 'a', 'output': 'b'}]
m = (wb.TrainableModule('pocket', 'grid')
     .finetune_method(wb.finetune.dummy, steps=wb.Option(10, 40), learning_rate=wb.Option(1e-4, 2e-4),
                      seconds_per_step=0.05, fail_at=wb.Option(None, 30))
     .trainset(rows).deploy_method(wb.deploy.dummy).evalset([('hi', 'reply'), ('ho', 'nothing')]))
trials = wb.TrialModule(m)
trials.update(scorers='contains')
"""


def test_the_table_of_a_grid_fills_while_it_runs(open_notebook: Any) -> None:
    notebook = open_notebook(GRID, "trials.table")
    notebook.run(0, wait=False)
    cell = notebook.cell(0)
    expect(cell.locator("tbody tr")).to_have_count(8)
    expect(cell).to_contain_text("training")
    notebook.shot("trials-running", cell)
    notebook.wait(0, timeout=120)
    expect(cell).to_contain_text("8 trials · 6 finished, 2 failed")
    expect(cell.locator("table")).to_have_count(1)
    expect(cell.locator("tbody tr").first).to_contain_text("best")
    expect(cell).not_to_contain_text("Evaluating")
    notebook.run(1)
    expect(notebook.cell(1).locator("tbody tr")).to_have_count(8)
    notebook.shot("trials-done", cell)
