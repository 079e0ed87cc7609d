"""Chat, evaluation table, machine and model card in a real JupyterLab, with the model that ships."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from workbench.runtime.work import jobs

START = "import workbench as wb\nm = wb.TrainableModule('pocket')\nm"
EVAL = """
from workbench.core.messages import Usage
from workbench.evals.result import EvalOutput, EvalResult, EvalRow, Measure
from workbench.widgets.evaltable import EvalTable
def output(text, right): return EvalOutput(text, '', 0.1, None, Usage(1, 2), {'exact': float(right)})
result = EvalResult('dates', ['base', 'tuned'], [Measure('exact', 'Exact match')], 100_000, keep=False)
for i in range(100_000):
    result.append(EvalRow(i, f'date {i}', f'{i}', (output(f'it is {i}', i % 2), output(f'it was {i}', i % 3 == 0))))
result.finish()
EvalTable(result)
"""


@pytest.fixture(autouse=True)
def no_jobs_left(lab: Any) -> Iterator[None]:
    yield
    jobs.end_all()


def shown(notebook: Any, name: str, cell: int = 0) -> Locator:
    return notebook.cell(cell).locator(f".wb-{name}")


def chip(widget: Locator) -> Locator:
    return widget.locator(".wb-chip").first


def test_a_model_is_deployed_from_its_card_answers_in_a_chat_and_stops(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(START, "chat = m.chat()\nchat", "print([x['role'] for x in chat.messages], len(chat.to_pandas()))")
    notebook.run(0)
    card = shown(notebook, "modelcard")
    expect(chip(card)).to_have_text("Idle")
    notebook.run(1)
    chat = shown(notebook, "chat", 1)
    expect(chat).to_contain_text("pocket is not running")
    card.get_by_role("button", name="Deploy").click()
    expect(chip(card)).to_have_text("Running", timeout=90_000)
    expect(card).to_contain_text("127.0.0.1")

    box = chat.get_by_role("textbox", name="Message")
    box.fill("What can you do?")
    box.press("Enter")
    answer = chat.locator(".turn").first
    expect(answer.locator(".foot")).to_contain_text(re.compile(r"first token.*tok/s.*tokens"), timeout=60_000)
    assert len(answer.locator(".md").inner_text()) > 20
    expect(card).to_contain_text("Tokens/s, all users")
    expect(card).to_contain_text("llama.cpp")
    expect(chat).to_contain_text(re.compile(r"llama\.cpp.*of 2,048 tokens"))
    notebook.shot("card", card)
    notebook.shot("chat", chat)

    answer.hover()
    answer.get_by_role("button", name="Retry").click()
    expect(chat.locator(".turn .foot")).to_have_count(1, timeout=60_000)
    chat.locator(".user").hover()
    chat.get_by_role("button", name="Edit and resend").click()
    editor = chat.get_by_role("textbox", name="Question")
    editor.fill("How do I stop a model?")
    editor.press("Enter")
    expect(chat.locator(".user")).to_contain_text("How do I stop a model?")
    expect(chat.locator(".turn .foot")).to_contain_text("tok/s", timeout=60_000)
    assert notebook.run(2).strip() == "['user', 'assistant'] 1"

    card.get_by_role("button", name="Chat").click()
    notebook.page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.widgets.length === 4")
    assert any(source.endswith(".start()\nm.chat()") for source in notebook.sources())
    expect(notebook.page.locator(".jp-Notebook .wb-chat")).to_have_count(2)

    card.get_by_role("button", name="Stop").click()
    card.get_by_role("alertdialog").get_by_role("button", name="Stop").click()
    expect(chip(card)).to_have_text("Idle", timeout=30_000)
    box.fill("Are you there?")
    box.press("Enter")
    expect(chat.get_by_role("alert")).to_contain_text(re.compile("pocket (was stopped|is not deployed)"))


def test_keys_pressed_in_a_widget_do_not_move_the_notebook(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(EVAL, "1", "2")
    notebook.run(0)
    table = shown(notebook, "evaltable")
    row = table.locator(".tr.r").first
    row.focus()
    before = notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        notebook.page.keyboard.press(key)
    expect(table.locator(".drawer")).to_be_visible()
    expect(table.locator(".tr.open .id")).to_have_text("2")
    assert notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex") == before
    assert len(notebook.sources()) == 3


def test_a_table_of_100_000_rows_is_filtered_searched_paged_and_downloaded(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(EVAL)
    notebook.run(0)
    table = shown(notebook, "evaltable")
    expect(table.locator(".end")).to_contain_text("Rows 1 to 50 of 100,000")
    table.get_by_role("button", name=re.compile("Regressions")).click()
    expect(table.locator(".end")).to_contain_text("of 33,333")
    expect(table.locator(".tr.r").first.locator(".wb-chip")).to_have_text(["pass", "fail"])
    table.locator(".tr.r").first.click()
    expect(table.locator(".drawer")).to_contain_text("date 1")
    expect(table.locator(".drawer ins")).to_have_text("was")
    notebook.shot("evaltable", table)
    table.get_by_role("button", name=re.compile("All")).click()
    table.get_by_role("button", name="Next page").click()
    expect(table.locator(".tr.r .id").first).to_have_text("50")
    table.get_by_role("textbox", name="Search rows").fill("date 99999")
    expect(table.locator(".end")).to_contain_text("Rows 1 to 1 of 1")
    with notebook.page.expect_download() as download:
        table.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename == "dates.csv"


def test_another_page_on_the_same_kernel_shows_the_same(open_notebook: Callable[..., Any], lab: Any, browser: Browser) -> None:
    notebook = open_notebook("import workbench as wb\nchat = wb.TrainableModule('pocket').chat()\nchat")
    notebook.run(0)
    chat = shown(notebook, "chat")
    box = chat.get_by_role("textbox", name="Message")
    box.fill("Is this kept?")
    box.press("Enter")
    expect(chat.get_by_role("alert")).to_contain_text("pocket is not deployed.")
    notebook.command("docmanager:save")
    notebook.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    context = browser.new_context()
    other = context.new_page()
    other.goto(f"{lab.url}/lab/workspaces/other/tree/{notebook.path.name}?token={lab.token}")
    expect(other.locator(".wb-chat .user")).to_contain_text("Is this kept?", timeout=90_000)
    expect(other.locator(".wb-chat").get_by_role("alert")).to_contain_text("pocket is not deployed.")
    context.close()


def test_the_machine_shows_our_job_and_stops_it(open_notebook: Callable[..., Any]) -> None:
    from workbench.core.jobs import JobSpec

    notebook = open_notebook("import workbench as wb\nwb.gpu()")
    job = jobs.submit(JobSpec("finetune", "scripted_backends:Scripted", "my-run", {"script": "train(0, 10_000)"}))
    notebook.run(0)
    machine = shown(notebook, "gpu")
    line = machine.get_by_role("row").filter(has_text="my-run")
    expect(line).to_contain_text("fine-tuning job")
    notebook.shot("machine", machine)
    line.get_by_role("button", name="Stop and save").click()
    machine.get_by_role("alertdialog").get_by_role("button", name="Stop and save").click()
    expect(line).to_have_count(0, timeout=30_000)
    assert not jobs.store().job(job.id).state.active
