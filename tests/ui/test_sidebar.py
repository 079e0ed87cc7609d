"""The sidebar in a real JupyterLab, with real jobs whose stages are scripted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import workbench
from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.runtime.work import jobs

SERVE = "emit('ready', url='http://127.0.0.1:9/v1', model='m')\nwhile 'stop' not in commands(): time.sleep(0.05)"

# Words of the sidebar with less than 4.5:1 against what lies under them; colours are painted to be read, whatever their notation.
LOW_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const over = layers => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of layers) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = rgb => { const [r, g, b] = rgb.map(v => linear(v / 255)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const bad = [];
  for (const e of document.querySelectorAll('.wb-side :is(b, small, span, button, div)')) {
    const speaks = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!speaks || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const under = [];
    for (let p = e; p; p = p.parentElement) under.unshift(getComputedStyle(p).backgroundColor);
    const [a, b] = [light(over(under)), light(over([...under, getComputedStyle(e).color]))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(`${e.innerText}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return bad;
}"""


def start(name: str, script: str, kind: str = "finetune", **payload: Any) -> JobRecord:
    return jobs.submit(JobSpec(kind, "scripted_backends:Scripted", name, {"script": script, **payload}))


def section(notebook: Any, name: str) -> Locator:
    return notebook.page.get_by_role("region", name=name, exact=True)


def line(notebook: Any, job: JobRecord) -> Locator:
    return notebook.page.locator(f'.wb-it[data-id="{job.id}"]')


@pytest.fixture
def sidebar(open_notebook: Callable[..., Any]) -> Callable[..., Any]:
    """A notebook with the sidebar open beside it."""

    def go(*cells: str) -> Any:
        notebook = open_notebook(*(cells or ("",)))
        notebook.command("workbench:open")
        expect(notebook.page.locator(".wb-side")).to_be_visible()
        expect(section(notebook, "Models").get_by_text("pocket")).to_be_visible()
        return notebook

    return go


def test_a_run_is_shown_live_and_stops_with_a_checkpoint(sidebar: Callable[..., Any]) -> None:
    notebook = sidebar()
    job = start("live-run", "train(0, 1200)", base_model="pocket")
    row = line(notebook, job)
    expect(row).to_contain_text(re.compile(r"step \d+ / 1,200, about \d+ s left"))
    expect(row).to_contain_text(re.compile(r"loss 0\.\d+"))
    expect(row.locator("svg path.l1")).to_have_count(1)
    first = row.inner_text()
    expect(row).not_to_have_text(first)  # it moves without anybody asking
    notebook.shot("sidebar-running")

    row.hover()
    row.get_by_role("button", name="Stop and save").click()
    expect(row).to_contain_text(re.compile(r"stopped at step \d+ / 1,200"))
    record = jobs.store().job(job.id)
    assert record.state is JobState.CANCELLED
    assert jobs.last_checkpoint(job.id)

    row.hover()
    row.get_by_role("button", name="Resume at the last checkpoint").click()
    again = section(notebook, "Jobs").locator(".wb-it", has_text="live-run").and_(notebook.page.locator('[data-tone="run"]'))
    expect(again).to_be_visible()
    again.focus()
    again.get_by_role("button", name="Stop and save").press("Enter")
    expect(again).to_have_count(0)


def test_a_second_press_stops_without_saving_after_saying_what_is_lost(sidebar: Callable[..., Any]) -> None:
    notebook = sidebar()
    job = start(
        "stubborn", "signal.signal(signal.SIGTERM, lambda *_: None)\nemit('begin', step=0, max_steps=9)\nwhile True: time.sleep(0.1)", grace=60
    )
    row = line(notebook, job)
    expect(row).to_contain_text("step 0 / 9")
    row.hover()
    row.get_by_role("button", name="Stop and save").click()
    expect(row).to_contain_text("stopping")
    row.get_by_role("button", name="Stop without saving").click()
    dialog = notebook.page.get_by_role("dialog")
    expect(dialog).to_contain_text("What was learnt since the last checkpoint is lost.")
    dialog.get_by_role("button", name="Stop without saving").click()
    expect(row).to_contain_text("stopped")
    assert jobs.wait(job.id, timeout=30).state is JobState.CANCELLED


def test_code_for_a_run_goes_below_the_active_cell_and_works(sidebar: Callable[..., Any]) -> None:
    notebook = sidebar("x = 1", "y = 2")
    job = start("finished-run", "train(0, 5)")
    expect(line(notebook, job)).to_contain_text("finished, loss 0.2")
    line(notebook, job).hover()
    line(notebook, job).get_by_role("button", name="Insert code to use this").click()
    expect(notebook.cell(1)).to_contain_text("wb.job(")
    sources = notebook.sources()
    assert sources[0] == "x = 1"
    assert sources[1] == f"import workbench as wb\n\njob = wb.job('{job.id}')\njob.monitor()"
    assert sources[2] == "y = 2"
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets[2].model.sharedModel.setSource('print(job.id, job.state)')")
    notebook.run(1)
    assert notebook.run(2).strip() == f"{job.id} succeeded"


def test_a_deployment_is_shown_with_its_engine_and_can_be_used_and_stopped(sidebar: Callable[..., Any]) -> None:
    notebook = sidebar()
    job = start("served", SERVE, kind="deploy", serves=True, model="/models/served", arguments={"ctx": 512})
    row = line(notebook, job)
    expect(row).to_contain_text("127.0.0.1:9")
    row.hover()
    row.get_by_role("button", name="Insert code to use this").click()
    expect(notebook.cell(0)).to_contain_text("import workbench as wb")
    assert f"m = wb.deployment('{job.id}').module().start()" in notebook.sources()[0], "the empty cell takes the code"
    row.hover()
    row.get_by_role("button", name="Copy endpoint").click()
    assert notebook.page.evaluate("() => navigator.clipboard.readText()") == "http://127.0.0.1:9/v1"
    row.hover()
    row.get_by_role("button", name="Stop serving").click()
    expect(row).to_have_count(0)
    assert not jobs.store().job(job.id).state.active


def test_chat_from_the_sidebar_joins_the_deployment_that_is_there(sidebar: Callable[..., Any]) -> None:
    notebook = sidebar()
    model = workbench.TrainableModule("pocket").deploy_method(workbench.deploy.llama_cpp, n_ctx=1024, chat_template="chatml", variant="b").start()
    row = section(notebook, "Deployments").locator(".wb-it", has_text="pocket")
    expect(row).to_contain_text("llama.cpp, 127.0.0.1:")
    expect(section(notebook, "Models").locator('[data-tone="ok"]')).to_contain_text("being served")
    row.hover()
    notebook.shot("sidebar-deployment")
    row.hover()
    row.get_by_role("button", name="Chat").click()
    expect(notebook.cell(0)).to_contain_text("m.chat()")
    notebook.wait(0)
    expect(notebook.cell(0).locator(".jp-OutputArea").get_by_role("textbox")).to_be_visible()
    assert len(jobs.store().jobs(kind="deploy", active=True)) == 1
    notebook.shot("sidebar-chat")
    model.stop()
    expect(section(notebook, "Deployments")).to_contain_text("Nothing is being served.")


def test_a_failure_says_its_cause_and_its_log_opens_and_grows(sidebar: Callable[..., Any]) -> None:
    notebook = sidebar()
    script = "print('first words', flush=True)\ntime.sleep(1.5)\nprint('10%\\r20%\\r30%', flush=True)\nprint('last words', flush=True)\nsys.exit(3)"
    job = start("failing", script)
    row = line(notebook, job)
    expect(row).to_be_visible()
    row.focus()
    row.press("Enter")
    log = notebook.page.get_by_role("log", name="failing, log")
    expect(log).to_contain_text("first words")
    expect(log).to_contain_text("last words")
    expect(log).to_contain_text("30%")
    expect(log).not_to_contain_text("10%")
    expect(row).to_contain_text("failed, script ended with 3")
    notebook.shot("sidebar-failed")


def test_search_marks_what_it_finds_and_says_when_there_is_nothing(sidebar: Callable[..., Any]) -> None:
    notebook = sidebar()
    job = start("needle-run", "train(0, 2)")
    expect(line(notebook, job)).to_contain_text("finished")
    search = notebook.page.get_by_role("textbox", name="Search")
    search.fill("NEEDLE")
    expect(line(notebook, job).locator("mark")).to_have_text("needle")
    expect(section(notebook, "Models")).to_contain_text("Nothing named “NEEDLE”.")
    expect(section(notebook, "Jobs")).to_contain_text(re.compile(r"1 of \d+"))
    search.press("Escape")
    expect(section(notebook, "Models").get_by_text("pocket")).to_be_visible()


def test_every_theme_has_readable_words_and_every_control_a_name(sidebar: Callable[..., Any]) -> None:
    notebook = sidebar()
    start("themed", "sys.exit(1)")
    expect(section(notebook, "Jobs").get_by_text("themed")).to_be_visible()
    for theme in ("light", "dark", "contrast"):
        notebook.theme(theme)
        time.sleep(0.3)
        assert notebook.page.evaluate(LOW_CONTRAST) == [], theme
    notebook.theme("light")
    assert (
        notebook.page.evaluate("() => [...document.querySelectorAll('.wb-side button')].filter(b => !(b.ariaLabel || b.innerText.trim())).length")
        == 0
    )
