"""The monitor in a real JupyterLab, with real jobs whose stages are scripted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import nbformat
from playwright.sync_api import Locator, expect

from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.runtime.work import jobs


def start(name: str, script: str, **payload: Any) -> JobRecord:
    return jobs.submit(JobSpec("finetune", "scripted_backends:Scripted", name, {"script": script, **payload}))


def shown(notebook: Any, cell: int = 0) -> Locator:
    return notebook.cell(cell).locator(".wb-monitor")


def chip(widget: Locator) -> Locator:
    return widget.locator(".wb-chip").first


def saved_html(notebook: Any, cell: int = 0) -> str:
    """What the notebook's file holds of a cell's output for front ends without widgets."""
    notebook.command("docmanager:save")
    notebook.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    outputs = nbformat.read(notebook.path, as_version=4).cells[cell].outputs
    return "".join(str(o.data.get("text/html", "")) for o in outputs if "data" in o)


def test_a_job_is_followed_to_its_end_and_the_notebook_keeps_its_curve(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("import workbench as wb\nwb.job('followed').monitor()")
    start("followed", "print('14:02:11 ready', flush=True)\ntrain(0, 60, 0.1, checkpoint_every=20)")
    notebook.run(0)
    monitor = shown(notebook)
    expect(chip(monitor)).to_have_text("Training")
    expect(monitor.locator("canvas")).to_be_visible()
    expect(monitor.locator(".stats")).to_contain_text(re.compile(r"Step \d+ / 60"))
    expect(chip(monitor)).to_have_text("Finished")
    expect(monitor).to_contain_text("60 steps in")
    monitor.get_by_role("tab", name="Log").click()
    expect(monitor.locator(".wb-log")).to_contain_text("ready")
    notebook.page.wait_for_timeout(500)
    html = saved_html(notebook)
    assert "<svg" in html
    assert "Finished" in html


def test_stop_works_while_a_cell_blocks_the_kernel(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("import workbench as wb\nwb.job('stopped').monitor()", "import time\ntime.sleep(60)")
    job = start("stopped", "train(0, 10_000, 0.05)")
    notebook.run(0)
    monitor = shown(notebook)
    expect(monitor.get_by_role("button", name="Stop and save")).to_be_visible()
    notebook.run(1, wait=False)
    notebook.page.wait_for_timeout(500)
    monitor.get_by_role("button", name="Stop and save").click()
    expect(chip(monitor)).to_have_text("Stopped", timeout=15_000)
    assert jobs.store().job(job.id).state is JobState.CANCELLED
    notebook.command("notebook:interrupt-kernel")
    notebook.wait(1)


def test_a_failed_job_shows_cause_fix_and_log(open_notebook: Callable[..., Any]) -> None:
    job = start("broken", "train(0, 5)\nprint('the disk is full', flush=True)\nsys.exit(3)")
    jobs.wait(job.id, timeout=60)
    notebook = open_notebook(f"import workbench as wb\nwb.job({job.id!r}).monitor()")
    notebook.run(0)
    monitor = shown(notebook)
    expect(chip(monitor)).to_have_text("Failed")
    expect(monitor.locator(".wb-why")).to_contain_text("script ended with 3.")
    expect(monitor.locator(".wb-log").first).to_contain_text("the disk is full")
    notebook.shot("monitor-failed", monitor)
