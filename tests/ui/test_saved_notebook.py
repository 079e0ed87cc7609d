"""A notebook that is opened again after its kernel has gone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

TABLE = """
from workbench.core.messages import Usage
from workbench.evals.result import EvalOutput, EvalResult, EvalRow, Measure
from workbench.widgets.evaltable import EvalTable
result = EvalResult('capitals', ['base'], [Measure('exact', 'Exact match')], 1, keep=False)
result.append(EvalRow(0, 'Capital of Peru?', 'Lima', (EvalOutput('Lima', '', 0.1, None, Usage(1, 2), {'exact': 1.0}),)))
result.finish()
EvalTable(result)
"""
CLOSE = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.save();
  await panel.sessionContext.shutdown();
  panel.close();
}"""
AGAIN = """path => window.jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook'}).then(() => true)"""


def test_widgets_of_a_kernel_that_is_gone_show_their_static_form(open_notebook: Any) -> None:
    notebook = open_notebook(TABLE)
    notebook.run(0)
    expect(notebook.cell(0).locator(".wb-evaltable")).to_contain_text("Capital of Peru?")
    notebook.page.evaluate(CLOSE)
    notebook.page.evaluate(AGAIN, notebook.path.name)
    expect(notebook.cell(0)).to_contain_text("Capital of Peru?")
    expect(notebook.cell(0)).not_to_contain_text("model not found")
    expect(notebook.cell(0).locator(".wb-evaltable")).to_have_count(0)
    notebook.page.wait_for_function("() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
